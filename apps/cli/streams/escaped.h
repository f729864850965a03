// Tokens of any bytes in columns.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// A token as it stands in a column between tabs: backslash, tab, newline, carriage return and NUL are written \\ \t \n
// \r \0.
[[nodiscard]] std::string escaped(std::string_view token);

// A token as it stands in a field between blanks: escaped() with a space written \s, a vertical tab \v and a form feed
// \f besides, so that it is one field whatever it holds.
[[nodiscard]] std::string escaped_field(std::string_view token);

}  // namespace unroll
