#include "probe/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace unroll {
namespace {

using Numbers = std::vector<double>;

double dot_product(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add_multiple(double factor, const Numbers& x, Numbers& y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += factor * x[i];
}

double greatest_magnitude(const Numbers& x) {
  double most = 0;
  for (const double value : x) most = std::max(most, std::abs(value));
  return most;
}

// A step s, and the change y of the gradient over it.
struct StepPair {
  Numbers s;
  Numbers y;
  double product = 0;  // s . y
};

// -H g.
Numbers direction_of(const std::deque<StepPair>& pairs, const Numbers& gradient) {
  Numbers d = gradient;
  Numbers alphas(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alphas[i] = dot_product(pairs[i].s, d) / pairs[i].product;
    add_multiple(-alphas[i], pairs[i].y, d);
  }
  // Without a pair the first step has length 1 at most.
  const double scale = pairs.empty() ? 1 / std::max(1.0, std::sqrt(dot_product(gradient, gradient)))
                                     : pairs.back().product / dot_product(pairs.back().y, pairs.back().y);
  for (double& value : d) value *= scale;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = dot_product(pairs[i].y, d) / pairs[i].product;
    add_multiple(alphas[i] - beta, pairs[i].s, d);
  }
  for (double& value : d) value = -value;
  return d;
}

// A point of f.
struct FunctionPoint {
  Numbers x;
  Numbers gradient;
  double value = 0;
};

// The first point along d from `from` where f falls enough; none if no step is short enough for that.
std::optional<FunctionPoint> step_along(const SmoothFunction& f, const FunctionPoint& from, const Numbers& d) {
  constexpr int kMostTries = 30;
  constexpr double kEnough = 1e-4;
  const double slope = dot_product(from.gradient, d);
  if (!(slope < 0)) return std::nullopt;
  double length = 1;
  for (int i = 0; i < kMostTries; ++i) {
    FunctionPoint to{.x = from.x, .gradient = Numbers(from.x.size())};
    add_multiple(length, d, to.x);
    to.value = f(to.x, to.gradient);
    if (to.value <= from.value + kEnough * length * slope) return to;
    // Where the parabola through both values with this slope is least, within a tenth to a half.
    const double rise = to.value - from.value - length * slope;
    const double vertex = std::isfinite(rise) ? -slope * length / (2 * rise) : 0;
    length *= std::clamp(vertex, 0.1, 0.5);
  }
  return std::nullopt;
}

}  // namespace

LbfgsResult minimize(const SmoothFunction& f, std::span<double> x, const LbfgsOptions& options) {
  FunctionPoint at{.x = Numbers(x.begin(), x.end()), .gradient = Numbers(x.size())};
  at.value = f(at.x, at.gradient);
  std::deque<StepPair> pairs;
  LbfgsResult result;
  for (; !result.converged && result.iterations < options.iterations; ++result.iterations) {
    result.converged = greatest_magnitude(at.gradient) <= options.gradient;
    if (result.converged) break;
    std::optional<FunctionPoint> next = step_along(f, at, direction_of(pairs, at.gradient));
    if (!next) {
      // As low as the rounding of f lets it be, unless the pairs mislead.
      result.converged = pairs.empty();
      pairs.clear();
      continue;
    }
    result.converged = at.value - next->value <= options.decrease * std::max(1.0, std::abs(at.value));
    StepPair pair{.s = next->x, .y = next->gradient};
    add_multiple(-1, at.x, pair.s);
    add_multiple(-1, at.gradient, pair.y);
    pair.product = dot_product(pair.s, pair.y);
    at = std::move(*next);
    if (!(pair.product > 0)) continue;
    if (std::ssize(pairs) == options.pairs) pairs.pop_front();
    pairs.push_back(std::move(pair));
  }
  std::ranges::copy(at.x, x.begin());
  result.value = at.value;
  return result;
}

}  // namespace unroll
