// Text of files in output: nothing in it may act on a terminal, break a row, or make output that is not UTF-8.
//
// One rule: of a character that is not printable (unroll/character.h) each byte is written \xHH, with two lower-case
// hexadecimal digits. In rows the rule is reversible: a backslash is \\, and frequent bytes have letters.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// A token as it stands in a column between tabs: backslash, tab, newline, carriage return and NUL are \\ \t \n \r
// \0, other characters that are not printable \xHH. So what follows a backslash tells the bytes of the token.
[[nodiscard]] std::string escaped(std::string_view token);

// A token as it stands in a field between blanks: escaped() with a space written \s, a vertical tab \v and a form feed
// \f besides, so that it is one field whatever it holds.
[[nodiscard]] std::string escaped_field(std::string_view token);

// A line for people, such as a message: characters that are not printable, but for newlines, are \xHH.
[[nodiscard]] std::string visible(std::string_view text);

}  // namespace unroll
