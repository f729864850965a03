#include "base/quote.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::size_t kMostBytes = 80;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escaped(std::string& out, const Character& character) {
  constexpr std::string_view kLetters = "\"\"\\\\\bb\ff\nn\rr\tt";  // each character, then its escape
  for (std::size_t i = 0; i < kLetters.size(); i += 2) {
    if (static_cast<char32_t>(kLetters[i]) != character.value) continue;
    out += '\\';
    out += kLetters[i + 1];
    return;
  }
  out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.value));
}

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  std::size_t shown = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (shown + character.bytes > kMostBytes) break;
    if (!character.well_formed) {
      out += kReplacement;
    } else if (is_printable(character) && character.value != '"' && character.value != '\\') {
      out += text.substr(0, character.bytes);
    } else {
      append_escaped(out, character);
    }
    text.remove_prefix(character.bytes);
    shown += character.bytes;
  }
  if (!text.empty()) out += "...";
  return out + "\"";
}

}  // namespace unroll
