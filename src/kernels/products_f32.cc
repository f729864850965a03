#include "kernels/processor.h"
#include "kernels/products_of_precision.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products_f32.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

struct F32Arithmetic : FloatSums {
  using Factor = FloatVector;

  static HWY_INLINE Factor load(const Lane* b) { return hn::LoadU(FloatTag(), reinterpret_cast<const float*>(b)); }
  static HWY_INLINE Factor broadcast(const Lane* a) { return hn::Set(FloatTag(), *reinterpret_cast<const float*>(a)); }
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) { return hn::MulAdd(x, w, sum); }
};

ProductKernels f32_kernels() { return kernels_of<F32Arithmetic, true>(); }

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(f32_kernels);

ProductKernels f32_product_kernels() {
  prepare_processor();
  return HWY_DYNAMIC_DISPATCH(f32_kernels)();
}

}  // namespace unroll
#endif
