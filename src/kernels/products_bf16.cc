#include <algorithm>
#include <array>

#include "kernels/processor.h"
#include "kernels/products_of_precision.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products_bf16.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// Widens both factors; two chained multiply-adds per lane, first the lower half, then the upper.
struct WideningArithmetic : FloatSums {
  using Factor = LaneVector;

  static HWY_INLINE Factor load(const Lane* b) { return hn::LoadU(LaneTag(), b); }
  static HWY_INLINE Factor broadcast(const Lane* a) { return hn::Set(LaneTag(), *a); }
  static HWY_INLINE FloatVector lower(Factor x) { return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(x)); }
  static HWY_INLINE FloatVector upper(Factor x) {
    return hn::BitCast(FloatTag(), hn::And(x, hn::Set(LaneTag(), 0xFFFF0000U)));
  }
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    return hn::MulAdd(upper(x), upper(w), hn::MulAdd(lower(x), lower(w), sum));
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
// The processor's instruction, as assembly because Highway's targets of this version do not enable it.
struct NativeArithmetic : WideningArithmetic {
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));  // NOLINT(hicpp-no-assembler)
    return sum;
  }
};
#endif

// Two vectors of numbers, rounded to nearest, ties to even; NaN stays NaN.
struct PlainRounding {
  // The results are in the upper halves.
  static HWY_INLINE LaneVector rounded(FloatVector x) {
    const LaneTag u;
    const LaneVector bits = hn::BitCast(u, x);
    const LaneVector odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(u, 1));
    const LaneVector nearest = hn::Add(hn::Add(bits, hn::Set(u, 0x7FFFU)), odd);
    const LaneVector quiet = hn::Or(bits, hn::Set(u, 0x00400000U));
    return hn::IfThenElse(hn::RebindMask(u, hn::IsNaN(x)), quiet, nearest);
  }
  // Lane i holds number i of both.
  static HWY_INLINE LaneVector interleaved(FloatVector lower, FloatVector upper) {
    return hn::Or(hn::ShiftRight<16>(rounded(lower)), hn::And(rounded(upper), hn::Set(LaneTag(), 0xFFFF0000U)));
  }
  // The lanes of `first`, then those of `second`.
  static HWY_INLINE LaneVector in_order(FloatVector first, FloatVector second) {
    const FloatTag f;
    return interleaved(hn::ConcatEven(f, second, first), hn::ConcatOdd(f, second, first));
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
// The processor's instruction; it treats subnormal numbers as zero, as its products do.
struct NativeRounding {
  static HWY_INLINE LaneVector in_order(FloatVector first, FloatVector second) {
    LaneVector result;
    asm("vcvtne2ps2bf16 %2, %1, %0"
        : "=v"(result.raw)
        : "v"(second.raw), "v"(first.raw));  // NOLINT(hicpp-no-assembler)
    return result;
  }
  static HWY_INLINE LaneVector interleaved(FloatVector lower, FloatVector upper) {
    alignas(64) static constexpr std::array<std::uint16_t, 32> kOrder = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                         21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                         11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return LaneVector{_mm512_permutexvar_epi16(_mm512_load_si512(kOrder.data()), in_order(lower, upper).raw)};
  }
};
#endif

template <class Rounding>
float row_to_bf16(const float* x, std::int64_t n, Lane* out) {
  const FloatTag f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  std::int64_t k = 0;
  for (; k + 2 * lanes <= n; k += 2 * lanes) {
    hn::StoreU(Rounding::in_order(hn::LoadU(f, x + k), hn::LoadU(f, x + k + lanes)), LaneTag(), out + k / 2);
  }
  if (k == n) return 1;
  float rest[2 * kMostLanes] = {};
  Lane rest_lanes[kMostLanes];
  std::copy(x + k, x + n, rest);
  hn::StoreU(Rounding::in_order(hn::LoadU(f, rest), hn::LoadU(f, rest + lanes)), LaneTag(), rest_lanes);
  std::copy_n(rest_lanes, (n - k + 1) / 2, out + k / 2);
  return 1;
}

template <class Rounding>
void rows_to_bf16(const float* first, std::int64_t stride, std::int64_t count, std::int64_t n, Lane* out) {
  const FloatTag f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  const float* const second = first + stride;
  const auto join = [&](const float* lower, const float* upper, Lane* to) HWY_ATTR {
    const FloatVector zero = hn::Zero(f);
    hn::StoreU(Rounding::interleaved(hn::LoadU(f, lower), count > 1 ? hn::LoadU(f, upper) : zero), LaneTag(), to);
  };
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) join(first + c, second + c, out + c);
  if (c == n) return;
  float rest[2][kMostLanes] = {};
  Lane rest_lanes[kMostLanes];
  std::copy(first + c, first + n, rest[0]);
  if (count > 1) std::copy(second + c, second + n, rest[1]);
  join(rest[0], rest[1], rest_lanes);
  std::copy_n(rest_lanes, n - c, out + c);
}

template <class Arithmetic, class Rounding>
ProductKernels bf16_kernels_of() {
  ProductKernels kernels = kernels_of<Arithmetic, true>();
  kernels.depth = 2;
  kernels.row_to_lanes = row_to_bf16<Rounding>;
  kernels.rows_to_lanes = rows_to_bf16<Rounding>;
  return kernels;
}

ProductKernels bf16_kernels(bool native) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (native) return bf16_kernels_of<NativeArithmetic, NativeRounding>();
#else
  static_cast<void>(native);
#endif
  return bf16_kernels_of<WideningArithmetic, PlainRounding>();
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
