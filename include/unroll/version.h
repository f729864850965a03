// The version of the library, the versions of its dependencies, and the instruction set in use.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// "0.1.0".
[[nodiscard]] std::string version();

// The instruction set that the kernels use on this processor, by Highway's name, followed by the precisions other than
// f32 for which the processor has an instruction: "AVX3, bf16, int8". The environment variable UNROLL_MAX_ISA (avx2,
// sse4) caps it; it is read once, by the first call into the library.
[[nodiscard]] std::string instruction_set();

// The libraries in use and their versions: Highway, ICU, ...
[[nodiscard]] std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace unroll
