#include "kernels/gates.h"
#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gru_gates.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// (1 - z) n + z h, or (1 - z) n if the previous state is zero.
template <bool kReset>
HWY_INLINE V mix(V z, V n, V h_before) {
  const V fresh = hn::NegMulAdd(z, n, n);
  return kReset ? fresh : hn::MulAdd(z, h_before, fresh);
}

// x (1 - x): the slope of the sigmoid at its value.
HWY_INLINE V sigmoid_slope(V y) { return hn::NegMulAdd(y, y, y); }

template <bool kReset>
HWY_INLINE void gru_forward_row(std::size_t H, float* gates, const float* products, const float* candidate_bias,
                                const float* h_before, float* candidate, float* h) {
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const auto with_product = [&](V a, std::size_t k)
                                  HWY_ATTR { return kReset ? a : hn::Add(a, io.load(products + k * H + j)); };
    const V r = sigmoid_of(with_product(io.load(gates + j), 0));
    const V z = sigmoid_of(with_product(io.load(gates + H + j), 1));
    const V q = with_product(io.load(candidate_bias + j), 2);
    const V n = tanh_of(hn::MulAdd(r, q, io.load(gates + 2 * H + j)));
    io.store(r, gates + j);
    io.store(z, gates + H + j);
    io.store(n, gates + 2 * H + j);
    io.store(q, candidate + j);
    io.store(mix<kReset>(z, n, io.load(h_before + j)), h + j);
  });
}

template <bool kReset>
HWY_INLINE void gru_backward_row(std::size_t H, float* gates, float* candidate, const float* h_before,
                                 const float* dout, float* dh, float* products) {
  const V one = hn::Set(F(), 1.0F);
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const V r = io.load(gates + j);
    const V z = io.load(gates + H + j);
    const V n = io.load(gates + 2 * H + j);
    const V q = io.load(candidate + j);
    const V d = hn::Add(io.load(dout + j), io.load(dh + j));
    const V dn = hn::Mul(hn::Mul(d, hn::Sub(one, z)), hn::NegMulAdd(n, n, one));
    const V difference = kReset ? hn::Neg(n) : hn::Sub(io.load(h_before + j), n);
    const V dz = hn::Mul(hn::Mul(d, difference), sigmoid_slope(z));
    const V dr = hn::Mul(hn::Mul(dn, q), sigmoid_slope(r));
    const V dq = hn::Mul(dn, r);
    io.store(dr, gates + j);
    io.store(dz, gates + H + j);
    io.store(dn, gates + 2 * H + j);
    io.store(dq, candidate + j);
    io.store(dr, products + j);
    io.store(dz, products + H + j);
    io.store(dq, products + 2 * H + j);
    io.store(kReset ? hn::Zero(F()) : hn::Mul(d, z), dh + j);
  });
}

// The previous state is only a factor here, so a zero state needs no special case.
template <bool kReset>
HWY_INLINE void reset_before_gates_forward_row(std::size_t H, float* gates, const float* products,
                                               const float* h_before, float* candidate) {
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const auto gate = [&](std::size_t k) HWY_ATTR {
      const V a = io.load(gates + k * H + j);
      return sigmoid_of(kReset ? a : hn::Add(a, io.load(products + k * H + j)));
    };
    const V r = gate(0);
    io.store(r, gates + j);
    io.store(gate(1), gates + H + j);
    io.store(kReset ? hn::Zero(F()) : hn::Mul(r, io.load(h_before + j)), candidate + j);
  });
}

// The product is that of r h_before, which is zero if the previous state is: no special case.
template <bool kReset>
HWY_INLINE void reset_before_output_forward_row(std::size_t H, float* gates, const float* product,
                                                const float* h_before, float* h) {
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const V a = io.load(gates + 2 * H + j);
    const V n = tanh_of(kReset ? a : hn::Add(a, io.load(product + j)));
    io.store(n, gates + 2 * H + j);
    io.store(mix<kReset>(io.load(gates + H + j), n, io.load(h_before + j)), h + j);
  });
}

template <bool kReset>
HWY_INLINE void reset_before_output_backward_row(std::size_t H, float* gates, const float* h_before, const float* dout,
                                                 float* dh, float* dn_out) {
  const V one = hn::Set(F(), 1.0F);
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const V z = io.load(gates + H + j);
    const V n = io.load(gates + 2 * H + j);
    const V d = hn::Add(io.load(dout + j), io.load(dh + j));
    const V dn = hn::Mul(hn::Mul(d, hn::Sub(one, z)), hn::NegMulAdd(n, n, one));
    const V difference = kReset ? hn::Neg(n) : hn::Sub(io.load(h_before + j), n);
    io.store(hn::Mul(hn::Mul(d, difference), sigmoid_slope(z)), gates + H + j);
    io.store(dn, gates + 2 * H + j);
    io.store(dn, dn_out + j);
    io.store(kReset ? hn::Zero(F()) : hn::Mul(d, z), dh + j);
  });
}

template <bool kReset>
HWY_INLINE void reset_before_gates_backward_row(std::size_t H, float* gates, const float* h_before, const float* dp,
                                                float* dh, float* drz) {
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const V r = io.load(gates + j);
    const V dp_now = io.load(dp + j);
    const V dr = kReset ? hn::Zero(F()) : hn::Mul(hn::Mul(dp_now, io.load(h_before + j)), sigmoid_slope(r));
    io.store(dr, gates + j);
    io.store(dr, drz + j);
    io.store(io.load(gates + H + j), drz + H + j);
    if constexpr (!kReset) io.store(hn::MulAdd(dp_now, r, io.load(dh + j)), dh + j);
  });
}

// Calls row<true> or row<false>(offset of the row in a (rows, H) buffer) for each row.
template <class WithReset, class Without>
HWY_INLINE void for_each_row(const GateShape& s, const WithReset& with_reset, const Without& without) {
  for (std::int64_t row = 0; row < s.rows; ++row) {
    if (s.reset != nullptr && s.reset[row] != 0) {
      with_reset(row * s.H);
    } else {
      without(row * s.H);
    }
  }
}

#define UNROLL_FOR_EACH_ROW(function, ...)                                                              \
  for_each_row(                                                                                         \
      s, [&](std::int64_t at) HWY_ATTR { function<true>(static_cast<std::size_t>(s.H), __VA_ARGS__); }, \
      [&](std::int64_t at) HWY_ATTR { function<false>(static_cast<std::size_t>(s.H), __VA_ARGS__); })

void gru_forward_kernel(const GateShape& s, float* gates, const float* products, const float* candidate_bias,
                        const float* h_before, float* candidate, float* h) {
  UNROLL_FOR_EACH_ROW(gru_forward_row, gates + 3 * at, products + 3 * at, candidate_bias, h_before + at, candidate + at,
                      h + at);
}

void gru_backward_kernel(const GateShape& s, float* gates, float* candidate, const float* h_before, const float* dout,
                         float* dh, float* products) {
  UNROLL_FOR_EACH_ROW(gru_backward_row, gates + 3 * at, candidate + at, h_before + at, dout + at, dh + at,
                      products + 3 * at);
}

void reset_before_gates_forward_kernel(const GateShape& s, float* gates, const float* products, const float* h_before,
                                       float* candidate) {
  UNROLL_FOR_EACH_ROW(reset_before_gates_forward_row, gates + 3 * at, products + 2 * at, h_before + at, candidate + at);
}

void reset_before_output_forward_kernel(const GateShape& s, float* gates, const float* product, const float* h_before,
                                        float* h) {
  UNROLL_FOR_EACH_ROW(reset_before_output_forward_row, gates + 3 * at, product + at, h_before + at, h + at);
}

void reset_before_output_backward_kernel(const GateShape& s, float* gates, const float* h_before, const float* dout,
                                         float* dh, float* dn) {
  UNROLL_FOR_EACH_ROW(reset_before_output_backward_row, gates + 3 * at, h_before + at, dout + at, dh + at, dn + at);
}

void reset_before_gates_backward_kernel(const GateShape& s, float* gates, const float* h_before, const float* dp,
                                        float* dh, float* drz) {
  UNROLL_FOR_EACH_ROW(reset_before_gates_backward_row, gates + 3 * at, h_before + at, dp + at, dh + at, drz + 2 * at);
}

#undef UNROLL_FOR_EACH_ROW

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(gru_forward_kernel);
HWY_EXPORT(gru_backward_kernel);
HWY_EXPORT(reset_before_gates_forward_kernel);
HWY_EXPORT(reset_before_output_forward_kernel);
HWY_EXPORT(reset_before_output_backward_kernel);
HWY_EXPORT(reset_before_gates_backward_kernel);

void gru_gates_forward(const GateShape& shape, float* gates, const float* products, const float* candidate_bias,
                       const float* h_before, float* candidate, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(gru_forward_kernel)(shape, gates, products, candidate_bias, h_before, candidate, h);
}

void gru_gates_backward(const GateShape& shape, float* gates, float* candidate, const float* h_before,
                        const float* dout, float* dh, float* products) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(gru_backward_kernel)(shape, gates, candidate, h_before, dout, dh, products);
}

void gru_reset_before_gates_forward(const GateShape& shape, float* gates, const float* products, const float* h_before,
                                    float* candidate) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(reset_before_gates_forward_kernel)(shape, gates, products, h_before, candidate);
}

void gru_reset_before_output_forward(const GateShape& shape, float* gates, const float* product, const float* h_before,
                                     float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(reset_before_output_forward_kernel)(shape, gates, product, h_before, h);
}

void gru_reset_before_output_backward(const GateShape& shape, float* gates, const float* h_before, const float* dout,
                                      float* dh, float* dn) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(reset_before_output_backward_kernel)(shape, gates, h_before, dout, dh, dn);
}

void gru_reset_before_gates_backward(const GateShape& shape, float* gates, const float* h_before, const float* dp,
                                     float* dh, float* drz) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(reset_before_gates_backward_kernel)(shape, gates, h_before, dp, dh, drz);
}

}  // namespace unroll
#endif
