#include "data/dense_scaling.h"

#include <cassert>
#include <cmath>

namespace unroll {
namespace {

constexpr double kByteFactor = 1.0 / 255.0;

struct ColumnStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;  // 0: does not vary
};

// Of a matrix whose row i has the columns [i * columns, (i + 1) * columns) of `values`, over the given ranges of rows:
// rows_of(i) is the range of sequence i. In two passes, so that large means lose no digits.
template <class T, class RowsOf>
ColumnStatistics statistics_of(std::span<const T> values, std::size_t columns, std::span<const std::size_t> sequences,
                               const RowsOf& rows_of) {
  ColumnStatistics result{.mean = std::vector<double>(columns), .deviation = std::vector<double>(columns)};
  double rows = 0;
  const auto for_each_row = [&](const auto& visit) {
    for (const std::size_t i : sequences) {
      const auto [first, last] = rows_of(i);
      for (std::size_t row = first; row < last; ++row) visit(values.subspan(row * columns, columns));
    }
  };
  for_each_row([&](std::span<const T> row) {
    ++rows;
    for (std::size_t c = 0; c < columns; ++c) result.mean[c] += static_cast<double>(row[c]);
  });
  if (rows == 0) return result;
  for (double& mean : result.mean) mean /= rows;
  for_each_row([&](std::span<const T> row) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double distance = static_cast<double>(row[c]) - result.mean[c];
      result.deviation[c] += distance * distance;
    }
  });
  for (double& deviation : result.deviation) {
    deviation = std::sqrt(deviation / rows);
    if (!std::isnormal(deviation) || !std::isnormal(1 / deviation)) deviation = 0;
  }
  return result;
}

std::pair<std::size_t, std::size_t> steps_of_sequence(const DenseData& data, std::size_t i) {
  return {static_cast<std::size_t>(data.starts[i]), static_cast<std::size_t>(data.starts[i + 1])};
}

}  // namespace

DenseScaling input_scaling(const DenseData& data, DenseScale scale, std::span<const std::size_t> sequences) {
  const auto D = static_cast<std::size_t>(data.D);
  if (scale == DenseScale::kNone) return {};
  if (scale == DenseScale::kBytes) return {std::vector<double>(D, 0.0), std::vector<double>(D, kByteFactor)};
  ColumnStatistics found = statistics_of(std::span<const float>(data.values), D, sequences,
                                         [&](std::size_t i) { return steps_of_sequence(data, i); });
  for (double& deviation : found.deviation) deviation = deviation == 0 ? 1 : 1 / deviation;
  return {std::move(found.mean), std::move(found.deviation)};
}

DenseScaling target_scaling(const DenseData& data, std::span<const std::size_t> sequences) {
  ColumnStatistics found = statistics_of(
      std::span<const double>(data.numbers), data.outputs.size(), sequences,
      [&](std::size_t i) { return data.target_per_step ? steps_of_sequence(data, i) : std::pair(i, i + 1); });
  for (double& deviation : found.deviation) deviation = deviation == 0 ? 1 : deviation;
  return {std::move(found.mean), std::move(found.deviation)};
}

void scale_inputs(const DenseScaling& scaling, std::span<float> values) {
  const std::size_t columns = scaling.shift.size();
  if (columns == 0) return;
  assert(values.size() % columns == 0);
  for (std::size_t i = 0; i < values.size(); i += columns) {
    for (std::size_t c = 0; c < columns; ++c) {
      values[i + c] = static_cast<float>((static_cast<double>(values[i + c]) - scaling.shift[c]) * scaling.factor[c]);
    }
  }
}

std::vector<float> scaled_targets(const DenseScaling& scaling, std::span<const double> numbers) {
  const std::size_t columns = scaling.shift.size();
  std::vector<float> scaled;
  scaled.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t c = columns == 0 ? 0 : i % columns;
    scaled.push_back(
        static_cast<float>(columns == 0 ? numbers[i] : (numbers[i] - scaling.shift[c]) / scaling.factor[c]));
  }
  return scaled;
}

}  // namespace unroll
