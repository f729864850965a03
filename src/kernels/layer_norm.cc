#include "kernels/layer_norm.h"

#include <cassert>
#include <cmath>

#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

HWY_INLINE float total(V sum) { return hn::GetLane(hn::SumOfLanes(F(), sum)); }

// bias and normalized: null if not used. Returns the inverse deviation.
HWY_INLINE float normalize_block(std::size_t units, const float* z, const float* gain, const float* bias, float* y,
                                 float* normalized) {
  const auto count = static_cast<float>(units);
  V sum = hn::Zero(F());
  for_each_vector(units, [&](auto io, std::size_t j) HWY_ATTR { sum = hn::Add(sum, io.load(z + j)); });
  const V mean = hn::Set(F(), total(sum) / count);
  V squares = hn::Zero(F());
  for_each_vector(units, [&](auto io, std::size_t j) HWY_ATTR {
    const V difference = zero_past_end(io, hn::Sub(io.load(z + j), mean));
    squares = hn::MulAdd(difference, difference, squares);
  });
  const float inverse = 1 / std::sqrt(total(squares) / count + static_cast<float>(kNormEpsilon));
  const V scale = hn::Set(F(), inverse);
  for_each_vector(units, [&](auto io, std::size_t j) HWY_ATTR {
    const V n = hn::Mul(hn::Sub(io.load(z + j), mean), scale);
    const V g = io.load(gain + j);
    if (normalized != nullptr) io.store(n, normalized + j);
    io.store(bias == nullptr ? hn::Mul(g, n) : hn::MulAdd(g, n, io.load(bias + j)), y + j);
  });
  return inverse;
}

// normalized: n in, dz out.
HWY_INLINE void normalize_block_back(std::size_t units, const float* dy, const float* gain, float inverse,
                                     float* normalized, float* dgain) {
  const auto count = static_cast<float>(units);
  V sum = hn::Zero(F());
  V sum_with_n = hn::Zero(F());
  for_each_vector(units, [&](auto io, std::size_t j) HWY_ATTR {
    const V n = io.load(normalized + j);
    const V d = io.load(dy + j);
    const V dn = hn::Mul(io.load(gain + j), d);
    sum = hn::Add(sum, dn);
    sum_with_n = hn::MulAdd(dn, n, sum_with_n);
    io.store(hn::MulAdd(d, n, io.load(dgain + j)), dgain + j);
  });
  const V mean = hn::Set(F(), total(sum) / count);
  const V mean_with_n = hn::Set(F(), total(sum_with_n) / count);
  const V scale = hn::Set(F(), inverse);
  for_each_vector(units, [&](auto io, std::size_t j) HWY_ATTR {
    const V dn = hn::Mul(io.load(gain + j), io.load(dy + j));
    const V left = hn::NegMulAdd(io.load(normalized + j), mean_with_n, hn::Sub(dn, mean));
    io.store(hn::Mul(scale, left), normalized + j);
  });
}

void layer_norm_forward_kernel(std::int64_t units, const std::uint8_t* reset, MatView<const float> z, const float* gain,
                               const float* bias, MatView<float> y, const NormTape& tape) {
  const std::int64_t blocks = z.cols / units;
  for (std::int64_t row = 0; row < z.rows; ++row) {
    if (reset != nullptr && reset[row] != 0) continue;
    float* const normalized = tape.normalized.data == nullptr ? nullptr : tape.normalized.row(row);
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t at = block * units;
      const float inverse = normalize_block(static_cast<std::size_t>(units), z.row(row) + at, gain + at,
                                            bias == nullptr ? nullptr : bias + at, y.row(row) + at,
                                            normalized == nullptr ? nullptr : normalized + at);
      if (tape.inverse.data != nullptr) tape.inverse(row, block) = inverse;
    }
  }
}

void layer_norm_backward_kernel(std::int64_t units, const std::uint8_t* reset, MatView<const float> dy,
                                const float* gain, const NormTape& tape, MatView<float> dgain) {
  const std::int64_t blocks = dy.cols / units;
  for (std::int64_t row = 0; row < dy.rows; ++row) {
    float* const normalized = tape.normalized.row(row);
    if (reset != nullptr && reset[row] != 0) {
      const V zero = hn::Zero(F());
      for_each_vector(static_cast<std::size_t>(dy.cols),
                      [&](auto io, std::size_t j) HWY_ATTR { io.store(zero, normalized + j); });
      continue;
    }
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t at = block * units;
      normalize_block_back(static_cast<std::size_t>(units), dy.row(row) + at, gain + at, tape.inverse(row, block),
                           normalized + at, dgain.row(row) + at);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(layer_norm_forward_kernel);
HWY_EXPORT(layer_norm_backward_kernel);

namespace {

const std::uint8_t* bits(std::span<const std::uint8_t> reset) { return reset.empty() ? nullptr : reset.data(); }

}  // namespace

void layer_norm_forward(std::int64_t units, std::span<const std::uint8_t> reset, MatView<const float> z,
                        std::span<const float> gain, std::span<const float> bias, MatView<float> y,
                        const NormTape& tape) {
  assert(z.cols % units == 0 && std::ssize(gain) == z.cols && y.rows == z.rows && y.cols == z.cols);
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(layer_norm_forward_kernel)
  (units, bits(reset), z, gain.data(), bias.empty() ? nullptr : bias.data(), y, tape);
}

void layer_norm_backward(std::int64_t units, std::span<const std::uint8_t> reset, MatView<const float> dy,
                         std::span<const float> gain, const NormTape& tape, MatView<float> dgain) {
  assert(dy.cols % units == 0 && std::ssize(gain) == dy.cols && dgain.rows == dy.rows && dgain.cols == dy.cols);
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(layer_norm_backward_kernel)(units, bits(reset), dy, gain.data(), tape, dgain);
}

}  // namespace unroll
#endif
