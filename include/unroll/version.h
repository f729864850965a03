// What this build is and what it runs on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// "0.1.0".
[[nodiscard]] std::string version();

// The instruction set that the kernels use on this processor, by Highway's name, and which products it has of its own
// beside those of floats: "AVX3, bf16, int8". Environment variable UNROLL_MAX_ISA (avx2, sse4) caps it; it is read
// once, by the first call into the library.
[[nodiscard]] std::string instruction_set();

// Libraries in use with their versions: Highway, ICU, ....
[[nodiscard]] std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace unroll
