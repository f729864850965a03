#include "data/table_columns.h"

#include <fmt/core.h>

#include <string_view>

#include "base/quote.h"
#include "data/column_number.h"
#include "data/message_parts.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Columns whose separator is another than the format's are one.
std::string_view advice_on_separator(const std::vector<std::string>& row) {
  if (row.size() > 1) return "";
  if (row[0].find('\t') != std::string::npos) return "; there are tabs in it: `format` tsv reads columns between tabs";
  if (row[0].find(';') != std::string::npos) return "; there are semicolons in it: expected columns between commas";
  if (row[0].find(',') != std::string::npos)
    return "; there are commas in it: `format` csv reads columns between commas";
  return "";
}

}  // namespace

std::vector<std::size_t> places_of_column(const std::string& name, const std::vector<std::string>& first_row,
                                          bool header) {
  std::vector<std::size_t> places;
  if (const auto number = column_number(name)) {
    if (*number <= first_row.size()) places.push_back(*number - 1);
    return places;
  }
  for (std::size_t i = 0; header && i < first_row.size(); ++i) {
    if (trimmed(first_row[i]) == name) places.push_back(i);
  }
  return places;
}

std::size_t place_of_column(std::string_view field, const std::string& name, const std::vector<std::string>& first_row,
                            const std::string& where, bool header) {
  const std::vector<std::size_t> places = places_of_column(name, first_row, header);
  if (places.size() == 1) return places.front();
  if (places.size() > 1) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {} columns are called {}: give the number of one (`{}`)", where,
                                               places.size(), quote(name), field));
  }
  const std::string found = header ? fmt::format("the first row has {}", quoted_list(first_row))
                                   : fmt::format("the first row has {} columns", first_row.size());
  throw Error(ErrorCode::kInput,
              fmt::format("{}: there is no column {} (`{}`): {}{}{}", where, quote(name), field, found,
                          header ? "; columns of a table without a row of names are given by their numbers" : "",
                          advice_on_separator(first_row)),
              std::string(field));
}

}  // namespace unroll
