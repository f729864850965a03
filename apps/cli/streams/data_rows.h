// Parts of tables about data: rows with a column for training and one for what is tested on, counts by name, notes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/data/data_report.h"

namespace unroll {

// Rows with a column for training, and one for what is tested on if there is any.
class DataRows {
 public:
  explicit DataRows(bool tests);

  void row(std::string_view name, const std::string& train, const std::string& test);
  void count(std::string_view name, std::int64_t train, std::int64_t test);
  void number(std::string_view name, double train, double test);
  void lengths(std::string_view unit, const LengthSummary& train, const LengthSummary& test);

  [[nodiscard]] bool tests() const noexcept { return tests_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  bool tests_;
  std::string text_;
};

struct NamedCount {
  std::string name;
  std::int64_t count = 0;
  std::int64_t test_count = 0;
};

// What is counted, and of how many.
struct CountedThings {
  std::string_view kind;    // "label"
  std::string_view things;  // "texts"
  std::int64_t all = 0;
  std::int64_t test_all = 0;  // 0: nothing is tested on
};

// The first 20 counts with their shares, and a line about the rest.
[[nodiscard]] std::string table_of_counts(const CountedThings& things, const std::vector<NamedCount>& counts);

// A blank line and a line for each note, with flags in place of fields; nothing without notes.
[[nodiscard]] std::string notes_table(const std::vector<std::string>& notes);

[[nodiscard]] nlohmann::ordered_json notes_json(const std::vector<std::string>& notes);
[[nodiscard]] nlohmann::ordered_json json_of(const LengthSummary& lengths);
[[nodiscard]] nlohmann::ordered_json json_of(const std::vector<EqualTexts>& examples);

}  // namespace unroll
