// Views: a pointer with a shape. They do not own; buffer.h does.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <type_traits>

namespace unroll {

// A row-major matrix in memory owned elsewhere. Element (r, c) is data[r * stride + c].
template <class T>
struct MatView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  // elements from one row to the next, >= cols

  MatView() = default;
  MatView(T* first, std::int64_t row_count, std::int64_t col_count) noexcept
      : MatView(first, row_count, col_count, col_count) {}
  MatView(T* first, std::int64_t row_count, std::int64_t col_count, std::int64_t row_stride) noexcept
      : data(first), rows(row_count), cols(col_count), stride(row_stride) {}

  // A writable view converts to a read-only one.
  operator MatView<const T>() const noexcept  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }

  [[nodiscard]] T* row(std::int64_t r) const noexcept {
    assert(r >= 0 && r <= rows);
    return data + r * stride;
  }
  T& operator()(std::int64_t r, std::int64_t c) const noexcept {
    assert(r >= 0 && r < rows && c >= 0 && c < cols);
    return data[r * stride + c];
  }
  [[nodiscard]] bool contiguous() const noexcept { return stride == cols || rows <= 1; }
  [[nodiscard]] std::int64_t size() const noexcept { return rows * cols; }

  // `count` rows from `first` on.
  [[nodiscard]] MatView row_range(std::int64_t first, std::int64_t count) const noexcept {
    assert(first >= 0 && count >= 0 && first + count <= rows);
    return {data + first * stride, count, cols, stride};
  }
  // `count` columns from `first` on.
  [[nodiscard]] MatView col_range(std::int64_t first, std::int64_t count) const noexcept {
    assert(first >= 0 && count >= 0 && first + count <= cols);
    return {data + first, rows, count, stride};
  }
  // All elements in order; the view must be contiguous.
  [[nodiscard]] std::span<T> flat() const noexcept {
    assert(contiguous());
    return {data, static_cast<std::size_t>(size())};
  }
};

}  // namespace unroll
