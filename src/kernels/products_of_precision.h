// The makers behind product_kernels(): one file each, products_*.cc.
#pragma once

#include "kernels/products.h"

namespace unroll {

[[nodiscard]] ProductKernels f32_product_kernels();
// With the processor's own bf16 products, or by widening to floats where it has none (has_bf16_products()).
[[nodiscard]] ProductKernels bf16_product_kernels();
[[nodiscard]] ProductKernels int8_product_kernels();

}  // namespace unroll
