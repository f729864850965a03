// What a line that is scored consists of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/scorer.h"
#include "unroll/tokenizer.h"

namespace unroll {

// The tokens of one line, without its closing boundary. `name` is how messages call it: "line 3". Throws Error{kInput}
// for a line end within it and for text that the tokenizer cannot read.
[[nodiscard]] std::vector<Token> line_tokens(const Tokenizer& tokenizer, std::string_view line,
                                             const std::string& name);

// A sentence that is no line of a file by itself, and where it stands, for messages: "'pairs.tsv', line 3", or nothing.
struct PlacedSentence {
  std::string text;
  std::string place;
};

// Scores them as Scorer does. One that cannot be scored is told by its place and its own words.
[[nodiscard]] std::vector<Score> score_sentences(Scorer& scorer, std::span<const PlacedSentence> sentences);

}  // namespace unroll
