#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "server/api/completion_request.h"
#include "server/api/request_fields.h"
#include "server/api_error.h"
#include "support/collected_answer.h"
#include "support/tiny_model.h"
#include "target.h"
#include "targets.h"

namespace unroll {
namespace {

constexpr RequestLimits kLimits{.symbols = 200, .texts = 8, .seconds = 10};

const Model& model_of_choice(char choice) {
  static const Model characters = tiny_model(Cell::kGru, tiny_characters());
  static const Model words = tiny_model(Cell::kLstm, tiny_words());
  static const Model bytes = tiny_model(Cell::kRnnTanh, all_bytes());
  return choice == 'b' ? bytes : choice == 'w' ? words : characters;
}

void check_lists(const nlohmann::json& choice, bool echo, std::size_t prompt) {
  const nlohmann::json& lists = choice["logprobs"];
  const std::size_t entries = lists["tokens"].size();
  expect(lists["token_logprobs"].size() == entries && lists["top_logprobs"].size() == entries &&
             lists["text_offset"].size() == entries,
         "lists have one length");
  if (echo && prompt > 0) expect(entries >= prompt && lists["token_logprobs"][0].is_null(), "the first entry is null");
  for (std::size_t i = 0; i < entries; ++i) {
    const nlohmann::json& log_prob = lists["token_logprobs"][i];
    if (log_prob.is_null()) continue;
    const nlohmann::json& top = lists["top_logprobs"][i];
    const std::string name = lists["tokens"][i];
    expect(top.contains(name) && top[name] == log_prob, "a symbol is among the most probable ones that are listed");
  }
}

void check_answer(const CompletionRequest& request, const HttpResponse& response) {
  expect(response.status == 200, "what was accepted is answered");
  if (request.stream) {
    expect(response.body.ends_with("data: [DONE]\n\n"), "a stream ends");
    return;
  }
  const nlohmann::json body = nlohmann::json::parse(response.body);
  expect(body["choices"].size() == request.prompts.size() * static_cast<std::size_t>(request.n),
         "each prompt has its texts");
  if (!request.logs || request.shape == LogShape::kChat) return;
  for (const nlohmann::json& choice : body["choices"]) {
    const std::size_t index = choice["index"];
    const std::size_t prompt = request.prompts[index / static_cast<std::size_t>(request.n)].ids.size();
    check_lists(choice, request.echo, prompt);
  }
}

// Both errors that a body may meet are one-line messages.
std::string refusal_of_body(const std::string& body, char choice) {
  std::string refusal;
  const std::string other = refusal_of([&] {
    try {
      RequestFields fields(body, 4000);
      const Model& model = model_of_choice(choice);
      const CompletionRequest request =
          choice == 'm' ? read_chat(fields, model, kLimits) : read_completion(fields, model, kLimits);
      check_answer(request, answer_to(request, model));
    } catch (const ApiError& error) {
      expect(error.status() == 400, "a body is to blame");
      expect(nlohmann::json::parse(error.body())["error"]["message"].is_string(), "an error is JSON");
      refusal = error.what();
    }
  });
  return refusal + other;
}

}  // namespace

// c: of characters, w: of words, b: of bytes, m: messages.
std::string fuzz_request(std::string_view input) {
  const char choice = take_choice(input, "cwbm");
  return refusal_of_body(std::string(input), choice);
}

}  // namespace unroll
