#include "cli/streams/shown_token.h"

#include <string_view>

#include "cli/streams/escaped.h"

namespace unroll {
namespace {

constexpr std::string_view kLowBlock = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kLowBlockEscaped = "\\xe2\\x96\\x81";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string shown_token(const Tokenizer& tokenizer, std::int32_t id) {
  std::string text = escaped(tokenizer.symbol(id));
  if (tokenizer.kind() != TokenizerKind::kSentencePiece) replace_all(text, kLowBlock, kLowBlockEscaped);
  replace_all(text, " ", kLowBlock);
  return text;
}

}  // namespace unroll
