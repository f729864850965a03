// Prompts as symbols, and as the pieces of text that these stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// Piece i of `text` is that of symbol i; joined they are the text. White space between two words belongs to the second.
struct PromptPieces {
  std::vector<std::int32_t> ids;
  std::string text;
  std::vector<std::size_t> ends;  // of each piece, in bytes

  [[nodiscard]] std::string_view piece(std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};

// The text in which requests write the boundary; empty if there is none: "\n" where the tokenizer reads a newline as
// it, else its symbol, which is read as the boundary where a text begins with it.
[[nodiscard]] std::string boundary_text(const Tokenizer& tokenizer);

// Cuts a prompt. Throws ApiError with status 400 for one that the tokenizer cannot read.
[[nodiscard]] PromptPieces cut_prompt(const Tokenizer& tokenizer, std::string text);

// The prompt that symbols are; its text is what they are written as. Throws ApiError with status 400 for an id that
// does not exist, which names the field.
[[nodiscard]] PromptPieces join_prompt(const Tokenizer& tokenizer, std::vector<std::int32_t> ids,
                                       const std::string& field = "prompt");

}  // namespace unroll
