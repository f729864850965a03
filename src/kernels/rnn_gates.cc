#include "kernels/gates.h"
#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rnn_gates.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

struct Tanh {
  static HWY_INLINE V value(V a) { return tanh_of(a); }
  static HWY_INLINE V slope(V h) { return hn::NegMulAdd(h, h, hn::Set(F(), 1.0F)); }
};

struct Relu {
  // A selection, not a maximum, so that NaN stays NaN.
  static HWY_INLINE V value(V a) { return hn::IfThenZeroElse(hn::Lt(a, hn::Zero(F())), a); }
  static HWY_INLINE V slope(V h) { return hn::IfThenElseZero(hn::Gt(h, hn::Zero(F())), hn::Set(F(), 1.0F)); }
};

template <class Nonlinearity>
void rnn_forward_kernel(const GateShape& s, const float* gates, const float* products, float* h) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const float* const a = gates + row * s.H;
    const float* const p = products + row * s.H;
    float* const out = h + row * s.H;
    if (s.reset != nullptr && s.reset[row] != 0) {
      for_each_vector(H,
                      [&](auto io, std::size_t j) HWY_ATTR { io.store(Nonlinearity::value(io.load(a + j)), out + j); });
    } else {
      for_each_vector(H, [&](auto io, std::size_t j) HWY_ATTR {
        io.store(Nonlinearity::value(hn::Add(io.load(a + j), io.load(p + j))), out + j);
      });
    }
  }
}

template <class Nonlinearity>
void rnn_backward_kernel(const GateShape& s, const float* h, const float* dout, const float* dh, float* dgates) {
  for_each_vector(static_cast<std::size_t>(s.rows * s.H), [&](auto io, std::size_t j) HWY_ATTR {
    const V d = hn::Add(io.load(dout + j), io.load(dh + j));
    io.store(hn::Mul(d, Nonlinearity::slope(io.load(h + j))), dgates + j);
  });
}

void rnn_tanh_forward_kernel(const GateShape& s, const float* gates, const float* products, float* h) {
  rnn_forward_kernel<Tanh>(s, gates, products, h);
}
void rnn_relu_forward_kernel(const GateShape& s, const float* gates, const float* products, float* h) {
  rnn_forward_kernel<Relu>(s, gates, products, h);
}
void rnn_tanh_backward_kernel(const GateShape& s, const float* h, const float* dout, const float* dh, float* dgates) {
  rnn_backward_kernel<Tanh>(s, h, dout, dh, dgates);
}
void rnn_relu_backward_kernel(const GateShape& s, const float* h, const float* dout, const float* dh, float* dgates) {
  rnn_backward_kernel<Relu>(s, h, dout, dh, dgates);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(rnn_tanh_forward_kernel);
HWY_EXPORT(rnn_relu_forward_kernel);
HWY_EXPORT(rnn_tanh_backward_kernel);
HWY_EXPORT(rnn_relu_backward_kernel);

void rnn_tanh_gates_forward(const GateShape& shape, const float* gates, const float* products, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(rnn_tanh_forward_kernel)(shape, gates, products, h);
}

void rnn_relu_gates_forward(const GateShape& shape, const float* gates, const float* products, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(rnn_relu_forward_kernel)(shape, gates, products, h);
}

void rnn_tanh_gates_backward(const GateShape& shape, const float* h, const float* dout, const float* dh,
                             float* dgates) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(rnn_tanh_backward_kernel)(shape, h, dout, dh, dgates);
}

void rnn_relu_gates_backward(const GateShape& shape, const float* h, const float* dout, const float* dh,
                             float* dgates) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(rnn_relu_backward_kernel)(shape, h, dout, dh, dgates);
}

}  // namespace unroll
#endif
