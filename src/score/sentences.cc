#include "score/sentences.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {

std::vector<Score> score_sentences(Scorer& scorer, std::span<const PlacedSentence> sentences) {
  std::vector<std::string> texts;
  texts.reserve(sentences.size());
  for (const PlacedSentence& sentence : sentences) texts.push_back(sentence.text);
  try {
    return scorer.score(texts);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    for (const auto& [text, place] : sentences) {
      try {
        static_cast<void>(scorer.score(text));
      } catch (const Error& reason) {
        // The scorer counts it as a line, which it is not.
        constexpr std::string_view kItsLine = "line 1: ";
        std::string_view why = reason.what();
        if (why.starts_with(kItsLine)) why.remove_prefix(kItsLine.size());
        throw Error(reason.code(),
                    fmt::format("{}{}the sentence {}: {}", place, place.empty() ? "" : ": ", quote(text), why));
      }
    }
    throw;
  }
}

}  // namespace unroll
