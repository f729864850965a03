// Our own forms.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/dialects/dialect.h"
#include "cli/streams/escaped.h"
#include "json/answers.h"
#include "json/json_text.h"

namespace unroll {

std::string plain_line(const DialectContext& context, const ScoredLine& line) {
  return fmt::format("{}\t{}\t{}\n", in_base(line.score.log_prob, context.base), line.score.predictions, line.text);
}

std::string token_lines(const DialectContext& context, const ScoredLine& line) {
  std::string text;
  for (const TokenScore& token : line.score.tokens) {
    if (token.given) {
      text += fmt::format("NA\tNA\tNA\t{}\n", escaped(token.text));
      continue;
    }
    text += token.counted ? fmt::format("{}", in_base(token.log_prob, context.base)) : "NA";
    text += fmt::format("\t{}\t{}\t{}\n", token.rank, in_base(token.entropy, context.base), escaped(token.text));
  }
  return text + '\n';
}

std::string json_object(const DialectContext&, const ScoredLine& line) {
  return json_line(score_json(std::string(line.text), line.score));
}

}  // namespace unroll
