// The kernels of each precision, one file each: products_*.cc.
#pragma once

#include "kernels/products.h"

namespace unroll {

[[nodiscard]] ProductKernels f32_product_kernels();
// Uses the processor's bf16 products, or widens to floats if it has none (has_bf16_products()).
[[nodiscard]] ProductKernels bf16_product_kernels();
// `native`: uses the processor's int8 products, which it must have; otherwise sums of pairs. Both give the same bits.
[[nodiscard]] ProductKernels int8_product_kernels(bool native);

}  // namespace unroll
