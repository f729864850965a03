// Minimises a smooth convex function of many numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace unroll {

// Returns f(x) and sets `gradient` to its gradient there.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct LbfgsOptions {
  std::int64_t pairs = 10;         // of steps and changes of the gradient that are remembered
  std::int64_t iterations = 1000;  // at most
  double gradient = 1e-5;          // ends where no component is greater,
  double decrease = 1e-9;          // or where a step lowers f by no more than this times the greater of |f| and 1
};

struct LbfgsResult {
  double value = 0;
  std::int64_t iterations = 0;
  bool converged = false;  // else iterations ran out
};

// Limited-memory BFGS: steps in the direction -H g, where H approximates the inverse Hessian by the last pairs,
// shortened until f falls enough (Armijo's condition; along any step the gradient of a convex function does not fall).
// Sets x, which is where it begins, to the minimum. The sums run in the order of components: the bits depend on `f`
// alone.
//
// Source: Nocedal & Wright 2006, "Numerical Optimization", algorithms 7.4 and 7.5.
LbfgsResult minimize(const SmoothFunction& f, std::span<double> x, const LbfgsOptions& options = {});

}  // namespace unroll
