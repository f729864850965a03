// What this build is and what it runs on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// "0.1.0".
[[nodiscard]] std::string version();

// The instruction sets that the products (oneDNN's name) and the other kernels (Highway's name) use on this processor:
// "products avx512_core_bf16, kernels AVX3_DL". Environment variable UNROLL_MAX_ISA (avx2, sse4) caps both; it is read
// once, by the first call into the library.
[[nodiscard]] std::string instruction_set();

// Libraries in use with their versions: oneDNN, Highway, ICU, ....
[[nodiscard]] std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace unroll
