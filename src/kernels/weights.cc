#include "kernels/weights.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace unroll {
namespace {

Bf16 rounded(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  constexpr std::uint32_t kQuiet = 0x00400000U;
  if (std::isnan(x)) return static_cast<Bf16>((bits | kQuiet) >> 16U);
  const std::uint32_t odd = (bits >> 16U) & 1U;
  return static_cast<Bf16>((bits + 0x7FFFU + odd) >> 16U);
}

float widened(Bf16 x) noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16U); }

}  // namespace

void to_bf16(std::span<const float> x, std::span<Bf16> out) {
  assert(x.size() == out.size());
  std::ranges::transform(x, out.begin(), rounded);
}

float to_int8(std::span<const float> x, std::span<std::int8_t> out) {
  assert(x.size() == out.size());
  constexpr float kLargest = 127;
  float magnitude = 0;
  for (const float value : x) magnitude = std::max(magnitude, std::abs(value));
  const float scale = magnitude / kLargest;
  if (scale == 0) {
    std::ranges::fill(out, std::int8_t{0});
    return 0;
  }
  std::ranges::transform(x, out.begin(), [&](float value) {
    return static_cast<std::int8_t>(std::clamp(std::nearbyint(value / scale), -kLargest, kLargest));
  });
  return scale;
}

void WeightView::read_row(std::int64_t r, std::span<float> out) const {
  assert(static_cast<std::int64_t>(out.size()) == cols_);
  switch (precision_) {
    case Precision::kF32:
      std::copy_n(f32_row(r), cols_, out.begin());
      return;
    case Precision::kBf16:
      std::transform(bf16_row(r), bf16_row(r) + cols_, out.begin(), widened);
      return;
    case Precision::kInt8:
      std::transform(int8_row(r), int8_row(r) + cols_, out.begin(),
                     [scale = scales_[r]](std::int8_t q) { return scale * static_cast<float>(q); });
      return;
  }
}

WeightView WeightView::row_range(std::int64_t first, std::int64_t count) const noexcept {
  assert(first >= 0 && count >= 0 && first + count <= rows_);
  const auto bytes = [this] {
    switch (precision_) {
      case Precision::kF32:
        return sizeof(float);
      case Precision::kBf16:
        return sizeof(Bf16);
      case Precision::kInt8:
        return sizeof(std::int8_t);
    }
    return std::size_t{0};
  }();
  const auto* const data = static_cast<const std::byte*>(data_) + static_cast<std::size_t>(first * cols_) * bytes;
  return {precision_, data, scales_ == nullptr ? nullptr : scales_ + first, count, cols_};
}

}  // namespace unroll
