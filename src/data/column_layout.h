// How words and tags stand in a file of columns: what its options and first lines say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/data/columns.h"

namespace unroll {

// A line of a file, without its line end.
struct ColumnLine {
  std::string_view bytes;
  std::int64_t number = 0;  // from 1
};

// Where a column stands in a line: the bytes [first, first + size), without blanks around it.
struct ColumnPlace {
  std::size_t first = 0;
  std::size_t size = 0;

  [[nodiscard]] std::string_view of(std::string_view line) const noexcept { return line.substr(first, size); }
};

// The columns of a line, between tabs or between blanks.
void split_columns(std::string_view line, bool tabs, std::vector<ColumnPlace>& columns);

struct ColumnLayout {
  ColumnFormat format = ColumnFormat::kColumns;
  bool tabs = false;                  // kColumns, kConllu: between columns there are tabs
  std::size_t columns = 0;            // of the first line of a word
  std::int64_t first_line = 0;        // the number of that line
  bool equal_lines = false;           // other lines have as many
  std::size_t word = 0;               // place of its column, from 0
  std::size_t tag = 0;                // the same; `columns`: it is new
  bool underscore_is_no_tag = false;  // "_" in that column is no tag

  [[nodiscard]] bool tag_is_new() const noexcept { return tag == columns; }
};

// Whether a line holds nothing but white space; whether its first column is "-DOCSTART-".
[[nodiscard]] bool is_blank(std::string_view line) noexcept;
[[nodiscard]] bool is_document_start(std::string_view line) noexcept;

// Whether a column is an id of a word, a range or an empty node of CoNLL-U: 1, 1-2, 1.1.
enum class ConlluId { kNone, kWord, kOther };
[[nodiscard]] ConlluId conllu_id(std::string_view column) noexcept;

// Throws Error{kUsage} for options that no file can satisfy.
void check(const ColumnOptions& options);

// How many lines find_format() looks at.
inline constexpr std::size_t kLinesToLookAt = 20;

// The format of a file whose first lines are these: comments and -DOCSTART- aside, up to a blank line.
[[nodiscard]] ColumnFormat find_format(const std::string& path, const ColumnOptions& options,
                                       std::span<const std::string> lines, bool after_document_start);

// The layout of a file in this format; `line` is its first line, comments and -DOCSTART- aside, and messages call the
// file `name`. Throws Error{kUsage} for names of columns of another format, and where word and tag are one column;
// Error{kInput} for a line with too few columns.
[[nodiscard]] ColumnLayout layout_of(ColumnFormat format, const ColumnOptions& options, const std::string& name,
                                     const ColumnLine& line);

// "3", or in kConllu "upos": a column, from 0, as options and messages name it.
[[nodiscard]] std::string column_title(ColumnFormat format, std::size_t column);

// Throws Error{kInput}: "'train.txt', line 3, column 5: what".
[[noreturn]] void refuse_column(const std::string& name, const ColumnLine& line, std::size_t at,
                                const std::string& what);

}  // namespace unroll
