// Columns of a table that are given by name or by number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The places, from 0, of the columns called `name`: by number, from 1, or by the fields of the first row, if that is a
// `header`.
[[nodiscard]] std::vector<std::size_t> places_of_column(const std::string& name,
                                                        const std::vector<std::string>& first_row, bool header);

// The place of a column that must exist. Throws Error{kInput} beginning with `where`, and naming the field of the
// options, if none or several are called so.
[[nodiscard]] std::size_t place_of_column(std::string_view field, const std::string& name,
                                          const std::vector<std::string>& first_row, const std::string& where,
                                          bool header);

}  // namespace unroll
