#include "unroll/state.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kMagic = "unrollS1";
constexpr std::size_t kHeaderBytes = kMagic.size() + 3 * sizeof(std::uint32_t);

void append(std::string& bytes, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift & 0xFFU);
}

// Takes four bytes off the front.
std::uint32_t take(std::string_view& bytes) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  bytes.remove_prefix(4);
  return word;
}

std::vector<float> take_floats(std::string_view& bytes, std::uint32_t count) {
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = std::bit_cast<float>(take(bytes));
    if (!std::isfinite(number)) {
      throw Error(ErrorCode::kFormat, fmt::format("saved state: it holds {}, which is not a finite number", number));
    }
  }
  return numbers;
}

// A bijection of 64 bits in which each bit of the input reaches every bit of the output (Stafford 2011, "Mix13").
std::uint64_t mixed(std::uint64_t bits) noexcept {
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBU;
  return bits ^ bits >> 31;
}

}  // namespace

std::string State::save() const {
  std::string bytes(kMagic);
  bytes.reserve(kHeaderBytes + 4 * (h.size() + c.size()));
  append(bytes, static_cast<std::uint32_t>(h.size()));
  append(bytes, static_cast<std::uint32_t>(c.size()));
  append(bytes, static_cast<std::uint32_t>(input));
  for (const float number : h) append(bytes, std::bit_cast<std::uint32_t>(number));
  for (const float number : c) append(bytes, std::bit_cast<std::uint32_t>(number));
  return bytes;
}

State State::load(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) {
    throw Error(ErrorCode::kFormat, fmt::format("saved state: {} bytes that do not begin with \"{}\" and three sizes",
                                                bytes.size(), kMagic));
  }
  bytes.remove_prefix(kMagic.size());
  const std::uint32_t h_size = take(bytes);
  const std::uint32_t c_size = take(bytes);
  State state;
  state.input = static_cast<std::int32_t>(take(bytes));
  const std::uint64_t expected = 4 * (std::uint64_t{h_size} + c_size);
  if (bytes.size() != expected) {
    throw Error(ErrorCode::kFormat, fmt::format("saved state: expected {} and {} numbers in {} bytes, found {} bytes",
                                                h_size, c_size, expected, bytes.size()));
  }
  state.h = take_floats(bytes, h_size);
  state.c = take_floats(bytes, c_size);
  return state;
}

}  // namespace unroll

std::size_t std::hash<unroll::State>::operator()(const unroll::State& state) const noexcept {
  std::uint64_t result = unroll::mixed(static_cast<std::uint64_t>(state.input) + 0x9E3779B97F4A7C15U);
  for (const std::vector<float>* numbers : {&state.h, &state.c}) {
    // Adding zero makes one of the two zeros, which compare equal.
    for (const float number : *numbers) result = unroll::mixed(result + std::bit_cast<std::uint32_t>(number + 0.0F));
  }
  return static_cast<std::size_t>(result);
}
