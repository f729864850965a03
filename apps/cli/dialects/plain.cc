// Our own forms.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/dialects/dialect.h"
#include "cli/streams/escaped.h"
#include "cli/streams/json_text.h"

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
  nlohmann::ordered_json object;
  put_text(&object, std::string(line.text));
  object["log_base"] = "e";
  object["log_prob"] = line.score.log_prob + 0.0;
  object["unknown_tokens"] = line.score.unknown_tokens;
  nlohmann::ordered_json& tokens = object["tokens"] = nlohmann::ordered_json::array();
  for (const TokenScore& token : line.score.tokens) {
    nlohmann::ordered_json entry;
    put_text(&entry, token.text);
    entry["log_prob"] = nullptr;
    if (token.counted) entry["log_prob"] = token.log_prob + 0.0;
    entry["rank"] = nullptr;
    entry["entropy"] = nullptr;
    if (!token.given) entry["rank"] = token.rank;
    if (!token.given) entry["entropy"] = token.entropy;
    entry["offset"] = token.offset;
    tokens.push_back(std::move(entry));
  }
  return json_line(object);
}

}  // namespace unroll
