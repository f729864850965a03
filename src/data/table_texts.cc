#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/column_number.h"
#include "data/table.h"
#include "data/table_columns.h"
#include "data/text_collector.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

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

TextColumns find_columns(const LabelledTextOptions& options, const std::vector<std::string>& first_row,
                         const std::string& where) {
  const bool header = has_header(options);
  TextColumns columns;
  for (const auto& [field, name] : needed_columns(options)) {
    const std::size_t place = place_of_column(field, name, first_row, where, header);
    if (field == "text_column") columns.text = place;
    if (field == "label_column") columns.label = place;
    if (field == "weight_column") columns.weight = place;
  }
  if (!options.labels_needed && !options.label_column.empty()) {
    const std::vector<std::size_t> places = places_of_column(options.label_column, first_row, header);
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
