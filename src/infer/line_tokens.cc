#include "infer/line_tokens.h"

#include <fmt/format.h>

#include "model/strict_json.h"
#include "unroll/error.h"

namespace unroll {

std::vector<Token> line_tokens(const Tokenizer& tokenizer, std::string_view line, const std::string& name) {
  if (const std::size_t newline = line.find('\n'); newline != std::string_view::npos) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} has a line end at byte {}: score one line at a time", name, newline));
  }
  return tokenizer.encode_line(line, name);
}

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
