#include "cli/streams/escaped.h"

namespace unroll {
namespace {

// The letter that stands for `byte` behind a backslash; 0 where it stands for itself.
char letter_of(char byte) noexcept {
  switch (byte) {
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

char field_letter_of(char byte) noexcept {
  switch (byte) {
    case ' ':
      return 's';
    case '\v':
      return 'v';
    case '\f':
      return 'f';
    default:
      return letter_of(byte);
  }
}

std::string escaped_by(std::string_view token, char (*letter_for)(char)) {
  std::string text;
  for (const char byte : token) {
    const char letter = letter_for(byte);
    if (letter != 0) text += '\\';
    text += letter != 0 ? letter : byte;
  }
  return text;
}

}  // namespace

std::string escaped(std::string_view token) { return escaped_by(token, letter_of); }

std::string escaped_field(std::string_view token) { return escaped_by(token, field_letter_of); }

}  // namespace unroll
