#include "infer/line_tokens.h"

#include <fmt/format.h>

#include <cstdint>

#include "unroll/error.h"

namespace unroll {

std::vector<Token> line_tokens(const Tokenizer& tokenizer, const NamedText& line) {
  if (const std::size_t newline = line.text.find('\n'); newline != std::string_view::npos) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} has a line end at byte {}: score one line at a time", line.name, newline));
  }
  return tokenizer.encode_line(line);
}

std::vector<Token> line_tokens(const Tokenizer& tokenizer, const NamedText& line, std::size_t index) {
  try {
    return line_tokens(tokenizer, line);
  } catch (const Error& error) {
    throw error.at(static_cast<std::int64_t>(index));
  }
}

}  // namespace unroll
