#include "unroll/data/float_matrix.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "data/number_array.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::size_t kHeaderBytes = 128;

}  // namespace

FloatMatrix read_float_matrix(const std::string& path) {
  const NumberArray array = npy_array(path, read_text(path, TextCoding::kBytes));
  if (array.shape.size() != 2 || array.is_text() || array.count() == 0) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} holds {} of the shape {}: expected numbers in rows and columns", text_name(path),
                            array.is_text() ? "text" : "an array", array.shape_name()));
  }
  FloatMatrix matrix{.rows = array.shape[0], .columns = array.shape[1]};
  matrix.values.reserve(static_cast<std::size_t>(array.count()));
  for (std::int64_t i = 0; i < array.count(); ++i) {
    const auto value = static_cast<float>(array.number(i));
    if (!std::isfinite(value)) {
      throw Error(ErrorCode::kInput, fmt::format("{}: {} is no number of a float", array.place(i), array.number(i)));
    }
    matrix.values.push_back(value);
  }
  return matrix;
}

std::string npy_header(std::int64_t rows, std::int64_t columns) {
  const char order = std::endian::native == std::endian::little ? '<' : '>';
  std::string header("\x93NUMPY\x01\x00", 8);
  const std::size_t length = kHeaderBytes - header.size() - 2;
  header += static_cast<char>(length & 0xFF);
  header += static_cast<char>(length >> 8);
  header += fmt::format("{{'descr': '{}f4', 'fortran_order': False, 'shape': ({}, {}), }}", order, rows, columns);
  header.resize(kHeaderBytes - 1, ' ');
  return header + '\n';
}

std::string_view npy_bytes(std::span<const float> numbers) noexcept {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

}  // namespace unroll
