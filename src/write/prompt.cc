#include "write/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/quote.h"
#include "text/reading.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse(const Tokenizer& tokenizer, std::string_view symbol, std::int64_t offset) {
  throw Error(
      ErrorCode::kInput,
      fmt::format("the prompt's {} {} at byte {} is not in the model's vocabulary ({} symbols, those of its "
                  "training text): write the prompt without it",
                  tokens_are_words(tokenizer.kind()) ? "word" : "character", quote(symbol), offset, tokenizer.size()));
}

}  // namespace

bool ends_in_white_space(std::string_view text) {
  return !text.empty() && std::string_view(" \t\n\v\f\r").find(text.back()) != std::string_view::npos;
}

std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, std::string_view prompt) {
  std::vector<std::int32_t> ids;
  std::int64_t line_number = 1;
  for (std::size_t first = 0; first <= prompt.size(); ++line_number) {
    const std::size_t last = std::min(prompt.find('\n', first), prompt.size());
    const std::string_view line = prompt.substr(first, last - first);
    for (const Token& token : tokenizer.encode_line({line, fmt::format("prompt, line {}", line_number)})) {
      if (token.id == tokenizer.unknown()) {
        refuse(tokenizer, line.substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length)),
               static_cast<std::int64_t>(first) + token.offset);
      }
      ids.push_back(token.id);
    }
    if (last < prompt.size()) {
      if (tokenizer.boundary() < 0) {
        throw Error(
            ErrorCode::kInput,
            fmt::format("the prompt has a line end at byte {}, and the model's vocabulary has no symbol for it: "
                        "write a prompt of one line",
                        last));
      }
      ids.push_back(tokenizer.boundary());
    }
    first = last + 1;
  }
  return ids;
}

BeginPolicy begin_of(const Model& model, std::optional<BeginPolicy> begin) {
  return reading_of(model.tokenizer(), StatePolicy::kReset, begin.value_or(model.begin_policy())).begin;
}

Prompt prompt_of(const Tokenizer& tokenizer, BeginPolicy begin, std::span<const std::int32_t> ids) {
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < tokenizer.size()) continue;
    throw Error(
        ErrorCode::kInput,
        fmt::format("the prompt has symbol {}, which does not exist: expected 0 to {}", id, tokenizer.size() - 1),
        "prompt");
  }
  if (ids.empty() && begin == BeginPolicy::kNone) {
    throw Error(ErrorCode::kInput,
                "the prompt is empty, and nothing is read before the text (`begin` none): the first symbol has to be "
                "given; write a prompt of one symbol or more",
                "prompt");
  }
  Prompt prompt;
  if (begin == BeginPolicy::kBoundary) prompt.reads.push_back(tokenizer.boundary());
  prompt.reads.insert(prompt.reads.end(), ids.begin(), ids.end());
  if (!ids.empty()) prompt.last = ids.back();
  return prompt;
}

Prompt prompt_of(const Tokenizer& tokenizer, BeginPolicy begin, std::string_view text) {
  Prompt prompt = prompt_of(tokenizer, begin, encode_prompt(tokenizer, text));
  prompt.ends_in_space = ends_in_white_space(text);
  return prompt;
}

}  // namespace unroll
