// Rows of tables between commas or tabs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/text_file.h"

namespace unroll {

// Reads a file row by row, as TextFormat::kCsv and kTsv say. Other formats are not tables.
class TableReader {
 public:
  TableReader(const TextFile& file, TextFormat format) : file_(file), format_(format) {}

  // Reads the next row. Returns false at the end. Throws Error{kInput} for a quote that never closes, naming where it
  // opens, and for characters between a closing quote and the next comma.
  bool next(std::vector<std::string>& fields);

  // Of the row that was read last: the line on which it begins, from 1, its first byte, and whether it is a blank line.
  [[nodiscard]] std::int64_t line() const noexcept { return line_; }
  [[nodiscard]] std::size_t at() const noexcept { return row_; }
  [[nodiscard]] bool blank() const noexcept { return blank_; }

  // In a table between tabs: the line of the last field that begins with a quote which nothing closes; 0: none.
  [[nodiscard]] std::int64_t open_quote_line() const noexcept { return open_quote_line_; }

 private:
  void read_comma_field(std::string& field);
  void read_tab_field(std::string& field);
  void read_quoted(std::string& field);
  [[nodiscard]] bool at_line_end() const noexcept;
  void take_line_end() noexcept;

  const TextFile& file_;
  TextFormat format_;
  std::size_t next_ = 0;  // the first byte that is not read yet
  std::int64_t next_line_ = 1;
  std::size_t row_ = 0;
  std::int64_t line_ = 0;
  bool blank_ = false;
  std::int64_t open_quote_line_ = 0;
};

}  // namespace unroll
