// The order of labels, and their numbers in another list of labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// Sorts by value if all are whole numbers, as people read labels such as 1 to 10; else by their bytes.
void sort_labels(std::vector<std::string>& labels);

struct LabelNumbers {
  std::vector<std::string> labels;    // the other list, and after it the labels that it lacks
  std::vector<std::int32_t> numbers;  // where in `labels` each label stands now
};

// Finds each of `names` in `labels`, in linear time. No list has a label twice.
[[nodiscard]] LabelNumbers label_numbers(std::span<const std::string> names, std::span<const std::string> labels);

}  // namespace unroll
