#include "kernels/arrays.h"

#include <algorithm>
#include <cassert>

#include "base/philox.h"
#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/arrays.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

using D = hn::Repartition<double, F>;
using VD = hn::Vec<D>;

HWY_INLINE VD low_half(V v) { return hn::PromoteTo(D(), hn::LowerHalf(hn::Half<F>(), v)); }
HWY_INLINE VD high_half(V v) { return hn::PromoteTo(D(), hn::UpperHalf(hn::Half<F>(), v)); }

void add_kernel(const float* x, float* y, std::size_t size) {
  for_each_vector(size,
                  [&](auto io, std::size_t j) HWY_ATTR { io.store(hn::Add(io.load(y + j), io.load(x + j)), y + j); });
}

double sum_of_squares_kernel(const float* x, std::size_t size) {
  VD low = hn::Zero(D());
  VD high = hn::Zero(D());
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V v = io.load(x + j);  // lanes past the end load as zero
    low = hn::MulAdd(low_half(v), low_half(v), low);
    high = hn::MulAdd(high_half(v), high_half(v), high);
  });
  return hn::GetLane(hn::SumOfLanes(D(), hn::Add(low, high)));
}

void add_column_sums_kernel(const float* x, std::size_t rows, std::size_t cols, std::size_t stride, float* sums) {
  for_each_vector(cols, [&](auto io, std::size_t j) HWY_ATTR {
    VD low = hn::Zero(D());
    VD high = hn::Zero(D());
    for (std::size_t r = 0; r < rows; ++r) {
      const V v = io.load(x + r * stride + j);
      low = hn::Add(low, low_half(v));
      high = hn::Add(high, high_half(v));
    }
    const hn::Half<F> half;
    const V sum = hn::Combine(F(), hn::DemoteTo(half, high), hn::DemoteTo(half, low));
    io.store(hn::Add(io.load(sums + j), sum), sums + j);
  });
}

void sgd_kernel(float* w, const float* g, std::size_t size, float scale, float rate) {
  const V s = hn::Set(F(), scale);
  const V r = hn::Set(F(), rate);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    io.store(hn::NegMulAdd(r, hn::Mul(s, io.load(g + j)), io.load(w + j)), w + j);
  });
}

void adam_kernel(float* w, const float* g, float* m, float* v, std::size_t size, const AdamStep& step) {
  const F f;
  const V scale = hn::Set(f, step.scale);
  const V beta1 = hn::Set(f, step.beta1);
  const V beta2 = hn::Set(f, step.beta2);
  const V rest1 = hn::Set(f, 1.0F - step.beta1);
  const V rest2 = hn::Set(f, 1.0F - step.beta2);
  const V epsilon = hn::Set(f, step.epsilon);
  const V rate1 = hn::Set(f, step.rate * step.correction1);
  const V correction2 = hn::Set(f, step.correction2);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V gradient = hn::Mul(scale, io.load(g + j));
    const V mean = hn::MulAdd(beta1, io.load(m + j), hn::Mul(rest1, gradient));
    const V square = hn::MulAdd(beta2, io.load(v + j), hn::Mul(rest2, hn::Mul(gradient, gradient)));
    const V divisor = hn::Add(hn::Sqrt(hn::Mul(square, correction2)), epsilon);
    io.store(mean, m + j);
    io.store(square, v + j);
    io.store(hn::Sub(io.load(w + j), hn::Div(hn::Mul(rate1, mean), divisor)), w + j);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(add_kernel);
HWY_EXPORT(sum_of_squares_kernel);
HWY_EXPORT(add_column_sums_kernel);
HWY_EXPORT(sgd_kernel);
HWY_EXPORT(adam_kernel);

void add(std::span<const float> x, std::span<float> y) {
  assert(x.size() == y.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(add_kernel)(x.data(), y.data(), x.size());
}

double sum_of_squares(std::span<const float> x) {
  prepare_processor();
  return HWY_DYNAMIC_DISPATCH(sum_of_squares_kernel)(x.data(), x.size());
}

void add_column_sums(MatView<const float> x, std::span<float> sums) {
  assert(static_cast<std::int64_t>(sums.size()) == x.cols);
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(add_column_sums_kernel)
  (x.data, static_cast<std::size_t>(x.rows), static_cast<std::size_t>(x.cols), static_cast<std::size_t>(x.stride),
   sums.data());
}

void sgd_update(std::span<float> w, std::span<const float> g, float scale, float rate) {
  assert(w.size() == g.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(sgd_kernel)(w.data(), g.data(), w.size(), scale, rate);
}

void adam_update(std::span<float> w, std::span<const float> g, std::span<float> m, std::span<float> v,
                 const AdamStep& step) {
  assert(w.size() == g.size() && w.size() == m.size() && w.size() == v.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(adam_kernel)(w.data(), g.data(), m.data(), v.data(), w.size(), step);
}

void drop_units(std::span<const float> x, std::span<float> y, const std::array<std::uint32_t, 3>& counter,
                std::uint64_t seed, std::uint32_t threshold, float factor) {
  assert(x.size() == y.size());
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (std::size_t first = 0; first < x.size(); first += 4) {
    const auto words = philox4x32({counter[0], counter[1], counter[2], static_cast<std::uint32_t>(first / 4)}, key);
    for (std::size_t u = first; u < std::min(first + 4, x.size()); ++u) {
      y[u] = words[u - first] >= threshold ? x[u] * factor : 0.0F;
    }
  }
}

}  // namespace unroll
#endif
