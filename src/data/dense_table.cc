#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/quote.h"
#include "data/column_number.h"
#include "data/dense_collector.h"
#include "data/table.h"
#include "data/table_columns.h"
#include "text/number.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Row = std::vector<std::string>;

// Where in a row the parts of a step or of a sequence stand, from 0.
struct DenseColumns {
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> targets;
  std::optional<std::size_t> sequence;
  bool header = false;
};

bool is_name(const std::string& column) { return !column.empty() && !column_number(column); }
bool are_names(const std::vector<std::string>& columns) { return std::ranges::any_of(columns, is_name); }
bool is_number(const std::string& field) { return parse_number(trimmed(field)).has_value(); }

bool is_padding(const std::string& field) {
  const std::string_view text = trimmed(field);
  if (text.empty()) return true;
  const std::optional<double> value = parse_number(text);
  return value && std::isnan(*value);
}

// All columns but those of targets and the sequence.
std::vector<std::size_t> other_columns(std::size_t width, const DenseColumns& columns) {
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < width; ++i) {
    if (columns.sequence == i || std::ranges::find(columns.targets, i) != columns.targets.end()) continue;
    others.push_back(i);
  }
  return others;
}

class ColumnFinder {
 public:
  ColumnFinder(const DenseOptions& options, const Row& first_row, std::string where)
      : options_(options), row_(first_row), where_(std::move(where)) {}

  DenseColumns find() {
    columns_.header = are_names(options_.columns) || is_name(options_.sequence_column) || has_name_of_target();
    find_targets();
    if (!options_.sequence_column.empty()) columns_.sequence = place("sequence_column", options_.sequence_column);
    for (const std::string& name : options_.columns) columns_.inputs.push_back(place("columns", name));
    if (options_.columns.empty()) columns_.inputs = other_columns(row_.size(), columns_);
    if (!columns_.header) {
      columns_.header = std::ranges::none_of(columns_.inputs, [&](std::size_t i) { return is_number(row_[i]); });
    }
    expect_inputs();
    return columns_;
  }

 private:
  [[nodiscard]] std::size_t place(std::string_view field, const std::string& name) const {
    return place_of_column(field, name, row_, where_, columns_.header);
  }
  // Names of targets that a file need not have do not make its first row one of names.
  [[nodiscard]] bool has_name_of_target() const {
    return std::ranges::any_of(options_.target_columns, [&](const std::string& name) {
      return is_name(name) && (options_.targets_needed || !places_of_column(name, row_, true).empty());
    });
  }
  void find_targets() {
    const bool some = std::ranges::any_of(options_.target_columns, [&](const std::string& name) {
      return !places_of_column(name, row_, columns_.header).empty();
    });
    if (!some && !options_.targets_needed) return;
    for (const std::string& name : options_.target_columns) columns_.targets.push_back(place("target_columns", name));
  }
  void expect_inputs() const {
    std::vector<std::size_t> all = columns_.inputs;
    all.insert(all.end(), columns_.targets.begin(), columns_.targets.end());
    if (columns_.sequence) all.push_back(*columns_.sequence);
    std::ranges::sort(all);
    if (const auto twice = std::ranges::adjacent_find(all); twice != all.end()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{}: column {} is given twice among `columns`, `target_columns` and `sequence_column`",
                              where_, *twice + 1));
    }
    if (columns_.inputs.empty()) {
      throw Error(ErrorCode::kInput, fmt::format("{}: no column is left for inputs", where_));
    }
    if (!columns_.header || !options_.columns.empty()) return;
    for (const std::size_t i : columns_.inputs) {
      if (!trimmed(row_[i]).empty()) continue;
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: column {} has no name: if it counts the rows, name the columns that are inputs "
                              "(`columns`)",
                              where_, i + 1),
                  "columns");
    }
  }

  const DenseOptions& options_;
  const Row& row_;
  std::string where_;
  DenseColumns columns_;
};

class DenseTableReader {
 public:
  DenseTableReader(const TextFile& file, DenseFormat format, DenseCollector& collector)
      : file_(file),
        table_(file, format == DenseFormat::kTsv ? TextFormat::kTsv : TextFormat::kCsv),
        options_(collector.options()),
        collector_(collector) {}

  void read() {
    Row row;
    while (table_.next(row)) {
      if (table_.blank()) continue;
      const bool is_first = names_.empty();
      if (is_first) begin(row);
      if (is_first && columns_.header) continue;
      expect_width(row);
      if (columns_.sequence) {
        add_step(row);
      } else {
        add_sequence(row);
      }
    }
    if (collector_.pending() > 0) collector_.end_sequence(sequence_line_);
  }

 private:
  [[nodiscard]] std::string line() const { return line_place(file_.path(), table_.line()); }
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", line(), why));
  }
  // "'x.csv', line 3, column 4 ("temp")".
  [[nodiscard]] std::string field_place(std::size_t column) const {
    const std::string name = columns_.header ? fmt::format(" ({})", quote(names_[column])) : "";
    return fmt::format("{}, column {}{}", line(), column + 1, name);
  }

  // The names of columns; none where one of them has none, or two have the same.
  [[nodiscard]] std::vector<std::string> names_of(const std::vector<std::size_t>& columns) const {
    std::vector<std::string> names;
    std::unordered_set<std::string> seen;
    for (const std::size_t i : columns) {
      names.emplace_back(trimmed(names_[i]));
      if (!columns_.header || names.back().empty() || !seen.insert(names.back()).second) return {};
    }
    return names;
  }

  void begin(const Row& row) {
    names_ = row;
    columns_ = ColumnFinder(options_, row, line()).find();
    DenseFileShape shape{
        .D = columns_.sequence ? std::ssize(columns_.inputs) : std::max<std::int64_t>(1, options_.step),
        .has_targets = options_.target != DenseTarget::kNone && !columns_.targets.empty()};
    has_targets_ = shape.has_targets;
    if (columns_.sequence) shape.inputs = names_of(columns_.inputs);
    if (has_targets_ && options_.target == DenseTarget::kNumbers) {
      shape.outputs = names_of(columns_.targets);
      for (std::size_t k = shape.outputs.size(); k < columns_.targets.size(); ++k) {
        shape.outputs.push_back(fmt::format("{}", k + 1));
      }
    }
    collector_.begin_file(file_.path(), std::move(shape));
  }

  void expect_width(const Row& row) const {
    if (row.size() == names_.size()) return;
    refuse(fmt::format("{} column{}, expected {} as in the first row", row.size(), row.size() == 1 ? "" : "s",
                       names_.size()));
  }

  [[nodiscard]] double number(const Row& row, std::size_t column) const {
    const std::optional<double> value = parse_number(trimmed(row[column]));
    if (value) return *value;
    const bool empty = trimmed(row[column]).empty();
    throw Error(ErrorCode::kInput, fmt::format("{}: expected a number, found {}{}", field_place(column),
                                               quote(row[column]), empty ? "; fill or leave out what is missing" : ""));
  }
  void add_number(const Row& row, std::size_t column) {
    collector_.add(number(row, column), [&] { return field_place(column); });
  }
  void add_targets(const Row& row) {
    if (!has_targets_) return;
    for (const std::size_t column : columns_.targets) {
      if (options_.target == DenseTarget::kNumbers) {
        collector_.add_target(number(row, column), [&] { return field_place(column); });
        continue;
      }
      const std::string label(trimmed(row[column]));
      if (label.empty() || label.find_first_of("\r\n") != std::string::npos) {
        refuse(fmt::format("column {}: the label {} is empty or holds a line end", column + 1, quote(label)));
      }
      collector_.add_label(label);
    }
  }

  void add_sequence(const Row& row) {
    std::size_t count = columns_.inputs.size();
    while (count > 0 && is_padding(row[columns_.inputs[count - 1]])) --count;
    if (count == 0) refuse("a sequence without numbers");
    for (std::size_t i = 0; i < count; ++i) add_number(row, columns_.inputs[i]);
    if (options_.step > 0 && static_cast<std::int64_t>(count) % options_.step != 0) {
      refuse(fmt::format("{} numbers, which steps of {} do not divide (`step`)", count, options_.step));
    }
    add_targets(row);
    collector_.end_sequence(table_.line());
  }

  void add_step(const Row& row) {
    const std::string id(trimmed(row[*columns_.sequence]));
    const bool is_new = collector_.pending() == 0 || id != id_;
    if (is_new) begin_sequence(id, row);
    for (const std::size_t column : columns_.inputs) add_number(row, column);
    if (options_.target_per_step || is_new) {
      add_targets(row);
    } else {
      expect_same_targets(row);
    }
  }

  void begin_sequence(const std::string& id, const Row& row) {
    if (collector_.pending() > 0) collector_.end_sequence(sequence_line_);
    if (!seen_.insert(id).second) {
      refuse(fmt::format("the sequence {} goes on after another: sort the rows by it (`sequence_column`)", quote(id)));
    }
    id_ = id;
    sequence_line_ = table_.line();
    first_row_ = row;
  }

  void expect_same_targets(const Row& row) const {
    for (const std::size_t column : columns_.targets) {
      if (!has_targets_ || trimmed(row[column]) == trimmed(first_row_[column])) continue;
      refuse(
          fmt::format("the target of the sequence {} is {}, but {} in line {}: `target_per_step` learns one of each "
                      "row",
                      quote(id_), quote(row[column]), quote(first_row_[column]), sequence_line_));
    }
  }

  const TextFile& file_;
  TableReader table_;
  const DenseOptions& options_;
  DenseCollector& collector_;
  DenseColumns columns_;
  Row names_;  // the first row
  bool has_targets_ = false;
  std::unordered_set<std::string> seen_;  // sequences of this file
  std::string id_;                        // of the sequence that the next row may go on with
  std::int64_t sequence_line_ = 0;
  Row first_row_;  // of that sequence
};

}  // namespace

void read_dense_table(const std::string& path, DenseFormat format, DenseCollector& collector) {
  const TextFile file(path, TextEncoding::kUtf8);
  DenseTableReader(file, format, collector).read();
}

}  // namespace unroll
