// Exponential, sigmoid and tanh for every target that Highway compiles for; included by kernels once per target.
//
// Bounds, held by tests/kernels/activations_test.cc against long double over all exponents:
//   exp     2 ULP for x in [-87, 88]; 0 below, callers avoid overflow to infinity
//   sigmoid 4 ULP where the result is a normal number, 0 below
//   tanh    4 ULP everywhere
// NaN stays NaN. Subnormal results are zero, as everywhere in unroll.
// Method: Cody & Waite reduction by ln 2 in two parts; the polynomial is that of Cephes' expf (Moshier 1984-1992).

#if defined(UNROLL_ACTIVATIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_ACTIVATIONS_INL_H_
#undef UNROLL_ACTIVATIONS_INL_H_
#else
#define UNROLL_ACTIVATIONS_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;

// Loads and stores whole vectors, or the first `count` lanes of one, so that the same arithmetic runs on both.
struct WholeVector {
  HWY_INLINE V load(const float* from) const { return hn::LoadU(F(), from); }
  HWY_INLINE void store(V v, float* to) const { hn::StoreU(v, F(), to); }
};
struct PartOfVector {
  std::size_t count;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  HWY_INLINE V load(const float* from) const { return hn::MaskedLoad(hn::FirstN(F(), count), F(), from); }
  HWY_INLINE void store(V v, float* to) const { hn::BlendedStore(v, hn::FirstN(F(), count), F(), to); }
#else
  // Elsewhere Highway's masked accesses touch the whole vector (and SSE4's load requires alignment): memory that may
  // belong to another row, another thread or nobody.
  HWY_INLINE V load(const float* from) const {
    HWY_ALIGN float lanes[hn::MaxLanes(F())] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return hn::Load(F(), lanes);
  }
  HWY_INLINE void store(V v, float* to) const {
    HWY_ALIGN float lanes[hn::MaxLanes(F())];
    hn::Store(v, F(), lanes);
    for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
#endif
};

// Calls body(io, j) for j = 0, N, 2N, ... below size, the last time with a partial vector if size is not a multiple of
// N.
template <class Body>
HWY_INLINE void for_each_vector(std::size_t size, const Body& body) {
  const std::size_t lanes = hn::Lanes(F());
  std::size_t j = 0;
  for (; j + lanes <= size; j += lanes) body(WholeVector{}, j);
  if (j < size) body(PartOfVector{size - j}, j);
}

// Returns `v` with zeros in the lanes past the end of the array, for sums.
HWY_INLINE V zero_past_end(WholeVector, V v) { return v; }
HWY_INLINE V zero_past_end(PartOfVector io, V v) { return hn::IfThenElseZero(hn::FirstN(F(), io.count), v); }

// e^x = scale + scale * rest, scale a power of two and rest = e^r - 1 with |r| <= ln 2 / 2.
struct ExpParts {
  V scale;
  V rest;
};

// Requires -87.5 <= x <= 88, or NaN.
HWY_INLINE ExpParts exp_parts(V x) {
  const F f;
  const hn::RebindToSigned<F> i;
  // Adding 1.5 * 2^23 removes the fraction: n, the nearest integer, is in the lowest bits.
  const V magic = hn::Set(f, 12582912.0F);
  const V sum = hn::MulAdd(x, hn::Set(f, 1.44269504088896341F), magic);
  const V n = hn::Sub(sum, magic);
  const V r = hn::NegMulAdd(n, hn::Set(f, -2.12194440e-4F), hn::NegMulAdd(n, hn::Set(f, 0.693359375F), x));
  V p = hn::Set(f, 1.9875691500e-4F);
  p = hn::MulAdd(p, r, hn::Set(f, 1.3981999507e-3F));
  p = hn::MulAdd(p, r, hn::Set(f, 8.3334519073e-3F));
  p = hn::MulAdd(p, r, hn::Set(f, 4.1665795894e-2F));
  p = hn::MulAdd(p, r, hn::Set(f, 1.6666665459e-1F));
  p = hn::MulAdd(p, r, hn::Set(f, 5.0000001201e-1F));
  const V rest = hn::MulAdd(hn::Mul(r, r), p, r);
  const auto exponent = hn::Add(hn::ShiftLeft<23>(hn::BitCast(i, sum)), hn::Set(i, 0x3F800000));
  return {hn::BitCast(f, exponent), rest};
}

// The operand order keeps NaN on x86, where Min and Max return the second operand if either is NaN.
HWY_INLINE V clamped(V x) { return hn::Min(hn::Set(F(), 88.0F), hn::Max(hn::Set(F(), -87.5F), x)); }

// e^x for x <= 88; 0 below -87.
HWY_INLINE V exp_of(V x) {
  const ExpParts parts = exp_parts(clamped(x));
  const V e = hn::MulAdd(parts.scale, parts.rest, parts.scale);
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(F(), -87.0F)), e);
}

// 1 / (1 + e^-x).
HWY_INLINE V sigmoid_of(V x) {
  const ExpParts parts = exp_parts(clamped(hn::Neg(x)));
  const V one = hn::Set(F(), 1.0F);
  const V denominator = hn::Add(one, hn::MulAdd(parts.scale, parts.rest, parts.scale));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(F(), -87.0F)), hn::Div(one, denominator));
}

// (e^2|x| - 1) / (e^2|x| + 1) with the sign of x; e^y - 1 is formed without cancellation.
HWY_INLINE V tanh_of(V x) {
  const F f;
  const V y = hn::Min(hn::Set(f, 40.0F), hn::Abs(hn::Add(x, x)));
  const ExpParts parts = exp_parts(y);
  const V minus_one = hn::MulAdd(parts.scale, parts.rest, hn::Sub(parts.scale, hn::Set(f, 1.0F)));
  return hn::CopySign(hn::Div(minus_one, hn::Add(minus_one, hn::Set(f, 2.0F))), x);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#endif  // UNROLL_ACTIVATIONS_INL_H_
