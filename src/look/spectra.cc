#include "look/spectra.h"

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

// No direction that a matrix might have by design.
std::vector<double> some_vector(std::int64_t n) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(std::cos(1.7 * static_cast<double>(i + 1)) + 0.3);
  return v;
}

double normalize(std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  const double norm = std::sqrt(sum);
  if (norm > 0) {
    for (double& x : v) x /= norm;
  }
  return norm;
}

std::vector<double> times(const SquareMatrix& m, const std::vector<double>& v) {
  std::vector<double> y(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double* const row = m.values.data() + i * v.size();
    double sum = 0;
    for (std::size_t j = 0; j < v.size(); ++j) sum += row[j] * v[j];
    y[i] = sum;
  }
  return y;
}

std::vector<double> transposed_times(const SquareMatrix& m, const std::vector<double>& v) {
  std::vector<double> y(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double* const row = m.values.data() + i * v.size();
    for (std::size_t j = 0; j < v.size(); ++j) y[j] += row[j] * v[i];
  }
  return y;
}

}  // namespace

double largest_singular_value(const SquareMatrix& matrix) {
  constexpr int kMost = 300;
  constexpr double kSettled = 1e-12;
  std::vector<double> v = some_vector(matrix.n);
  normalize(v);
  double value = 0;
  for (int round = 0; round < kMost; ++round) {
    std::vector<double> forth = times(matrix, v);
    const double now = normalize(forth);
    v = transposed_times(matrix, forth);
    normalize(v);
    if (std::fabs(now - value) <= kSettled * now) return now;
    value = now;
  }
  return value;
}

double spectral_radius(const SquareMatrix& matrix) {
  constexpr int kProducts = 1000;
  std::vector<double> v = some_vector(matrix.n);
  normalize(v);
  double sum = 0;
  for (int product = 0; product < kProducts; ++product) {
    v = times(matrix, v);
    const double growth = normalize(v);
    if (growth == 0) return 0;
    if (product >= kProducts / 2) sum += std::log(growth);
  }
  return std::exp(sum / (kProducts - kProducts / 2));
}

}  // namespace unroll
