#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "checkpoints/value.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Unsigned whole numbers of `Bits`, as they are stored.
template <class Bits>
Bits read_bits(const char* at, bool big_endian) {
  Bits bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  if (big_endian == (std::endian::native == std::endian::big)) return bits;
  Bits swapped = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) {
    swapped = static_cast<Bits>(swapped | static_cast<Bits>((bits >> (8 * i)) & 0xFF) << (8 * (sizeof bits - 1 - i)));
  }
  return swapped;
}

// IEEE 754 binary16.
double from_half(std::uint16_t bits) {
  constexpr int kBias = 15;
  constexpr int kFractionBits = 10;
  const int exponent = (bits >> kFractionBits) & 0x1F;
  const int fraction = bits & 0x3FF;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0x1F) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - kBias - kFractionBits);
  return sign * std::ldexp(fraction + 1024, exponent - kBias - kFractionBits);
}

double read_number(const char* at, ElementType type, bool big_endian) {
  switch (type) {
    case ElementType::kF64:
      return std::bit_cast<double>(read_bits<std::uint64_t>(at, big_endian));
    case ElementType::kF32:
      return std::bit_cast<float>(read_bits<std::uint32_t>(at, big_endian));
    case ElementType::kF16:
      return from_half(read_bits<std::uint16_t>(at, big_endian));
    case ElementType::kBf16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(read_bits<std::uint16_t>(at, big_endian)) << 16);
    case ElementType::kI64:
      return static_cast<double>(static_cast<std::int64_t>(read_bits<std::uint64_t>(at, big_endian)));
    case ElementType::kI32:
      return static_cast<std::int32_t>(read_bits<std::uint32_t>(at, big_endian));
    case ElementType::kI16:
      return static_cast<std::int16_t>(read_bits<std::uint16_t>(at, big_endian));
    case ElementType::kI8:
      return static_cast<std::int8_t>(*at);
    case ElementType::kU8:
    case ElementType::kBool:
      return static_cast<unsigned char>(*at);
  }
  return 0;
}

// Calls f(place, number) for each number in C order. The tensor was checked when it was added to the graph.
template <class F>
void for_each_number(const ValueGraph& graph, const TensorValue& tensor, const F& f) {
  const Storage& storage = graph.storage_of(tensor);
  const std::int64_t bytes = element_size(storage.type);
  const std::int64_t size = tensor.size();
  std::vector<std::int64_t> place(tensor.shape.size());
  std::int64_t element = tensor.offset;
  for (std::int64_t i = 0; i < size; ++i) {
    f(i, read_number(storage.bytes.data() + element * bytes, storage.type, storage.big_endian));
    for (std::size_t d = place.size(); d-- > 0;) {
      element += tensor.strides[d];
      if (++place[d] < tensor.shape[d]) break;
      element -= tensor.strides[d] * tensor.shape[d];
      place[d] = 0;
    }
  }
}

[[noreturn]] void refuse_number(const std::string& name, std::int64_t place, double number) {
  const char* what = std::isnan(number) ? "NaN" : std::isinf(number) ? "infinite" : "too large for f32";
  throw Error(ErrorCode::kNumeric, fmt::format("tensor {}: number {} is {}", name, place, what));
}

}  // namespace

double number_at(const Storage& storage, std::int64_t place) {
  return read_number(storage.bytes.data() + place * element_size(storage.type), storage.type, storage.big_endian);
}

std::vector<double> read_numbers(const ValueGraph& graph, const TensorValue& tensor, const std::string& name) {
  std::vector<double> numbers(static_cast<std::size_t>(tensor.size()));
  for_each_number(graph, tensor, [&](std::int64_t i, double number) {
    if (!std::isfinite(number)) refuse_number(name, i, number);
    numbers[static_cast<std::size_t>(i)] = number;
  });
  return numbers;
}

MatrixValue read_matrix(const ValueGraph& graph, const TensorValue& tensor, const std::string& name) {
  if (tensor.shape.size() > 2) {
    throw Error(ErrorCode::kFormat, fmt::format("tensor {} has the shape [{}]: expected a matrix or a vector", name,
                                                fmt::join(tensor.shape, ", ")));
  }
  MatrixValue matrix{.rows = tensor.shape.size() == 2 ? tensor.shape.front() : 1,
                     .cols = tensor.shape.empty() ? 1 : tensor.shape.back()};
  matrix.numbers.resize(static_cast<std::size_t>(tensor.size()));
  for_each_number(graph, tensor, [&](std::int64_t i, double number) {
    // Beyond the largest float the conversion itself would be undefined.
    if (!(std::abs(number) <= double{std::numeric_limits<float>::max()})) refuse_number(name, i, number);
    const auto single = static_cast<float>(number);
    matrix.rounded += double{single} == number ? 0 : 1;
    matrix.numbers[static_cast<std::size_t>(i)] = single;
  });
  return matrix;
}

}  // namespace unroll
