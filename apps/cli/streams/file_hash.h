// Hashes of bytes and of files (unroll/fnv1a.h), which tell whether two runs read the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unroll {

// The hash of what `hash` is of and these bytes.
[[nodiscard]] std::uint64_t hash_with(std::uint64_t hash, std::string_view bytes) noexcept;

// The hash of the bytes of a file. Throws Error{kFile}.
[[nodiscard]] std::uint64_t hash_of_file(const std::string& path);

}  // namespace unroll
