#include "label/dense_examples.h"

#include <vector>

namespace unroll {
namespace {

// Rows [first, last) of a matrix.
template <class T>
std::span<const T> rows_of(const std::vector<T>& values, std::int64_t first, std::int64_t last, std::size_t columns) {
  return std::span(values).subspan(static_cast<std::size_t>(first) * columns,
                                   static_cast<std::size_t>(last - first) * columns);
}

}  // namespace

Examples dense_examples(const DenseData& data, std::span<const std::size_t> sequences, const DenseScaling& inputs,
                        const DenseScaling& outputs) {
  Examples examples;
  examples.are_whole = true;
  for (const std::size_t i : sequences) {
    const std::int64_t first = data.starts[i];
    const std::int64_t last = data.starts[i + 1];
    const std::span<const float> values = rows_of(data.values, first, last, static_cast<std::size_t>(data.D));
    examples.numbers.insert(examples.numbers.end(), values.begin(), values.end());
    examples.starts.push_back(examples.steps() + last - first);
    const std::int64_t place = static_cast<std::int64_t>(i);
    const std::int64_t first_target = data.target_per_step ? first : place;
    const std::int64_t last_target = data.target_per_step ? last : place + 1;
    if (!data.label_of.empty()) {
      const std::span<const std::int32_t> labels = rows_of(data.label_of, first_target, last_target, 1);
      examples.labels.insert(examples.labels.end(), labels.begin(), labels.end());
    }
    if (!data.numbers.empty()) {
      const std::span<const double> numbers = rows_of(data.numbers, first_target, last_target, data.outputs.size());
      const std::vector<float> wanted = scaled_targets(outputs, numbers);
      examples.wanted.insert(examples.wanted.end(), wanted.begin(), wanted.end());
    }
  }
  scale_inputs(inputs, examples.numbers);
  return examples;
}

}  // namespace unroll
