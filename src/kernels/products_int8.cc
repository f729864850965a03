#include <bit>
#include <cmath>
#include <limits>

#include "kernels/processor.h"
#include "kernels/products_of_precision.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products_int8.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/product_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

using IntTag = hn::RebindToSigned<FloatTag>;
using IntVector = hn::Vec<IntTag>;

// Unsigned inputs times signed weights, four per lane. Sums are exact, so every target gives the same bits.
struct Int8Arithmetic {
  using Sum = IntVector;
  using Factor = LaneVector;

  static HWY_INLINE Sum begin(const float* /*start*/) { return hn::Zero(IntTag()); }
  static HWY_INLINE Factor load(const Lane* b) { return hn::LoadU(LaneTag(), b); }
  static HWY_INLINE Factor broadcast(const Lane* a) { return hn::Set(LaneTag(), *a); }
  static HWY_INLINE FloatVector finish(const Tile& tile, std::int64_t row, std::int64_t column, Sum sum) {
    const FloatTag f;
    const IntVector offset = hn::LoadU(IntTag(), tile.column_offset + column);
    const FloatVector exact = hn::ConvertTo(f, hn::Sub(sum, offset));
    const FloatVector scale = hn::Mul(hn::Set(f, tile.row_scale[row]), hn::LoadU(f, tile.column_scale + column));
    return hn::MulAdd(exact, scale, hn::LoadU(f, tile.start + row * tile.start_row + column));
  }

  // For processors without an instruction for it.
#if HWY_ARCH_X86
  // Two registers more than other tiles need: for ones and for the sums of pairs.
  static constexpr std::size_t kRows = HWY_TARGET <= HWY_AVX3 ? kTileRows : kTileRows - 1;

  // Sums of two products each in 16 bits, which are then added in pairs. With AVX in one piece of assembly: GCC would
  // form the pairs of several rows first, and keep sums in memory for lack of registers.
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    const hn::Repartition<std::int16_t, IntTag> s;
    auto ones = hn::Set(s, 1);
    auto pairs = hn::Zero(s);
#if HWY_TARGET <= HWY_AVX2
    asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"  // NOLINT(hicpp-no-assembler)
        : "+v"(sum.raw), "=&v"(pairs.raw)
        : "v"(x.raw), "v"(w.raw), "v"(ones.raw));
    return sum;
#else
    pairs.raw = _mm_maddubs_epi16(x.raw, w.raw);  // Highway 1.0 has no name for it
    IntVector unused = hn::Zero(IntTag());
    return hn::ReorderWidenMulAccumulate(IntTag(), pairs, ones, sum, unused);
#endif
  }
#else
  static constexpr std::size_t kRows = kTileRows;

  template <int kShift>
  static HWY_INLINE Sum byte_product(Factor x, Factor w) {
    const auto x_byte = hn::BitCast(IntTag(), hn::And(hn::ShiftRight<kShift>(x), hn::Set(LaneTag(), 0xFFU)));
    const auto w_byte = hn::ShiftRight<24>(hn::BitCast(IntTag(), hn::ShiftLeft<24 - kShift>(w)));
    return hn::Mul(x_byte, w_byte);
  }
  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
    const Sum pairs = hn::Add(byte_product<0>(x, w), byte_product<8>(x, w));
    return hn::Add(sum, hn::Add(pairs, hn::Add(byte_product<16>(x, w), byte_product<24>(x, w))));
  }
#endif
};

// The processor's instruction, as assembly because not all of Highway's targets of this version enable it.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
struct NativeInt8Arithmetic : Int8Arithmetic {
  static constexpr std::size_t kRows = kTileRows;

  static HWY_INLINE Sum multiply_add(Factor x, Factor w, Sum sum) {
#if HWY_TARGET <= HWY_AVX3
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));  // NOLINT(hicpp-no-assembler)
#else
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.raw) : "x"(x.raw), "x"(w.raw));  // NOLINT(hicpp-no-assembler)
#endif
    return sum;
  }
};
#endif

// The largest magnitude of a row, as bits: infinity and NaN compare above all numbers.
std::uint32_t largest_magnitude(const float* x, std::int64_t n) {
  const FloatTag f;
  const IntTag i;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  IntVector largest = hn::Zero(i);
  std::int64_t k = 0;
  for (; k + lanes <= n; k += lanes) largest = hn::Max(largest, hn::BitCast(i, hn::Abs(hn::LoadU(f, x + k))));
  std::int32_t result = hn::GetLane(hn::MaxOfLanes(i, largest));
  for (; k < n; ++k) result = std::max(result, std::bit_cast<std::int32_t>(std::abs(x[k])));
  return static_cast<std::uint32_t>(result);
}

float row_to_int8(const float* x, std::int64_t n, Lane* out) {
  constexpr auto kLargest = static_cast<float>(kLargestInt8Input);
  constexpr std::int32_t kOffset = kInt8InputOffset;
  constexpr std::uint32_t kInfinity = 0x7F800000U;
  constexpr float kLeast = 0x1p-100F;  // below, a row counts as zero: 63 / magnitude might be infinite
  const std::uint32_t bits = largest_magnitude(x, n);
  const bool finite = bits < kInfinity;
  const auto magnitude = std::bit_cast<float>(bits);
  const bool has_range = finite && magnitude >= kLeast;
  const float factor = has_range ? kLargest / magnitude : 0;
  auto* const bytes = reinterpret_cast<std::uint8_t*>(out);
  const auto quantize = [&](float value) HWY_ATTR {
    return static_cast<std::uint8_t>(static_cast<std::int32_t>(std::nearbyint(value * factor)) + kOffset);
  };
  const FloatTag f;
  const IntTag i;
  const hn::Rebind<std::uint8_t, IntTag> u8;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  std::int64_t k = 0;
  if (has_range) {
    for (; k + lanes <= n; k += lanes) {
      const IntVector q = hn::NearestInt(hn::Mul(hn::LoadU(f, x + k), hn::Set(f, factor)));
      hn::StoreU(hn::DemoteTo(u8, hn::Add(q, hn::Set(i, kOffset))), u8, bytes + k);
    }
    for (; k < n; ++k) bytes[k] = quantize(x[k]);
  } else {
    for (; k < n; ++k) bytes[k] = kOffset;
  }
  constexpr std::int64_t kDepth = 4;
  for (; k % kDepth != 0; ++k) bytes[k] = kOffset;  // the corresponding weights are zero
  if (!finite) return std::numeric_limits<float>::quiet_NaN();
  return has_range ? magnitude / kLargest : 0;
}

ProductKernels int8_kernels(bool native) {
  ProductKernels kernels = kernels_of<Int8Arithmetic, false>();
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if (native) kernels = kernels_of<NativeInt8Arithmetic, false>();
#else
  static_cast<void>(native);
#endif
  kernels.depth = 4;
  kernels.row_to_lanes = row_to_int8;
  return kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(int8_kernels);

ProductKernels int8_product_kernels(bool native) {
  prepare_processor();
  return HWY_DYNAMIC_DISPATCH(int8_kernels)(native);
}

}  // namespace unroll
#endif
