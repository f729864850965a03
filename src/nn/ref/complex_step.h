// Derivatives without backpropagation, and the distance between two gradients.
#pragma once

#include <cmath>
#include <complex>
#include <limits>
#include <span>
#include <vector>

namespace unroll::ref {

// df/dx_i = Im f(x + i h e_i) / h with h = 1e-100: the error is of order h^2 and nothing cancels, so the result is
// exact to double precision. `f` reads `point` and must be analytic there.
// Source: Squire & Trapp 1998, "Using complex variables to estimate derivatives of real functions".
template <class F>
std::vector<double> complex_step_gradient(std::span<std::complex<double>> point, F f) {
  constexpr double kStep = 1e-100;
  std::vector<double> gradient;
  gradient.reserve(point.size());
  for (std::complex<double>& x : point) {
    const std::complex<double> kept = x;
    x += std::complex<double>(0, kStep);
    gradient.push_back(f().imag() / kStep);
    x = kept;
  }
  return gradient;
}

// df/dx_i = (f(x + h e_i) - f(x - h e_i)) / 2h: for functions that are not analytic, away from their kinks.
template <class F>
std::vector<double> central_difference_gradient(std::span<double> point, double h, F f) {
  std::vector<double> gradient;
  gradient.reserve(point.size());
  for (double& x : point) {
    const double kept = x;
    x = kept + h;
    const double above = f();
    x = kept - h;
    gradient.push_back((above - f()) / (2 * h));
    x = kept;
  }
  return gradient;
}

// max |a - b| / max |b|. Infinite where sizes differ, where anything is not finite, or where b is zero and a is not.
template <class A>
double relative_error(std::span<const A> a, std::span<const double> b) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kInfinite;
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto value = static_cast<double>(a[i]);
    if (!std::isfinite(value) || !std::isfinite(b[i])) return kInfinite;
    difference = std::fmax(difference, std::fabs(value - b[i]));
    size = std::fmax(size, std::fabs(b[i]));
  }
  if (difference == 0) return 0;
  return size == 0 ? kInfinite : difference / size;
}

}  // namespace unroll::ref
