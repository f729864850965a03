// Views of stored weight matrices in any precision, read row by row.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>

#include "base/view.h"
#include "unroll/precision.h"

namespace unroll {

// bfloat16: the upper half of a float. to_bf16 rounds to nearest, ties to even; NaN stays NaN.
using Bf16 = std::uint16_t;
void to_bf16(std::span<const float> x, std::span<Bf16> out);

// Converts a row of weights to 8-bit integers from -127 to 127 times a scale, and returns the scale: the largest
// magnitude in the row / 127 (0 for a row of zeros). Requires finite numbers.
float to_int8(std::span<const float> x, std::span<std::int8_t> out);

// A weight matrix (rows, cols), row-major and contiguous, each row of which computes one output. Does not own.
class WeightView {
 public:
  WeightView() = default;
  // Implicit, since f32 weights are the usual ones.
  WeightView(MatView<const float> f32) noexcept  // NOLINT(google-explicit-constructor)
      : precision_(Precision::kF32), data_(f32.data), rows_(f32.rows), cols_(f32.cols) {
    assert(f32.contiguous());
  }
  WeightView(MatView<float> f32) noexcept  // NOLINT(google-explicit-constructor)
      : WeightView(MatView<const float>(f32)) {}
  static WeightView bf16(const Bf16* data, std::int64_t rows, std::int64_t cols) noexcept {
    return {Precision::kBf16, data, nullptr, rows, cols};
  }
  // scales (rows): the weight at (r, c) is scales[r] * data[r * cols + c].
  static WeightView int8(const std::int8_t* data, const float* scales, std::int64_t rows, std::int64_t cols) noexcept {
    return {Precision::kInt8, data, scales, rows, cols};
  }

  [[nodiscard]] Precision precision() const noexcept { return precision_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
  [[nodiscard]] float scale(std::int64_t r) const noexcept { return scales_ == nullptr ? 1.0F : scales_[r]; }
  [[nodiscard]] const float* f32_row(std::int64_t r) const noexcept { return at<float>(Precision::kF32, r); }
  [[nodiscard]] const Bf16* bf16_row(std::int64_t r) const noexcept { return at<Bf16>(Precision::kBf16, r); }
  [[nodiscard]] const std::int8_t* int8_row(std::int64_t r) const noexcept {
    return at<std::int8_t>(Precision::kInt8, r);
  }

  // The whole matrix, which is f32.
  [[nodiscard]] MatView<const float> f32() const noexcept {
    assert(precision_ == Precision::kF32);
    return {static_cast<const float*>(data_), rows_, cols_};
  }

  // Sets `out` (cols) to row r as floats.
  void read_row(std::int64_t r, std::span<float> out) const;

  // `count` rows from `first` on.
  [[nodiscard]] WeightView row_range(std::int64_t first, std::int64_t count) const noexcept;

 private:
  WeightView(Precision precision, const void* data, const float* scales, std::int64_t rows, std::int64_t cols) noexcept
      : precision_(precision), data_(data), scales_(scales), rows_(rows), cols_(cols) {}

  template <class T>
  [[nodiscard]] const T* at(Precision precision, std::int64_t r) const noexcept {
    assert(precision_ == precision && r >= 0 && r < rows_);
    static_cast<void>(precision);
    return static_cast<const T*>(data_) + r * cols_;
  }

  Precision precision_ = Precision::kF32;
  const void* data_ = nullptr;
  const float* scales_ = nullptr;  // int8 only
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
};

}  // namespace unroll
