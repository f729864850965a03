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

std::vector<Score> score_sentences(Scorer& scorer, std::span<const std::string> sentences) {
  try {
    return scorer.score(sentences);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    for (const std::string& sentence : sentences) {
      try {
        static_cast<void>(scorer.score(sentence));
      } catch (const Error& reason) {
        throw Error(reason.code(), fmt::format("the sentence {}: {}", quote(sentence), reason.what()));
      }
    }
    throw;
  }
}

}  // namespace unroll
