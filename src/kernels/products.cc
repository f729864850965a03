#include "kernels/products.h"

#include "kernels/processor.h"
#include "kernels/products_of_precision.h"

namespace unroll {

const ProductKernels& product_kernels(Precision precision) {
  static const ProductKernels f32 = f32_product_kernels();
  static const ProductKernels bf16 = bf16_product_kernels();
  static const ProductKernels int8 = int8_product_kernels(has_int8_products());
  switch (precision) {
    case Precision::kF32:
      return f32;
    case Precision::kBf16:
      return bf16;
    case Precision::kInt8:
      return int8;
  }
  return f32;
}

}  // namespace unroll
