// Gathers labelled texts as the readers of the formats find them, and numbers their labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text_file.h"
#include "unroll/data/labelled_texts.h"

namespace unroll {

class TextCollector {
 public:
  explicit TextCollector(const LabelledTextOptions& options) : options_(options) {}

  [[nodiscard]] const LabelledTextOptions& options() const noexcept { return options_; }

  // The texts that are added next stand in this file.
  void begin_file(const std::string& path);

  // Adds a label to the text that add() will add next. Throws Error{kInput}, naming `line` of the file: an empty label,
  // one with a line end in it.
  void label(std::string_view name, std::int64_t line);

  // Adds the labels in a cell: all of it, or with `multi_label` the parts between separators. A blank cell has none.
  void labels_in(std::string_view cell, std::int64_t line);

  // Adds a text. Throws Error{kInput} if it has not as many labels as the options want.
  void add(std::string text, double weight, std::int64_t line);

  // How many texts were added.
  [[nodiscard]] std::size_t texts() const noexcept { return found_.texts.size(); }

  // A line without a text was skipped.
  void skip_blank_line() noexcept { ++found_.blank_lines; }

  // All that was found, its labels in order. Call once.
  [[nodiscard]] LabelledTexts finish();

 private:
  [[noreturn]] void refuse(std::int64_t line, std::string_view why) const;

  const LabelledTextOptions& options_;
  LabelledTexts found_;
  std::unordered_map<std::string, std::int32_t> numbers_;  // of labels, in the order of their first occurrence
  std::vector<std::int32_t> pending_;                      // labels of the next text
};

// The weight in a cell, or of a JSON value. Throws Error{kInput} beginning with `place` unless it is finite and at
// least 0.
[[nodiscard]] double weight_of(std::string_view cell, const std::string& place);

// The first word of `line` from `at` on that begins with the prefix; npos: none.
[[nodiscard]] std::size_t find_label(std::string_view line, std::string_view prefix, std::size_t at) noexcept;

// Readers of the formats. Each adds the texts of one path; errors are those of read_labelled_texts().
void read_label_lines(const TextFile& file, TextCollector& collector);
void read_table(const TextFile& file, TextFormat format, TextCollector& collector);
void read_json_lines(const TextFile& file, TextCollector& collector);
void read_label_folders(const std::string& path, TextCollector& collector);
void read_label_files(const std::string& path, TextCollector& collector);

}  // namespace unroll
