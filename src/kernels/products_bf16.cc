#include "kernels/processor.h"
#include "kernels/products_of_precision.h"
#include "kernels/weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products_bf16.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// Widens both factors; two chained multiply-adds a lane, first the lower half, then the upper.
struct WideningArithmetic {
  using Sum = FloatVector;
  using Factor = LaneVector;

  static HWY_INLINE Sum begin(const float* start) {
    return start == nullptr ? hn::Zero(FloatTag()) : hn::LoadU(FloatTag(), start);
  }
  static HWY_INLINE Factor load(const Lane* b) { return hn::LoadU(LaneTag(), b); }
  static HWY_INLINE Factor broadcast(const Lane* a) { return hn::Set(LaneTag(), *a); }
  static HWY_INLINE FloatVector lower(Factor x) { return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(x)); }
  static HWY_INLINE FloatVector upper(Factor x) {
    return hn::BitCast(FloatTag(), hn::And(x, hn::Set(LaneTag(), 0xFFFF0000U)));
  }
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    return hn::MulAdd(upper(x), upper(w), hn::MulAdd(lower(x), lower(w), sum));
  }
  static HWY_INLINE FloatVector finish(const Tile& /*tile*/, std::int64_t /*row*/, std::int64_t /*column*/, Sum sum) {
    return sum;
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
// The processor's own instruction, as assembly because Highway's targets of this version do not switch it on.
struct NativeArithmetic : WideningArithmetic {
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));  // NOLINT(hicpp-no-assembler)
    return sum;
  }
};
#endif

// To nearest, ties to even, left in the upper half; NaN stays NaN.
HWY_INLINE LaneVector rounded(FloatVector x) {
  const LaneTag u;
  const LaneVector bits = hn::BitCast(u, x);
  const LaneVector odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(u, 1));
  const LaneVector nearest = hn::Add(hn::Add(bits, hn::Set(u, 0x7FFFU)), odd);
  const LaneVector quiet = hn::Or(bits, hn::Set(u, 0x00400000U));
  return hn::IfThenElse(hn::RebindMask(u, hn::IsNaN(x)), quiet, nearest);
}

HWY_INLINE LaneVector joined(LaneVector lower, LaneVector upper) {
  return hn::Or(hn::ShiftRight<16>(lower), hn::And(upper, hn::Set(LaneTag(), 0xFFFF0000U)));
}

void weights_to_bf16(const float* x, std::int64_t n, Lane* out) {
  const FloatTag f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  std::int64_t k = 0;
  for (; k + 2 * lanes <= n; k += 2 * lanes) {
    const LaneVector first = rounded(hn::LoadU(f, x + k));
    const LaneVector second = rounded(hn::LoadU(f, x + k + lanes));
    const LaneVector even = hn::ConcatEven(LaneTag(), second, first);
    const LaneVector odd = hn::ConcatOdd(LaneTag(), second, first);
    hn::StoreU(joined(even, odd), LaneTag(), out + k / 2);
  }
  for (; k < n; k += 2) {
    const float pair[2] = {x[k], k + 1 < n ? x[k + 1] : 0.0F};
    Bf16 halves[2];
    to_bf16(pair, halves);
    out[k / 2] = halves[0] | static_cast<Lane>(halves[1]) << 16U;
  }
}

float row_to_bf16(const float* x, std::int64_t n, Lane* out) {
  weights_to_bf16(x, n, out);
  return 1;
}

void rows_to_bf16(const float* first, std::int64_t stride, std::int64_t count, std::int64_t n, Lane* out) {
  const FloatTag f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  const float* const second = first + stride;
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    const LaneVector lower = rounded(hn::LoadU(f, first + c));
    const LaneVector upper = count > 1 ? rounded(hn::LoadU(f, second + c)) : hn::Zero(LaneTag());
    hn::StoreU(joined(lower, upper), LaneTag(), out + c);
  }
  for (; c < n; ++c) {
    const float pair[2] = {first[c], count > 1 ? second[c] : 0.0F};
    Bf16 halves[2];
    to_bf16(pair, halves);
    out[c] = halves[0] | static_cast<Lane>(halves[1]) << 16U;
  }
}

ProductKernels bf16_kernels(bool native) {
  ProductKernels kernels = kernels_of<WideningArithmetic, true>();
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (native) kernels = kernels_of<NativeArithmetic, true>();
#else
  static_cast<void>(native);
#endif
  kernels.depth = 2;
  kernels.row_to_lanes = row_to_bf16;
  kernels.weights_to_lanes = weights_to_bf16;
  kernels.rows_to_lanes = rows_to_bf16;
  return kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(bf16_kernels);

ProductKernels bf16_product_kernels() {
  const bool native = has_bf16_products();
  return HWY_DYNAMIC_DISPATCH(bf16_kernels)(native);
}

}  // namespace unroll
#endif
