#include "cli/streams/escaped.h"

#include <fmt/core.h>

#include "unroll/character.h"

namespace unroll {
namespace {

// The letter that stands for a character behind a backslash; 0 where there is none.
char letter_of(char32_t value) noexcept {
  switch (value) {
    case '\\':
      return '\\';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\0':
      return '0';
    default:
      return 0;
  }
}

char field_letter_of(char32_t value) noexcept {
  switch (value) {
    case ' ':
      return 's';
    case '\v':
      return 'v';
    case '\f':
      return 'f';
    default:
      return letter_of(value);
  }
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return text;
}

// `write` appends a character, given as such and as its bytes.
template <class F>
void for_each_character(std::string_view text, const F& write) {
  while (!text.empty()) {
    const Character character = first_character(text);
    write(character, text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
}

std::string escaped_by(std::string_view token, char (*letter_for)(char32_t)) {
  std::string text;
  for_each_character(token, [&](const Character& character, std::string_view bytes) {
    const char letter = letter_for(character.value);
    if (character.well_formed && letter != 0) {
      text += '\\';
      text += letter;
    } else if (is_printable(character)) {
      text += bytes;
    } else {
      text += hexadecimal(bytes);
    }
  });
  return text;
}

}  // namespace

std::string escaped(std::string_view token) { return escaped_by(token, letter_of); }

std::string escaped_field(std::string_view token) { return escaped_by(token, field_letter_of); }

std::string visible(std::string_view text) {
  std::string shown;
  for_each_character(text, [&](const Character& character, std::string_view bytes) {
    if (is_printable(character) || character.value == '\n') {
      shown += bytes;
    } else {
      shown += hexadecimal(bytes);
    }
  });
  return shown;
}

}  // namespace unroll
