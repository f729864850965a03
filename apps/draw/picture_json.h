// Pictures as the server answers them and the command prints them, and their numbers as CSV.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "draw/picture.h"

namespace unroll {

// {"title", "sentence", "svg", "table": {"columns", "rows"}, "facts"}.
[[nodiscard]] nlohmann::ordered_json picture_json(const Picture& picture);

// RFC 4180, but with lines that end in LF. A field that a spreadsheet would read as a formula is left as it is: it is a
// symbol of a text.
[[nodiscard]] std::string picture_csv(const PictureTable& table);

}  // namespace unroll
