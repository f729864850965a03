#include "kernels/gates.h"
#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lstm_gates.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// One row; kReset: the previous state is zero; kOutput: h is computed too, from the cell state itself.
template <bool kReset, bool kOutput>
HWY_INLINE void lstm_forward_row(std::size_t H, float* gates, const float* products, const float* c_before, float* c,
                                 float* h) {
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const auto sum = [&](std::size_t k) HWY_ATTR {
      const V a = io.load(gates + k * H + j);
      return kReset ? a : hn::Add(a, io.load(products + k * H + j));
    };
    const V i = sigmoid_of(sum(0));
    const V f = sigmoid_of(sum(1));
    const V g = tanh_of(sum(2));
    const V o = sigmoid_of(sum(3));
    const V ig = hn::Mul(i, g);
    const V c_now = kReset ? ig : hn::MulAdd(f, io.load(c_before + j), ig);
    io.store(i, gates + j);
    io.store(f, gates + H + j);
    io.store(g, gates + 2 * H + j);
    io.store(o, gates + 3 * H + j);
    io.store(c_now, c + j);
    if constexpr (kOutput) io.store(hn::Mul(o, tanh_of(c_now)), h + j);
  });
}

// Without kOutput, dc already includes the gradient through h, and the gradient of o is computed elsewhere.
template <bool kReset, bool kOutput>
HWY_INLINE void lstm_backward_row(std::size_t H, float* gates, const float* c_before, const float* c, const float* dout,
                                  const float* dh, float* dc) {
  const V one = hn::Set(F(), 1.0F);
  for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
    const V i = io.load(gates + j);
    const V f = io.load(gates + H + j);
    const V g = io.load(gates + 2 * H + j);
    V dc_now = io.load(dc + j);
    if constexpr (kOutput) {
      const V o = io.load(gates + 3 * H + j);
      const V tanh_c = tanh_of(io.load(c + j));
      const V d = hn::Add(io.load(dout + j), io.load(dh + j));
      dc_now = hn::MulAdd(hn::Mul(d, o), hn::NegMulAdd(tanh_c, tanh_c, one), dc_now);
      io.store(hn::Mul(hn::Mul(d, tanh_c), hn::Mul(o, hn::Sub(one, o))), gates + 3 * H + j);
    }
    const V slope_f = hn::Mul(f, hn::Sub(one, f));
    io.store(hn::Mul(hn::Mul(dc_now, g), hn::Mul(i, hn::Sub(one, i))), gates + j);
    io.store(kReset ? hn::Zero(F()) : hn::Mul(hn::Mul(dc_now, io.load(c_before + j)), slope_f), gates + H + j);
    io.store(hn::Mul(hn::Mul(dc_now, i), hn::NegMulAdd(g, g, one)), gates + 2 * H + j);
    io.store(kReset ? hn::Zero(F()) : hn::Mul(dc_now, f), dc + j);
  });
}

template <bool kOutput>
HWY_INLINE void lstm_forward_rows(const GateShape& s, float* gates, const float* products, const float* c_before,
                                  float* c, float* h) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * s.H;
    float* const h_at = kOutput ? h + at : nullptr;
    if (s.reset != nullptr && s.reset[row] != 0) {
      lstm_forward_row<true, kOutput>(H, gates + 4 * at, products + 4 * at, c_before + at, c + at, h_at);
    } else {
      lstm_forward_row<false, kOutput>(H, gates + 4 * at, products + 4 * at, c_before + at, c + at, h_at);
    }
  }
}

template <bool kOutput>
HWY_INLINE void lstm_backward_rows(const GateShape& s, float* gates, const float* c_before, const float* c,
                                   const float* dout, const float* dh, float* dc) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * s.H;
    const auto above = [at](const float* all) { return kOutput ? all + at : nullptr; };
    if (s.reset != nullptr && s.reset[row] != 0) {
      lstm_backward_row<true, kOutput>(H, gates + 4 * at, c_before + at, above(c), above(dout), above(dh), dc + at);
    } else {
      lstm_backward_row<false, kOutput>(H, gates + 4 * at, c_before + at, above(c), above(dout), above(dh), dc + at);
    }
  }
}

void lstm_forward_kernel(const GateShape& s, float* gates, const float* products, const float* c_before, float* c,
                         float* h) {
  lstm_forward_rows<true>(s, gates, products, c_before, c, h);
}

void lstm_cell_forward_kernel(const GateShape& s, float* gates, const float* products, const float* c_before,
                              float* c) {
  lstm_forward_rows<false>(s, gates, products, c_before, c, nullptr);
}

void lstm_output_forward_kernel(const GateShape& s, const float* gates, const float* y, float* h) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * s.H;
    const float* const output_gate = gates + 4 * at + 3 * s.H;
    for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
      const V o = io.load(output_gate + j);
      io.store(hn::Mul(o, tanh_of(io.load(y + at + j))), h + at + j);
    });
  }
}

void lstm_backward_kernel(const GateShape& s, float* gates, const float* c_before, const float* c, const float* dout,
                          const float* dh, float* dc) {
  lstm_backward_rows<true>(s, gates, c_before, c, dout, dh, dc);
}

void lstm_cell_backward_kernel(const GateShape& s, float* gates, const float* c_before, float* dc) {
  lstm_backward_rows<false>(s, gates, c_before, nullptr, nullptr, nullptr, dc);
}

void lstm_output_backward_kernel(const GateShape& s, float* gates, const float* normalized, const float* gain,
                                 const float* bias, const float* dout, const float* dh, float* dy) {
  const auto H = static_cast<std::size_t>(s.H);
  const V one = hn::Set(F(), 1.0F);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const std::int64_t at = row * s.H;
    float* const output_gate = gates + 4 * at + 3 * s.H;
    for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
      const V o = io.load(output_gate + j);
      const V tanh_y = tanh_of(hn::MulAdd(io.load(gain + j), io.load(normalized + at + j), io.load(bias + j)));
      const V d = hn::Add(io.load(dout + at + j), io.load(dh + at + j));
      io.store(hn::Mul(hn::Mul(d, o), hn::NegMulAdd(tanh_y, tanh_y, one)), dy + at + j);
      io.store(hn::Mul(hn::Mul(d, tanh_y), hn::Mul(o, hn::Sub(one, o))), output_gate + j);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(lstm_forward_kernel);
HWY_EXPORT(lstm_cell_forward_kernel);
HWY_EXPORT(lstm_output_forward_kernel);
HWY_EXPORT(lstm_backward_kernel);
HWY_EXPORT(lstm_cell_backward_kernel);
HWY_EXPORT(lstm_output_backward_kernel);

void lstm_gates_forward(const GateShape& shape, float* gates, const float* products, const float* c_before, float* c,
                        float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_forward_kernel)(shape, gates, products, c_before, c, h);
}

void lstm_gates_backward(const GateShape& shape, float* gates, const float* c_before, const float* c, const float* dout,
                         const float* dh, float* dc) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_backward_kernel)(shape, gates, c_before, c, dout, dh, dc);
}

void lstm_cell_forward(const GateShape& shape, float* gates, const float* products, const float* c_before, float* c) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_cell_forward_kernel)(shape, gates, products, c_before, c);
}

void lstm_output_forward(const GateShape& shape, const float* gates, const float* y, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_output_forward_kernel)(shape, gates, y, h);
}

void lstm_output_backward(const GateShape& shape, float* gates, const float* normalized, const float* gain,
                          const float* bias, const float* dout, const float* dh, float* dy) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_output_backward_kernel)(shape, gates, normalized, gain, bias, dout, dh, dy);
}

void lstm_cell_backward(const GateShape& shape, float* gates, const float* c_before, float* dc) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(lstm_cell_backward_kernel)(shape, gates, c_before, dc);
}

}  // namespace unroll
#endif
