// What reading research works with.
#include <fmt/core.h>

#include "cli/dialects/dialect.h"
#include "cli/dialects/word_row.h"
#include "cli/streams/shown_token.h"

namespace unroll {
namespace {

std::string surprisal_bits(const TokenScore& token) {
  return token.counted ? fmt::format("{}", in_base(-token.log_prob, LogBase::k2)) : "NA";
}

}  // namespace

std::string surprisal_lines(const DialectContext& context, const ScoredLine& line) {
  std::string text;
  std::int64_t token_id = 0;
  for (const TokenScore& token : line.score.tokens) {
    text += fmt::format("{}\t{}\t{}\t{}\n", line.number, ++token_id, shown_token(context.tokenizer, token.id),
                        surprisal_bits(token));
  }
  return text;
}

std::string word_lines(const DialectContext&, const ScoredLine& line) {
  std::string text;
  WordRow row{.word = {}, .sentence = line.number - 1};
  for (const TokenScore& token : line.score.tokens) {
    row.word = token.text;
    row.log_prob = token.counted ? std::optional(token.log_prob) : std::nullopt;
    row.entropy = token.given ? std::nullopt : std::optional(token.entropy);
    text += word_row(row) + '\n';
    row.entropy_before = row.entropy;
    ++row.position;
  }
  return text;
}

}  // namespace unroll
