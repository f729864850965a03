// Gathers sequences of numbers as the readers of the formats find them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "unroll/data/dense.h"

namespace unroll {

// What a file holds.
struct DenseFileShape {
  std::int64_t D = 0;
  std::vector<std::string> inputs = {};   // as in DenseData
  std::vector<std::string> outputs = {};  // as in DenseData
  bool has_targets = false;
  bool all_bytes = false;
};

class DenseCollector {
 public:
  explicit DenseCollector(const DenseOptions& options) : options_(options) {
    found_.target_per_step = options.target_per_step;
  }

  [[nodiscard]] const DenseOptions& options() const noexcept { return options_; }

  // The sequences that are added next stand in this file. Throws Error{kInput} if the files before it have other
  // numbers or names of inputs and targets.
  void begin_file(const std::string& path, DenseFileShape shape);

  // Adds a number to the sequence that end_sequence() will end. Throws Error{kInput} beginning with place() unless it
  // is finite as a float.
  template <class Place>
  void add(double value, const Place& place) {
    const auto rounded = static_cast<float>(value);
    if (!is_finite(rounded)) refuse(place(), value);
    found_.values.push_back(rounded);
  }
  // Adds a target.
  template <class Place>
  void add_target(double value, const Place& place) {
    if (!is_finite(static_cast<float>(value))) refuse(place(), value);
    found_.numbers.push_back(value);
  }
  void add_label(const std::string& label);

  // Numbers that were added to the sequence so far.
  [[nodiscard]] std::int64_t pending() const noexcept;
  // Ends a sequence, which holds at least one step, whole ones only; `line` as in DenseData::line_of.
  void end_sequence(std::int64_t line);

  // All that was found. Call once. Throws Error{kInput} if there is no sequence.
  [[nodiscard]] DenseData finish();

 private:
  static bool is_finite(float value) noexcept;
  [[noreturn]] static void refuse(const std::string& place, double value);

  const DenseOptions& options_;
  DenseData found_;
  bool has_targets_ = false;
  std::unordered_map<std::string, std::int32_t> numbers_;  // of labels, in the order of their first occurrence
};

// Readers of the formats. Each adds the sequences of a file; errors are those of read_dense().
void read_dense_table(const std::string& path, DenseFormat format, DenseCollector& collector);
// `target_path` may be empty.
void read_dense_array(const std::string& path, DenseFormat format, const std::string& target_path,
                      DenseCollector& collector);

}  // namespace unroll
