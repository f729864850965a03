#include "exchange/row_norms.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace unroll {
namespace {

double norm_of(std::span<const float> row, double p) {
  double sum = 0;
  for (const float number : row) {
    const double size = std::abs(double{number});
    sum = std::isinf(p) ? std::max(sum, size) : sum + std::pow(size, p);
  }
  return std::isinf(p) ? sum : std::pow(sum, 1 / p);
}

}  // namespace

std::int64_t shorten_rows(MatrixValue& matrix, double max_norm, double p) {
  constexpr double kNotZero = 1e-7;
  const auto cols = static_cast<std::size_t>(matrix.cols);
  std::int64_t shortened = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(matrix.rows); ++r) {
    const std::span<float> row = std::span(matrix.numbers).subspan(r * cols, cols);
    const double norm = norm_of(row, p);
    if (!(norm > max_norm)) continue;
    const auto scale = static_cast<float>(max_norm / (norm + kNotZero));
    for (float& number : row) number *= scale;
    ++shortened;
  }
  return shortened;
}

}  // namespace unroll
