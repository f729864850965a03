// Text to ids and back: /tokenize, /detokenize, /tokenizer_info.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/api.h"
#include "server/api/json_parts.h"
#include "server/api/prompt_pieces.h"
#include "server/api_error.h"
#include "server/http/message.h"

namespace unroll {
namespace {

// The value of "model" in "model=NAME&...".
std::string model_in(const std::string& query) {
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string field = query.substr(at, end - at);
    if (field.starts_with("model=")) return percent_decoded(field.substr(6)).value_or("");
    at = end + 1;
  }
  return {};
}

}  // namespace

void Api::tokenizer_info(std::unique_ptr<Call>& call) {
  const std::shared_ptr<ServedModel> model = models_.find(model_in(call->request().query));
  const Tokenizer& tokenizer = model->model.tokenizer();
  const std::string boundary = boundary_text(tokenizer);
  // Where ids of both are given, clients take the first that is not 0 or missing: both or none.
  nlohmann::ordered_json info{{"tokenizer_class", "unroll"},    {"kind", tokenizer_kind_name(tokenizer.kind())},
                              {"vocab_size", tokenizer.size()}, {"eos_token", nullptr},
                              {"bos_token", nullptr},           {"eos_token_id", nullptr},
                              {"bos_token_id", nullptr},        {"pad_token", nullptr},
                              {"unk_token", nullptr},           {"chat_template", nullptr}};
  if (tokenizer.boundary() >= 0) {
    info["eos_token"] = info["bos_token"] = boundary;
    info["eos_token_id"] = info["bos_token_id"] = tokenizer.boundary();
  }
  if (tokenizer.unknown() >= 0) info["unk_token"] = tokenizer.symbol(tokenizer.unknown());
  call->send({.body = json_body(info)});
}

void Api::tokenize(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> model = model_of(fields, *call);
  std::optional<std::string> text = fields.text("prompt");
  if (!text) text = fields.text("content");  // as llama.cpp's clients call it
  if (!text) throw ApiError(400, "`prompt` is missing: expected a string", "prompt");
  // The models have no special symbols that would be added.
  static_cast<void>(fields.truth("add_special_tokens", true));
  const bool with_pieces = fields.truth("return_token_strs", false);
  const PromptPieces prompt = cut_prompt(model->model.tokenizer(), std::move(*text));
  std::string ids;
  std::string pieces;
  for (std::size_t i = 0; i < prompt.ids.size(); ++i) {
    append_element(ids, fmt::format("{}", prompt.ids[i]));
    if (with_pieces) append_element(pieces, json_string(shown_piece(prompt.piece(i))));
  }
  call->send({.body = fmt::format(R"({{"count":{},"max_model_len":{},"tokens":[{}],"token_strs":{}}})",
                                  prompt.ids.size(), limits_.symbols, ids, with_pieces ? "[" + pieces + "]" : "null")});
}

void Api::detokenize(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> model = model_of(fields, *call);
  const nlohmann::json* const list = fields.find("tokens");
  if (list == nullptr || !list->is_array())
    throw ApiError(400, "`tokens` is missing, or no list: expected a list of ids", "tokens");
  const PromptPieces prompt = join_prompt(model->model.tokenizer(), read_ids("tokens", *list), "tokens");
  call->send({.body = json_body({{"prompt", prompt.text}, {"content", prompt.text}})});
}

}  // namespace unroll
