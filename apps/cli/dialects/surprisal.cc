// What reading research works with.
#include <fmt/core.h>

#include <algorithm>

#include "cli/dialects/dialect.h"
#include "cli/escaped.h"

namespace unroll {
namespace {

std::string surprisal_bits(const TokenScore& token) {
  return token.counted ? fmt::format("{}", in_base(-token.log_prob, LogBase::k2)) : "NA";
}

// Characters of UTF-8; of other bytes those that cannot continue one.
std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80; });
}

}  // namespace

std::string surprisal_lines(const DialectContext&, const ScoredLine& line) {
  std::string text;
  std::int64_t token_id = 0;
  for (const TokenScore& token : line.score.tokens) {
    text += fmt::format("{}\t{}\t{}\t{}\n", line.number, ++token_id, escaped(token.text), surprisal_bits(token));
  }
  return text;
}

std::string word_lines(const DialectContext&, const ScoredLine& line) {
  std::string text;
  std::int64_t position = 0;
  double entropy_before = 0;
  for (const TokenScore& token : line.score.tokens) {
    const double entropy = in_base(token.entropy, LogBase::k2);
    text += fmt::format("{} {} {} {} {} {} {}\n", escaped_field(token.text), line.number - 1, position,
                        characters(token.text), surprisal_bits(token), entropy,
                        position == 0 ? 0.0 : std::max(0.0, entropy_before - entropy));
    entropy_before = entropy;
    ++position;
  }
  return text;
}

}  // namespace unroll
