#include "server/api/prompt_pieces.h"

#include <fmt/format.h>

#include <utility>

#include "server/api_error.h"

namespace unroll {

std::string boundary_text(const Tokenizer& tokenizer) {
  const std::int32_t boundary = tokenizer.boundary();
  if (boundary < 0) return {};
  const std::vector<Token> newline = tokenizer.encode_line({"\n", "a newline"});
  const bool reads_newline = newline.size() == 1 && newline.front().id == boundary;
  return reads_newline ? "\n" : tokenizer.symbol(boundary);
}

PromptPieces cut_prompt(const Tokenizer& tokenizer, std::string text) {
  PromptPieces prompt{.ids = {}, .text = std::move(text), .ends = {}};
  const std::string begin = boundary_text(tokenizer);
  std::size_t skipped = 0;
  if (!begin.empty() && begin != "\n" && prompt.text.starts_with(begin)) {
    prompt.ids.push_back(tokenizer.boundary());
    skipped = begin.size();
    prompt.ends.push_back(skipped);
  }
  try {
    for (const Token& token : tokenizer.encode_line({std::string_view(prompt.text).substr(skipped), "the prompt"})) {
      prompt.ids.push_back(token.id);
      prompt.ends.push_back(skipped + static_cast<std::size_t>(token.offset + token.length));
    }
  } catch (const Error& error) {
    throw ApiError(400, error.what(), "prompt");
  }
  // White space that belongs to no symbol stays with the last one.
  if (!prompt.ends.empty()) prompt.ends.back() = prompt.text.size();
  return prompt;
}

PromptPieces join_prompt(const Tokenizer& tokenizer, std::vector<std::int32_t> ids, const std::string& field) {
  PromptPieces prompt{.ids = std::move(ids), .text = {}, .ends = {}};
  std::int32_t previous = -1;
  for (const std::int32_t id : prompt.ids) {
    if (id < 0 || id >= tokenizer.size()) {
      throw ApiError(400, fmt::format("`{}` has the id {}: expected 0 to {}", field, id, tokenizer.size() - 1), field);
    }
    prompt.text += tokenizer.written(previous, id);
    prompt.ends.push_back(prompt.text.size());
    previous = id;
  }
  return prompt;
}

}  // namespace unroll
