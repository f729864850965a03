#include "write/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/quote.h"
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

}  // namespace unroll
