#include "cli/score_text.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <numbers>

#include "cli/json_text.h"

namespace unroll {
namespace {

// Adding zero turns a negative zero into a plain one.
double in_base(double nats, LogBase base) {
  switch (base) {
    case LogBase::kE:
      return nats + 0.0;
    case LogBase::k2:
      return nats / std::numbers::ln2 + 0.0;
    case LogBase::k10:
      return nats / std::numbers::ln10 + 0.0;
  }
  return nats;
}

std::string_view base_words(LogBase base) {
  switch (base) {
    case LogBase::kE:
      return "e (nats)";
    case LogBase::k2:
      return "2 (bits)";
    case LogBase::k10:
      return "10";
  }
  return "";
}

std::string as_json(const Score& score, const std::string& line) {
  nlohmann::ordered_json object;
  put_text(&object, line);
  object["log_base"] = "e";
  object["log_prob"] = score.log_prob + 0.0;
  object["unknown_tokens"] = score.unknown_tokens;
  nlohmann::ordered_json& tokens = object["tokens"] = nlohmann::ordered_json::array();
  for (const TokenScore& token : score.tokens) {
    nlohmann::ordered_json entry;
    put_text(&entry, token.text);
    entry["log_prob"] = token.log_prob + 0.0;
    entry["rank"] = token.rank;
    entry["entropy"] = token.entropy;
    entry["offset"] = token.offset;
    tokens.push_back(std::move(entry));
  }
  return json_line(object);
}

std::string as_token_rows(const ScoreFormat& format, const Score& score) {
  std::string text;
  for (const TokenScore& token : score.tokens) {
    text += fmt::format("{}\t{}\t{}\t{}\n", in_base(token.log_prob, format.base), token.rank,
                        in_base(token.entropy, format.base), escaped(token.text));
  }
  return text + '\n';
}

}  // namespace

std::string escaped(std::string_view token) {
  std::string text;
  for (const char byte : token) {
    switch (byte) {
      case '\\':
        text += "\\\\";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\0':
        text += "\\0";
        break;
      default:
        text += byte;
    }
  }
  return text;
}

std::string format_header(const ScoreFormat& format, const ScorerOptions& options, const Model& model) {
  if (format.json) return "";
  const Tokenizer& tokenizer = model.tokenizer();
  const std::string boundary = escaped(tokenizer.symbol(tokenizer.boundary()));
  std::string text = fmt::format(
      "# policy: state {}; begin {} (read, not scored); end {}; unknown {}; precision {}\n",
      state_policy_name(options.state), boundary, options.end ? boundary + " (scored)" : std::string("not scored"),
      tokenizer.unknown() < 0 ? "none" : "scored as <unk>", precision_name(model.precision()));
  if (const std::string words = describe(options.adaptation); !words.empty()) {
    text += fmt::format("# adaptation: {}; over all lines, in order\n", words);
  }
  text += fmt::format("# log base: {}\n", base_words(format.base));
  text += format.tokens
              ? "# columns: log_prob rank entropy token (tab-separated; an empty line ends each line's rows)\n"
              : "# columns: log_prob tokens text (tab-separated)\n";
  return text;
}

std::string format_score(const ScoreFormat& format, const Score& score, const std::string& line) {
  if (format.json) return as_json(score, line);
  if (format.tokens) return as_token_rows(format, score);
  return fmt::format("{}\t{}\t{}\n", in_base(score.log_prob, format.base), score.predictions, line);
}

}  // namespace unroll
