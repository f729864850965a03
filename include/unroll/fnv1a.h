// FNV-1a of 64 bits: a hash that is the same on every machine, unlike std::hash. Not against malice.
// Source: Fowler, Noll & Vo, draft-eastlake-fnv.
#pragma once

#include <cstdint>
#include <string_view>

namespace unroll {

// The hash of nothing.
inline constexpr std::uint64_t kFnv1aStart = 0xCBF29CE484222325;

// The hash of what `hash` is of and then `number`, which is taken at once; a byte is a number below 256.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::uint64_t hash, std::uint64_t number) noexcept {
  constexpr std::uint64_t kPrime = 0x100000001B3;
  return (hash ^ number) * kPrime;
}

// The hash of what `hash` is of and then these bytes.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::uint64_t hash, std::string_view bytes) noexcept {
  for (const char byte : bytes) hash = fnv1a(hash, static_cast<unsigned char>(byte));
  return hash;
}

// The hash of these bytes.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view bytes) noexcept { return fnv1a(kFnv1aStart, bytes); }

}  // namespace unroll
