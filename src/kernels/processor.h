// The processor: which instruction set the products and kernels use.
#pragma once

namespace unroll {

// Applies UNROLL_MAX_ISA (avx2 or sse4) to oneDNN and Highway alike, once; every kernel calls it before its first use
// of either. Throws Error{kUsage} for any other value.
void prepare_processor();

// Whether products take oneDNN's AVX-512 path, whose packed layouts keep a row's bits for any number of rows.
[[nodiscard]] bool has_avx512_products();

// The fixed number that rows of a product are padded to a multiple of on the other paths (see matmul.h).
[[nodiscard]] int product_row_unit();

[[nodiscard]] bool has_bf16_products();
}  // namespace unroll
