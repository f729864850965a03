#include "data/number_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "base/quote.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr double kWholeNumbers = 9007199254740992.0;  // 2^53: below it a double holds every whole number

// The bits of `size` bytes, at most 8.
std::uint64_t bits_of(const char* bytes, std::size_t size, bool big_endian) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = big_endian ? i : size - 1 - i;
    bits = bits << 8U | static_cast<unsigned char>(bytes[at]);
  }
  return bits;
}

std::int64_t signed_of(std::uint64_t bits, std::size_t size) noexcept {
  const auto unused = static_cast<unsigned>(8 * (8 - size));
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

void append_code_point(std::uint64_t value, std::string& text) {
  const auto byte = [](std::uint64_t bits) { return static_cast<char>(bits); };
  if (value < 0x80) {
    text += byte(value);
  } else if (value < 0x800) {
    text += {byte(0xC0U | value >> 6U), byte(0x80U | (value & 0x3FU))};
  } else if (value < 0x10000) {
    text += {byte(0xE0U | value >> 12U), byte(0x80U | (value >> 6U & 0x3FU)), byte(0x80U | (value & 0x3FU))};
  } else {
    text += {byte(0xF0U | (value >> 18U & 0x07U)), byte(0x80U | (value >> 12U & 0x3FU)),
             byte(0x80U | (value >> 6U & 0x3FU)), byte(0x80U | (value & 0x3FU))};
  }
}

// Where element `index`, counted with the last dimension fastest, is stored.
std::int64_t stored_index(const NumberArray& array, std::int64_t index) noexcept {
  if (!array.first_index_fastest) return index;
  std::int64_t stride = array.count();
  std::int64_t stored = 0;
  for (auto extent = array.shape.rbegin(); extent != array.shape.rend(); ++extent) {
    stride /= *extent;
    stored += index % *extent * stride;
    index /= *extent;
  }
  return stored;
}

const char* element(const NumberArray& array, std::int64_t index) noexcept {
  assert(index >= 0 && index < array.count());
  return array.bytes.data() + array.first + static_cast<std::size_t>(stored_index(array, index)) * array.size;
}

// Text as NumPy stores it: padded with zeros.
std::string text_of(const NumberArray& array, const char* bytes) {
  std::string text;
  if (array.kind == NumberArray::Kind::kBytes) {
    text.assign(bytes, array.size);
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
  }
  std::size_t characters = array.size / 4;
  while (characters > 0 && bits_of(bytes + 4 * (characters - 1), 4, false) == 0) --characters;
  for (std::size_t i = 0; i < characters; ++i) {
    append_code_point(bits_of(bytes + 4 * i, 4, array.big_endian), text);
  }
  return text;
}

}  // namespace

std::int64_t NumberArray::count() const noexcept {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::string NumberArray::shape_name() const {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::string NumberArray::place(std::int64_t index) const {
  std::vector<std::int64_t> indices(shape.size());
  for (std::size_t i = shape.size(); i-- > 0; index /= shape[i]) indices[i] = index % shape[i];
  return fmt::format("{}, element [{}]", text_name(path), fmt::join(indices, ", "));
}

double NumberArray::number(std::int64_t index) const {
  const std::uint64_t bits = bits_of(element(*this, index), size, big_endian);
  switch (kind) {
    case Kind::kBool:
      return bits == 0 ? 0 : 1;
    case Kind::kSigned:
      return static_cast<double>(signed_of(bits, size));
    case Kind::kUnsigned:
      return static_cast<double>(bits);
    case Kind::kFloat:
      return size == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                       : std::bit_cast<double>(bits);
    case Kind::kBytes:
    case Kind::kCharacters:
      break;
  }
  assert(false);
  return 0;
}

std::string NumberArray::label(std::int64_t index) const {
  if (is_text()) {
    std::string text = text_of(*this, element(*this, index));
    if (text.empty() || find_invalid_utf8(text) != std::string::npos ||
        text.find_first_of("\r\n") != std::string::npos) {
      throw Error(ErrorCode::kInput, fmt::format("{}: the label {} is empty, is not UTF-8 or holds a line end",
                                                 place(index), quote(text)));
    }
    return text;
  }
  if (kind == Kind::kSigned || kind == Kind::kUnsigned) {
    const std::uint64_t bits = bits_of(element(*this, index), size, big_endian);
    return kind == Kind::kSigned ? fmt::format("{}", signed_of(bits, size)) : fmt::format("{}", bits);
  }
  const double value = number(index);
  if (!(std::abs(value) < kWholeNumbers) || value != std::floor(value)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} is {}: expected labels, which are whole numbers or text; numbers are "
                            "learned by regression",
                            place(index), value));
  }
  return fmt::format("{}", static_cast<std::int64_t>(value));
}

}  // namespace unroll
