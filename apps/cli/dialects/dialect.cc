#include "cli/dialects/dialect.h"

#include <array>
#include <string>
#include <vector>

#include "cli/dialects/word_row.h"
#include "cli/flags/flags.h"

namespace unroll {
namespace {

constexpr std::array kDialects{
    Dialect{.name = "plain",
            .comments = true,
            .tokens = false,
            .columns = "log_prob tokens text (tab-separated)",
            .line = plain_line},
    Dialect{.name = "tokens",
            .comments = true,
            .ranks = true,
            .columns = "log_prob rank entropy token (tab-separated; an empty line ends each line's rows)",
            .line = token_lines},
    Dialect{.name = "json", .unit = "log base: e (nats)", .ranks = true, .line = json_object},
    Dialect{.name = "surprisal",
            .unit = "surprisal: -log2 p (bits)",
            .title = "sentence_id\ttoken_id\ttoken\tsurprisal",
            .line = surprisal_lines},
    Dialect{.name = "words",
            .unit = "surp: -log2 p (bits); entropy: of the prediction (bits); entred: max(0, what it fell by)",
            .ranks = true,
            .of_words = true,
            .title = kWordColumns,
            .line = word_lines},
    Dialect{.name = "srilm",
            .unit = "log base: 10",
            .leaves_out_blank = true,
            .line = srilm_block,
            .summary = srilm_summary},
    Dialect{.name = "kenlm", .unit = "log base: 10", .line = kenlm_line, .summary = kenlm_summary},
    Dialect{.name = "rnnlm", .unit = "log base: 10", .tokens = false, .line = rnnlm_line},
    Dialect{.name = "kaldi", .unit = "log base: e (nats)", .ids = true, .line = kaldi_line},
};

}  // namespace

std::span<const Dialect> dialects() { return kDialects; }

const Dialect& parse_dialect(std::string_view name) {
  std::vector<std::string> names;
  for (const Dialect& dialect : kDialects) names.emplace_back(dialect.name);
  return kDialects.at(parse_choice(std::string(name), names));
}

ScoreTotals& ScoreTotals::operator+=(const ScoreTotals& next) {
  lines += next.lines;
  tokens += next.tokens;
  unknown_tokens += next.unknown_tokens;
  bad += next.bad;
  loss += next.loss;
  return *this;
}

ScoreTotals totals_of_line(const DialectContext& context, const Score& score) {
  ScoreTotals line{.lines = 1,
                   .tokens = score.length,
                   .unknown_tokens = score.unknown_tokens,
                   .loss = {.nats = -score.log_prob, .tokens = score.predictions}};
  for (const TokenScore& token : score.tokens) {
    if (token.id != context.tokenizer.unknown() || !token.counted) continue;
    line.loss.unknown_nats -= token.log_prob;
    ++line.loss.unknown;
  }
  return line;
}

double added_nats(const TokenScore& token) noexcept { return token.counted ? token.log_prob : 0; }

bool has_end(const DialectContext& context, const Score& score) {
  return context.accounting.end && !score.tokens.empty();
}

}  // namespace unroll
