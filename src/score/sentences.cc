#include "score/sentences.h"

#include <fmt/format.h>

#include "base/quote.h"

namespace unroll {

std::vector<Score> score_sentences(Scorer& scorer, std::span<const PlacedSentence> sentences) {
  std::vector<std::string> texts;
  texts.reserve(sentences.size());
  for (const PlacedSentence& sentence : sentences) texts.push_back(sentence.text);
  return scorer.score(texts, [&](std::size_t index) {
    const auto& [text, place] = sentences[index];
    return fmt::format("{}{}the sentence {}", place, place.empty() ? "" : ": ", quote(text));
  });
}

}  // namespace unroll
