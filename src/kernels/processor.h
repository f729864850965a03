// The instruction set that the products and kernels use.
#pragma once

#include <string>

namespace unroll {

// Applies UNROLL_MAX_ISA (avx2 or sse4) to Highway, once; every kernel calls it before its first use. Throws
// Error{kUsage} for any other value.
void prepare_processor();

// Whether the processor multiplies pairs of bf16 in one instruction (AVX512-BF16), twice as fast as floats.
[[nodiscard]] bool has_bf16_products();

// Whether the processor multiplies fours of 8-bit integers in one instruction (AVX512-VNNI; AVX-VNNI below AVX-512). A
// cap to AVX2 leaves out AVX-VNNI, which most processors without AVX-512 do not have.
[[nodiscard]] bool has_int8_products();

// The instruction set as unroll/version.h describes it.
[[nodiscard]] std::string instruction_set_name();

}  // namespace unroll
