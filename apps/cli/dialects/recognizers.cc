// What speech recognizers rescore with: rnnlm and Kaldi.
#include <fmt/core.h>

#include "cli/dialects/dialect.h"

namespace unroll {

std::string rnnlm_line(const DialectContext&, const ScoredLine& line) {
  return fmt::format("{}\n", in_base(line.score.log_prob, LogBase::k10));
}

std::string kaldi_line(const DialectContext&, const ScoredLine& line) {
  std::string text(line.id);
  for (const TokenScore& token : line.score.tokens) text += fmt::format(" {}", in_base(added_nats(token), LogBase::kE));
  return text + '\n';
}

}  // namespace unroll
