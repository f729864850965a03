#include "kernels/softmax.h"

#include <cassert>
#include <cmath>

#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

using D = hn::Repartition<double, F>;
using VD = hn::Vec<D>;

// Sums floats in double: two vectors of running sums, one for each half of a float vector.
struct DoubleSum {
  VD low;
  VD high;

  // Explicit, since an implicit constructor would not be compiled for the target.
  HWY_INLINE DoubleSum() : low(hn::Zero(D())), high(hn::Zero(D())) {}
  HWY_INLINE void add(V v) {
    const hn::Half<F> half;
    low = hn::Add(low, hn::PromoteTo(D(), hn::LowerHalf(half, v)));
    high = hn::Add(high, hn::PromoteTo(D(), hn::UpperHalf(half, v)));
  }
  HWY_INLINE double total() const { return hn::GetLane(hn::SumOfLanes(D(), hn::Add(low, high))); }
};

// Lanes past the end of a row do not count: they are never the largest, and their exponential is set to zero.
HWY_INLINE V lowest_past_end(WholeVector, V v) { return v; }
HWY_INLINE V lowest_past_end(PartOfVector io, V v) {
  const F f;
  return hn::IfThenElse(hn::FirstN(f, io.count), v, hn::Set(f, hwy::LowestValue<float>()));
}

float largest_kernel(const float* x, std::size_t size) {
  V most = hn::Set(F(), hwy::LowestValue<float>());
  for_each_vector(size,
                  [&](auto io, std::size_t j) HWY_ATTR { most = hn::Max(most, lowest_past_end(io, io.load(x + j))); });
  return hn::GetLane(hn::MaxOfLanes(F(), most));
}

// Returns the sum of e^(x - most); stores the exponentials in `e` unless it is null.
double sum_of_exponentials_kernel(const float* x, std::size_t size, float most, float* e) {
  DoubleSum sum;
  const V shift = hn::Set(F(), most);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V value = exp_of(hn::Sub(io.load(x + j), shift));
    sum.add(zero_past_end(io, value));
    if (e != nullptr) io.store(value, e + j);
  });
  return sum.total();
}

void scale_kernel(float* x, std::size_t size, float factor) {
  const V by = hn::Set(F(), factor);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR { io.store(hn::Mul(io.load(x + j), by), x + j); });
}

// Returns the sum of e^(x - most) (x - most), and the number of x larger than `than`.
void entropy_and_rank_kernel(const float* x, std::size_t size, float most, float than, double* weighted,
                             std::int64_t* larger) {
  DoubleSum sum;
  const V shift = hn::Set(F(), most);
  const V limit = hn::Set(F(), than);
  std::size_t count = 0;
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V value = io.load(x + j);
    const V below = hn::Sub(value, shift);
    sum.add(zero_past_end(io, hn::Mul(exp_of(below), below)));
    count += hn::CountTrue(F(), hn::Gt(lowest_past_end(io, value), limit));
  });
  *weighted = sum.total();
  *larger = static_cast<std::int64_t>(count);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(largest_kernel);
HWY_EXPORT(sum_of_exponentials_kernel);
HWY_EXPORT(scale_kernel);
HWY_EXPORT(entropy_and_rank_kernel);

namespace {

struct Normalizer {
  float most = 0;  // largest logit
  double sum = 0;  // of e^(logit - most)
  double log_prob(float logit) const { return static_cast<double>(logit) - static_cast<double>(most) - std::log(sum); }
};

Normalizer normalize(std::span<const float> logits, float* exponentials) {
  prepare_processor();
  const float most = HWY_DYNAMIC_DISPATCH(largest_kernel)(logits.data(), logits.size());
  return {most, HWY_DYNAMIC_DISPATCH(sum_of_exponentials_kernel)(logits.data(), logits.size(), most, exponentials)};
}

}  // namespace

double log_softmax_at(std::span<const float> logits, std::int32_t target) {
  assert(target >= 0 && static_cast<std::size_t>(target) < logits.size());
  return normalize(logits, nullptr).log_prob(logits[static_cast<std::size_t>(target)]);
}

void log_softmax_at(std::span<const float> logits, std::span<const std::int32_t> targets, std::span<double> out) {
  assert(out.size() == targets.size());
  const Normalizer normalizer = normalize(logits, nullptr);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    out[i] = normalizer.log_prob(logits[static_cast<std::size_t>(targets[i])]);
  }
}

double log_softmax_and_gradient_at(std::span<float> logits, std::int32_t target, float scale) {
  assert(target >= 0 && static_cast<std::size_t>(target) < logits.size());
  const float logit = logits[static_cast<std::size_t>(target)];
  const Normalizer normalizer = normalize(logits, logits.data());
  HWY_DYNAMIC_DISPATCH(scale_kernel)
  (logits.data(), logits.size(), static_cast<float>(static_cast<double>(scale) / normalizer.sum));
  logits[static_cast<std::size_t>(target)] -= scale;
  return normalizer.log_prob(logit);
}

SymbolPrediction predict_symbol(std::span<const float> logits, std::int32_t target) {
  assert(target >= 0 && static_cast<std::size_t>(target) < logits.size());
  const float logit = logits[static_cast<std::size_t>(target)];
  const Normalizer normalizer = normalize(logits, nullptr);
  double weighted = 0;
  std::int64_t larger = 0;
  HWY_DYNAMIC_DISPATCH(entropy_and_rank_kernel)
  (logits.data(), logits.size(), normalizer.most, logit, &weighted, &larger);
  // -sum p ln p with ln p = (x - most) - ln sum.
  const double entropy = std::log(normalizer.sum) - weighted / normalizer.sum;
  return {.log_prob = normalizer.log_prob(logit), .entropy = entropy, .rank = larger + 1};
}

void log_softmax(std::span<const float> logits, std::span<double> out) {
  assert(out.size() == logits.size());
  const Normalizer normalizer = normalize(logits, nullptr);
  for (std::size_t v = 0; v < logits.size(); ++v) out[v] = normalizer.log_prob(logits[v]);
}

double log_sum_exp(std::span<const float> logits) {
  const Normalizer normalizer = normalize(logits, nullptr);
  return static_cast<double>(normalizer.most) + std::log(normalizer.sum);
}

void subtract(std::span<const float> x, double y, std::span<float> out) {
  assert(out.size() == x.size());
  for (std::size_t v = 0; v < x.size(); ++v) out[v] = static_cast<float>(static_cast<double>(x[v]) - y);
}

}  // namespace unroll
#endif
