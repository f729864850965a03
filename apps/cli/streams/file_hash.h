// Hashes of files (unroll/fnv1a.h), which tell whether two runs read the same.
#pragma once

#include <cstdint>
#include <string>

namespace unroll {

// The hash of the bytes of a file. Throws Error{kFile}.
[[nodiscard]] std::uint64_t hash_of_file(const std::string& path);

}  // namespace unroll
