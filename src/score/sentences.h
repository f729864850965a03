// Scoring sentences that stand somewhere in a file, with errors that say where.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unroll/scorer.h"

namespace unroll {

// A sentence that is not a line of a file by itself, and where it stands, for messages: "'pairs.tsv', line 3", or
// nothing.
struct PlacedSentence {
  std::string text;
  std::string place;
};

// Scores them as Scorer does. An Error names the place and quotes the sentence.
[[nodiscard]] std::vector<Score> score_sentences(Scorer& scorer, std::span<const PlacedSentence> sentences);

}  // namespace unroll
