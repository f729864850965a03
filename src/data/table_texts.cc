#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "data/column_number.h"
#include "data/table.h"
#include "data/text_collector.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::size_t kMostNamedColumns = 20;

// Where in a row the parts of a text stand, from 0.
struct TextColumns {
  std::size_t text = 0;
  std::optional<std::size_t> label;
  std::optional<std::size_t> weight;
};

// The columns that a table must have: the field of the options, and its value.
std::vector<std::pair<std::string_view, std::string>> needed_columns(const LabelledTextOptions& options) {
  std::vector<std::pair<std::string_view, std::string>> columns{{"text_column", options.text_column}};
  if (options.labels_needed) columns.emplace_back("label_column", options.label_column);
  if (!options.weight_column.empty()) columns.emplace_back("weight_column", options.weight_column);
  return columns;
}

bool has_header(const LabelledTextOptions& options) {
  return !std::ranges::all_of(needed_columns(options),
                              [](const auto& column) { return column_number(column.second).has_value(); });
}

std::string names_of(const std::vector<std::string>& row) {
  std::string names;
  for (std::size_t i = 0; i < std::min(row.size(), kMostNamedColumns); ++i) {
    names += (i == 0 ? "" : ", ") + quote(row[i]);
  }
  if (row.size() > kMostNamedColumns) names += fmt::format(" and {} more", row.size() - kMostNamedColumns);
  return names;
}

// Columns whose separator is another than the format's are one.
std::string_view advice_on_separator(const std::vector<std::string>& row) {
  if (row.size() > 1) return "";
  if (row[0].find('\t') != std::string::npos) return "; there are tabs in it: `format` tsv reads columns between tabs";
  if (row[0].find(';') != std::string::npos) return "; there are semicolons in it: expected columns between commas";
  if (row[0].find(',') != std::string::npos)
    return "; there are commas in it: `format` csv reads columns between commas";
  return "";
}

std::vector<std::size_t> places_of(const std::string& name, const std::vector<std::string>& first_row, bool header) {
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

// The place of a column that must exist.
std::size_t place_of(std::string_view field, const std::string& name, const std::vector<std::string>& first_row,
                     const std::string& where, bool header) {
  const std::vector<std::size_t> places = places_of(name, first_row, header);
  if (places.size() == 1) return places.front();
  if (places.size() > 1) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {} columns are called {}: give the number of one (`{}`)", where,
                                               places.size(), quote(name), field));
  }
  const std::string found = header ? fmt::format("the first row has {}", names_of(first_row))
                                   : fmt::format("the first row has {} columns", first_row.size());
  throw Error(ErrorCode::kInput,
              fmt::format("{}: there is no column {} (`{}`): {}{}{}", where, quote(name), field, found,
                          header ? "; columns of a table without a row of names are given by their numbers" : "",
                          advice_on_separator(first_row)),
              std::string(field));
}

TextColumns find_columns(const LabelledTextOptions& options, const std::vector<std::string>& first_row,
                         const std::string& where) {
  const bool header = has_header(options);
  TextColumns columns;
  for (const auto& [field, name] : needed_columns(options)) {
    const std::size_t place = place_of(field, name, first_row, where, header);
    if (field == "text_column") columns.text = place;
    if (field == "label_column") columns.label = place;
    if (field == "weight_column") columns.weight = place;
  }
  if (!options.labels_needed) {
    const std::vector<std::size_t> places = places_of(options.label_column, first_row, header);
    if (places.size() == 1 && places[0] != columns.text) columns.label = places.front();
  }
  if (columns.label == columns.text || columns.weight == columns.text ||
      (columns.weight && columns.weight == columns.label)) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: `text_column`, `label_column` and `weight_column` are not three "
                                               "different columns",
                                               where));
  }
  return columns;
}

void expect_width(const TableReader& table, const std::vector<std::string>& row, std::size_t width,
                  const std::string& path, TextFormat format) {
  if (row.size() == width) return;
  std::string advice = "a text with commas is put in quotes";
  if (format == TextFormat::kTsv) advice = "a text holds no tabs and no line ends";
  if (format == TextFormat::kTsv && table.open_quote_line() != 0) {
    advice = fmt::format("line {} opens a quote that the line does not close; texts with line ends are written as csv",
                         table.open_quote_line());
  }
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {} column{}, expected {} as in the first row: {}", line_place(path, table.line()),
                          row.size(), row.size() == 1 ? "" : "s", width, advice));
}

void add_row(const std::vector<std::string>& row, const TextColumns& columns, std::int64_t line,
             const std::string& path, TextCollector& collector) {
  if (columns.label) collector.labels_in(row[*columns.label], line);
  const double weight = columns.weight ? weight_of(row[*columns.weight], line_place(path, line)) : 1;
  collector.add(row[columns.text], weight, line);
}

}  // namespace

void read_table(const TextFile& file, TextFormat format, TextCollector& collector) {
  const LabelledTextOptions& options = collector.options();
  TableReader table(file, format);
  std::vector<std::string> row;
  std::optional<TextColumns> columns;
  std::size_t width = 0;
  while (table.next(row)) {
    const bool blank_text = table.blank() && columns && width == 1 && !options.labels_needed;
    if (table.blank() && !blank_text) {
      collector.skip_blank_line();
      continue;
    }
    const bool first = !columns;
    if (first) {
      columns = find_columns(options, row, line_place(file.path(), table.line()));
      width = row.size();
    }
    if (first && has_header(options)) continue;
    expect_width(table, row, width, file.path(), format);
    add_row(row, *columns, table.line(), file.path(), collector);
  }
}

}  // namespace unroll
