// Numbers of labels in another list of labels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

struct LabelNumbers {
  std::vector<std::string> labels;    // the other list, and after it the labels that it lacks
  std::vector<std::int32_t> numbers;  // where in `labels` each label stands now
};

// Finds each of `names` in `labels`, in linear time. No list has a label twice.
[[nodiscard]] LabelNumbers label_numbers(std::span<const std::string> names, std::span<const std::string> labels);

}  // namespace unroll
