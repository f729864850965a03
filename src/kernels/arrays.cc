#include "kernels/arrays.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "kernels/processor.h"
#include "kernels/unrolled.h"

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

void add_scaled_kernel(float factor, const float* x, float* y, std::size_t size) {
  const V scale = hn::Set(F(), factor);
  for_each_vector(size, [&](auto io, std::size_t j)
                            HWY_ATTR { io.store(hn::MulAdd(scale, io.load(x + j), io.load(y + j)), y + j); });
}

double dot_kernel(const float* x, const float* y, std::size_t size) {
  VD low = hn::Zero(D());
  VD high = hn::Zero(D());
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V v = io.load(x + j);  // lanes past the end load as zero
    const V w = io.load(y + j);
    low = hn::MulAdd(low_half(v), low_half(w), low);
    high = hn::MulAdd(high_half(v), high_half(w), high);
  });
  return hn::GetLane(hn::SumOfLanes(D(), hn::Add(low, high)));
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

// Sums eight vectors of columns at once: uses whole cache lines of a row before the next row.
HWY_INLINE void add_sums_of_eight(const float* x, std::size_t rows, std::size_t stride, float* sums) {
  constexpr std::size_t kVectors = 8;
  const std::size_t lanes = hn::Lanes(F());
  V totals[kVectors];
  for (V& total : totals) total = hn::Zero(F());
  for (std::size_t r = 0; r < rows; ++r) {
    const float* const row = x + r * stride;
    UNROLLED(8)
    for (std::size_t v = 0; v < kVectors; ++v) totals[v] = hn::Add(totals[v], hn::LoadU(F(), row + v * lanes));
  }
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Add(hn::LoadU(F(), sums + v * lanes), totals[v]), F(), sums + v * lanes);
  }
}

void add_column_sums_kernel(const float* x, std::size_t rows, std::size_t cols, std::size_t stride, float* sums) {
  const std::size_t eight = 8 * hn::Lanes(F());
  std::size_t done = 0;
  for (; done + eight <= cols; done += eight) add_sums_of_eight(x + done, rows, stride, sums + done);
  for_each_vector(cols - done, [&](auto io, std::size_t j) HWY_ATTR {
    V total = hn::Zero(F());
    for (std::size_t r = 0; r < rows; ++r) total = hn::Add(total, io.load(x + r * stride + done + j));
    io.store(hn::Add(io.load(sums + done + j), total), sums + done + j);
  });
}

void sgd_kernel(float* w, const float* g, std::size_t size, const SgdStep& step) {
  const V scale = hn::Set(F(), step.scale);
  const V rate = hn::Set(F(), step.rate);
  const V decay = hn::Set(F(), step.weight_decay);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V weight = io.load(w + j);
    const V direction = hn::MulAdd(decay, weight, hn::Mul(scale, io.load(g + j)));
    io.store(hn::NegMulAdd(rate, direction, weight), w + j);
  });
}

void dynamic_kernel(float* w, const float* w0, const float* g, std::size_t size, float rate, float decay) {
  const V by = hn::Set(F(), rate);
  const V back = hn::Set(F(), decay);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V weight = io.load(w + j);
    const V pulled = hn::MulAdd(back, hn::Sub(io.load(w0 + j), weight), weight);
    io.store(hn::NegMulAdd(by, io.load(g + j), pulled), w + j);
  });
}

void momentum_kernel(float* w, const float* g, float* v, std::size_t size, const SgdStep& step) {
  const V scale = hn::Set(F(), step.scale);
  const V rate = hn::Set(F(), step.rate);
  const V momentum = hn::Set(F(), step.momentum);
  const V decay = hn::Set(F(), step.weight_decay);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V weight = io.load(w + j);
    const V velocity = hn::MulAdd(momentum, io.load(v + j), hn::Mul(scale, io.load(g + j)));
    io.store(velocity, v + j);
    io.store(hn::NegMulAdd(rate, hn::MulAdd(decay, weight, velocity), weight), w + j);
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
  const V decay = hn::Set(f, step.rate * step.weight_decay);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V gradient = hn::Mul(scale, io.load(g + j));
    const V mean = hn::MulAdd(beta1, io.load(m + j), hn::Mul(rest1, gradient));
    const V square = hn::MulAdd(beta2, io.load(v + j), hn::Mul(rest2, hn::Mul(gradient, gradient)));
    const V divisor = hn::Add(hn::Sqrt(hn::Mul(square, correction2)), epsilon);
    io.store(mean, m + j);
    io.store(square, v + j);
    const V weight = io.load(w + j);
    io.store(hn::Sub(weight, hn::MulAdd(decay, weight, hn::Div(hn::Mul(rate1, mean), divisor))), w + j);
  });
}

void move_kernel(const float* x, float* y, std::size_t size, float share) {
  const V s = hn::Set(F(), share);
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR {
    const V before = io.load(y + j);
    io.store(hn::MulAdd(s, hn::Sub(io.load(x + j), before), before), y + j);
  });
}

using U = hn::RebindToUnsigned<F>;
using VU = hn::Vec<U>;

// The two halves of the 64-bit products of all lanes with one factor.
struct WideProduct {
  VU high;
  VU low;
};

HWY_INLINE WideProduct multiply_wide(VU x, VU factor) {
  const hn::Repartition<std::uint64_t, U> wide;
  const auto even = hn::MulEven(x, factor);
  const auto odd = hn::MulEven(hn::BitCast(U(), hn::ShiftRight<32>(hn::BitCast(wide, x))), factor);
  return {hn::OddEven(hn::BitCast(U(), odd), hn::BitCast(U(), hn::ShiftRight<32>(even))), hn::Mul(x, factor)};
}

// Philox4x32-10 as in base/philox.cc, for one counter (base, block + lane) per lane; words[4 i + w] is word w of lane
// i.
HWY_INLINE void philox_blocks(const std::uint32_t* base, std::uint32_t block, std::uint64_t seed,
                              std::uint32_t* words) {
  const U u;
  VU c0 = hn::Set(u, base[0]);
  VU c1 = hn::Set(u, base[1]);
  VU c2 = hn::Set(u, base[2]);
  VU c3 = hn::Add(hn::Set(u, block), hn::Iota(u, 0));
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const WideProduct p0 = multiply_wide(c0, hn::Set(u, 0xD2511F53U));
    const WideProduct p1 = multiply_wide(c2, hn::Set(u, 0xCD9E8D57U));
    c0 = hn::Xor(hn::Xor(p1.high, c1), hn::Set(u, key0));
    c1 = p1.low;
    c2 = hn::Xor(hn::Xor(p0.high, c3), hn::Set(u, key1));
    c3 = p0.low;
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  hn::StoreInterleaved4(c0, c1, c2, c3, u, words);
}

void drop_kernel(const float* x, float* y, std::size_t size, const std::uint32_t* base, std::uint64_t seed,
                 std::uint32_t threshold, float factor) {
  const U u;
  const std::size_t lanes = hn::Lanes(u);
  HWY_ALIGN std::uint32_t words[4 * HWY_MAX_BYTES / sizeof(std::uint32_t)];
  const V scale = hn::Set(F(), factor);
  // Every target has a signed comparison: both sides are shifted by half the range.
  const hn::RebindToSigned<F> i;
  const auto flip = hn::Set(i, std::numeric_limits<std::int32_t>::min());
  const auto limit = hn::Xor(hn::BitCast(i, hn::Set(u, threshold)), flip);
  for (std::size_t first = 0; first < size; first += 4 * lanes) {
    philox_blocks(base, static_cast<std::uint32_t>(first / 4), seed, words);
    for_each_vector(std::min(4 * lanes, size - first), [&](auto io, std::size_t j) HWY_ATTR {
      const auto word = hn::Xor(hn::BitCast(i, hn::Load(u, words + j)), flip);
      const V kept = hn::Mul(io.load(x + first + j), scale);
      io.store(hn::IfThenZeroElse(hn::RebindMask(F(), hn::Gt(limit, word)), kept), y + first + j);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(add_kernel);
HWY_EXPORT(add_scaled_kernel);
HWY_EXPORT(dot_kernel);
HWY_EXPORT(sum_of_squares_kernel);
HWY_EXPORT(add_column_sums_kernel);
HWY_EXPORT(sgd_kernel);
HWY_EXPORT(dynamic_kernel);
HWY_EXPORT(momentum_kernel);
HWY_EXPORT(adam_kernel);
HWY_EXPORT(move_kernel);
HWY_EXPORT(drop_kernel);

void add(std::span<const float> x, std::span<float> y) {
  assert(x.size() == y.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(add_kernel)(x.data(), y.data(), x.size());
}

void add_scaled(float factor, std::span<const float> x, std::span<float> y) {
  assert(x.size() == y.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(add_scaled_kernel)(factor, x.data(), y.data(), x.size());
}

double dot(std::span<const float> x, std::span<const float> y) {
  assert(x.size() == y.size());
  prepare_processor();
  return HWY_DYNAMIC_DISPATCH(dot_kernel)(x.data(), y.data(), x.size());
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

void sgd_update(std::span<float> w, std::span<const float> g, const SgdStep& step) {
  assert(w.size() == g.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(sgd_kernel)(w.data(), g.data(), w.size(), step);
}

void dynamic_update(std::span<float> w, std::span<const float> w0, std::span<const float> g, float rate, float decay) {
  assert(w.size() == g.size() && w.size() == w0.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(dynamic_kernel)(w.data(), w0.data(), g.data(), w.size(), rate, decay);
}

void momentum_update(std::span<float> w, std::span<const float> g, std::span<float> v, const SgdStep& step) {
  assert(w.size() == g.size() && w.size() == v.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(momentum_kernel)(w.data(), g.data(), v.data(), w.size(), step);
}

void adam_update(std::span<float> w, std::span<const float> g, std::span<float> m, std::span<float> v,
                 const AdamStep& step) {
  assert(w.size() == g.size() && w.size() == m.size() && w.size() == v.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(adam_kernel)(w.data(), g.data(), m.data(), v.data(), w.size(), step);
}

void move_towards(std::span<const float> x, std::span<float> y, float share) {
  assert(x.size() == y.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(move_kernel)(x.data(), y.data(), x.size(), share);
}

void drop_units(std::span<const float> x, std::span<float> y, const std::array<std::uint32_t, 3>& counter,
                std::uint64_t seed, std::uint32_t threshold, float factor) {
  assert(x.size() == y.size());
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(drop_kernel)(x.data(), y.data(), x.size(), counter.data(), seed, threshold, factor);
}

}  // namespace unroll
#endif
