#include "kernels/scans.h"

#include <algorithm>

#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/scans.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// g(a) = a + 1/2 for a >= 0, else sigmoid(a); and its slope, at 0 that of the right side.
struct Candidate {
  V value;
  V slope;
};
HWY_INLINE Candidate candidate_of(V a) {
  const V one = hn::Set(F(), 1.0F);
  const V s = sigmoid_of(a);
  const auto linear = hn::Ge(a, hn::Zero(F()));
  return {hn::IfThenElse(linear, hn::Add(a, hn::Set(F(), 0.5F)), s),
          hn::IfThenElse(linear, one, hn::Mul(s, hn::Sub(one, s)))};
}

struct MinGru {
  static constexpr std::size_t kGates = 2;

  // h_t; kReset: the previous state is zero and not passed.
  template <bool kReset, class Io>
  static HWY_INLINE V forward(const Io& io, const float* gates, std::size_t H, V before) {
    const V z = sigmoid_of(io.load(gates));
    const V n = candidate_of(io.load(gates + H)).value;
    return kReset ? hn::Mul(z, n) : hn::MulAdd(z, n, hn::NegMulAdd(z, before, before));
  }

  // Replaces the gates by their gradients; returns the gradient of the previous state.
  template <class Io>
  static HWY_INLINE V backward(const Io& io, float* gates, std::size_t H, V before, V d) {
    const V z = sigmoid_of(io.load(gates));
    const V rest = hn::Sub(hn::Set(F(), 1.0F), z);
    const Candidate n = candidate_of(io.load(gates + H));
    io.store(hn::Mul(hn::Mul(d, hn::Sub(n.value, before)), hn::Mul(z, rest)), gates);
    io.store(hn::Mul(hn::Mul(d, z), n.slope), gates + H);
    return hn::Mul(d, rest);
  }
};

// With 1/f = 1 + e^-a_f and 1/i = 1 + e^-a_i, f / (f + i) = (1/i) / (1/f + 1/i). All terms are multiplied by e^-m, m
// being the largest exponent: no exponential overflows, one of them is 1, and so the divisor is at least 1.
struct MinLstmGates {
  V f_share, i_share;  // f / (f + i) and i / (f + i)
  V f_rest, i_rest;    // (1 - f) i / (f + i) and (1 - i) f / (f + i)
};
HWY_INLINE MinLstmGates min_lstm_gates_of(V a_f, V a_i) {
  const V m = hn::Max(hn::Zero(F()), hn::Max(hn::Neg(a_f), hn::Neg(a_i)));
  const V unit = exp_of(hn::Neg(m));
  const V e_f = exp_of(hn::Sub(hn::Neg(a_f), m));
  const V e_i = exp_of(hn::Sub(hn::Neg(a_i), m));
  const V over_f = hn::Add(unit, e_f);
  const V over_i = hn::Add(unit, e_i);
  const V scale = hn::Div(hn::Set(F(), 1.0F), hn::Add(over_f, over_i));
  return {hn::Mul(over_i, scale), hn::Mul(over_f, scale), hn::Mul(e_f, scale), hn::Mul(e_i, scale)};
}

struct MinLstm {
  static constexpr std::size_t kGates = 3;

  template <bool kReset, class Io>
  static HWY_INLINE V forward(const Io& io, const float* gates, std::size_t H, V before) {
    const MinLstmGates g = min_lstm_gates_of(io.load(gates), io.load(gates + H));
    const V added = hn::Mul(g.i_share, candidate_of(io.load(gates + 2 * H)).value);
    return kReset ? added : hn::MulAdd(g.f_share, before, added);
  }

  template <class Io>
  static HWY_INLINE V backward(const Io& io, float* gates, std::size_t H, V before, V d) {
    const MinLstmGates g = min_lstm_gates_of(io.load(gates), io.load(gates + H));
    const Candidate n = candidate_of(io.load(gates + 2 * H));
    const V d_share = hn::Mul(d, hn::Sub(before, n.value));  // of f / (f + i) = 1 - i / (f + i)
    io.store(hn::Mul(d_share, hn::Mul(g.f_share, g.f_rest)), gates);
    io.store(hn::Neg(hn::Mul(d_share, hn::Mul(g.i_share, g.i_rest))), gates + H);
    io.store(hn::Mul(hn::Mul(d, g.i_share), n.slope), gates + 2 * H);
    return hn::Mul(d, g.f_share);
  }
};

// Calls part(row, first, last, starts from zero) for each part of a row within units [first, last) of step t.
template <class Part>
HWY_INLINE void for_each_row(const ScanShape& s, std::int64_t t, const Part& part) {
  for (std::int64_t unit = s.first; unit < s.last;) {
    const std::int64_t b = unit / s.H;
    const std::int64_t end = std::min((b + 1) * s.H, s.last);
    const std::int64_t row = t * s.B + b;
    part(row, unit - b * s.H, end - b * s.H, s.reset != nullptr && s.reset[row] != 0);
    unit = end;
  }
}

template <class Cell, bool kReset>
HWY_INLINE void forward_row(std::size_t H, std::size_t count, const float* gates, const float* before, float* h) {
  for_each_vector(count, [&](auto io, std::size_t j) HWY_ATTR {
    const V from = kReset ? hn::Zero(F()) : io.load(before + j);
    io.store(Cell::template forward<kReset>(io, gates + j, H, from), h + j);
  });
}

template <class Cell, bool kReset>
HWY_INLINE void backward_row(std::size_t H, std::size_t count, float* gates, const float* before, const float* dout,
                             float* dh) {
  for_each_vector(count, [&](auto io, std::size_t j) HWY_ATTR {
    const V from = kReset ? hn::Zero(F()) : io.load(before + j);
    const V d_before = Cell::backward(io, gates + j, H, from, hn::Add(io.load(dout + j), io.load(dh + j)));
    io.store(kReset ? hn::Zero(F()) : d_before, dh + j);
  });
}

template <class Cell>
HWY_INLINE void forward_kernel(const ScanShape& s, const float* gates, float* h) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for_each_row(s, t, [&](std::int64_t row, std::int64_t first, std::int64_t last, bool zero) HWY_ATTR {
      const auto count = static_cast<std::size_t>(last - first);
      const float* const a = gates + row * s.H * static_cast<std::int64_t>(Cell::kGates) + first;
      const float* const before = h + row * s.H + first;
      float* const after = h + (row + s.B) * s.H + first;
      if (zero) {
        forward_row<Cell, true>(H, count, a, before, after);
      } else {
        forward_row<Cell, false>(H, count, a, before, after);
      }
    });
  }
}

template <class Cell>
HWY_INLINE void backward_kernel(const ScanShape& s, float* gates, const float* h, const float* dout, float* dh) {
  const auto H = static_cast<std::size_t>(s.H);
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for_each_row(s, t, [&](std::int64_t row, std::int64_t first, std::int64_t last, bool zero) HWY_ATTR {
      const auto count = static_cast<std::size_t>(last - first);
      float* const a = gates + row * s.H * static_cast<std::int64_t>(Cell::kGates) + first;
      const float* const before = h + row * s.H + first;
      const float* const from_above = dout + row * s.H + first;
      float* const carried = dh + (row - t * s.B) * s.H + first;
      if (zero) {
        backward_row<Cell, true>(H, count, a, before, from_above, carried);
      } else {
        backward_row<Cell, false>(H, count, a, before, from_above, carried);
      }
    });
  }
}

void min_gru_forward_kernel(const ScanShape& s, const float* gates, float* h) { forward_kernel<MinGru>(s, gates, h); }
void min_lstm_forward_kernel(const ScanShape& s, const float* gates, float* h) { forward_kernel<MinLstm>(s, gates, h); }
void min_gru_backward_kernel(const ScanShape& s, float* gates, const float* h, const float* dout, float* dh) {
  backward_kernel<MinGru>(s, gates, h, dout, dh);
}
void min_lstm_backward_kernel(const ScanShape& s, float* gates, const float* h, const float* dout, float* dh) {
  backward_kernel<MinLstm>(s, gates, h, dout, dh);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(min_gru_forward_kernel);
HWY_EXPORT(min_lstm_forward_kernel);
HWY_EXPORT(min_gru_backward_kernel);
HWY_EXPORT(min_lstm_backward_kernel);

void min_gru_scan_forward(const ScanShape& shape, const float* gates, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(min_gru_forward_kernel)(shape, gates, h);
}

void min_gru_scan_backward(const ScanShape& shape, float* gates, const float* h, const float* dout, float* dh) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(min_gru_backward_kernel)(shape, gates, h, dout, dh);
}

void min_lstm_scan_forward(const ScanShape& shape, const float* gates, float* h) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(min_lstm_forward_kernel)(shape, gates, h);
}

void min_lstm_scan_backward(const ScanShape& shape, float* gates, const float* h, const float* dout, float* dh) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(min_lstm_backward_kernel)(shape, gates, h, dout, dh);
}

}  // namespace unroll
#endif
