#include "train/optimizer.h"

#include <cmath>
#include <vector>

#include "kernels/arrays.h"

namespace unroll {
namespace {
constexpr std::int64_t kTile = 1 << 14;  // floats; part of the definition of gradient_norm's sum

std::span<float> tile_of(const Parameters& parameters, std::int64_t first, std::int64_t last) {
  return parameters.all().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

std::int64_t size_of(const Parameters& parameters) { return static_cast<std::int64_t>(parameters.all().size()); }
}  // namespace

double gradient_norm(Workers& workers, const Parameters& gradients) {
  const std::int64_t size = size_of(gradients);
  std::vector<double> sums(static_cast<std::size_t>((size + kTile - 1) / kTile));
  workers.run_ranges(size, kTile, [&](std::int64_t first, std::int64_t last) {
    sums[static_cast<std::size_t>(first / kTile)] = sum_of_squares(tile_of(gradients, first, last));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

Moments::Moments(Optimizer optimizer, const NetworkConfig& config) {
  switch (optimizer) {
    case Optimizer::kSgd:
      return;
    case Optimizer::kAdam:
      m.emplace(config);
      v.emplace(config);
      return;
  }
}

void Moments::set_zero() {
  if (m) m->set_zero();
  if (v) v->set_zero();
}

void update_parameters(Workers& workers, const Parameters& gradients, double scale, double rate, std::int64_t step,
                       Moments& moments, Parameters& parameters) {
  AdamStep adam{.scale = static_cast<float>(scale), .rate = static_cast<float>(rate)};
  const auto steps = static_cast<double>(step);
  adam.correction1 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(adam.beta1), steps)));
  adam.correction2 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(adam.beta2), steps)));
  workers.run_ranges(size_of(parameters), kTile, [&](std::int64_t first, std::int64_t last) {
    const std::span<float> w = tile_of(parameters, first, last);
    const std::span<const float> g = tile_of(gradients, first, last);
    if (moments.m) {
      adam_update(w, g, tile_of(*moments.m, first, last), tile_of(*moments.v, first, last), adam);
    } else {
      sgd_update(w, g, adam.scale, adam.rate);
    }
  });
}

}  // namespace unroll
