// Matrices of floats in NumPy's .npy files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// rows x columns numbers, one row after the other.
struct FloatMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values = {};

  [[nodiscard]] std::span<const float> row(std::int64_t r) const {
    return std::span(values).subspan(static_cast<std::size_t>(r * columns), static_cast<std::size_t>(columns));
  }
};

// Reads a .npy file, plain or gzip, of two dimensions, integers, bool, float32 or float64, in any byte order and either
// order of elements. Throws Error{kFile} as read_text() (unroll/text.h), Error{kInput} for anything else, for a matrix
// without a number, and for NaN and infinity, naming the element.
[[nodiscard]] FloatMatrix read_float_matrix(const std::string& path);

// What precedes the numbers of a float32 matrix in a .npy file: its elements follow row by row in this machine's byte
// order. The same number of bytes for any number of rows, so that it can be written before that is known, and again.
[[nodiscard]] std::string npy_header(std::int64_t rows, std::int64_t columns);

// The bytes of numbers as such a file has them.
[[nodiscard]] std::string_view npy_bytes(std::span<const float> numbers) noexcept;

}  // namespace unroll
