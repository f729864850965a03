// A random point of one recurrent layer: parameters, inputs, the previous state, and the gradients from above and from
// after the window are all random. The tests of two cells differ only in the cell.
#pragma once

#include <gtest/gtest.h>

#include <complex>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/philox.h"
#include "network/ref/network.h"
#include "nn/ref/complex_step.h"

namespace unroll {

// A value that must be overwritten.
inline constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();

// The tolerance for planted mistakes in comparisons of gradients: far above that of the float layers, so that a mistake
// within it would pass everywhere.
inline constexpr double kLoosest = 1e-3;

using Complex = std::complex<double>;

// The place of one tensor in a flat vector.
struct Slice {
  std::string name;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

// A cell, with its products and cell state normalised or not. A plain cell converts to it and back.
struct LayerKind {
  Cell cell = Cell::kLstm;
  bool layer_norm = false;

  LayerKind(Cell which, bool normalized = false)  // NOLINT(google-explicit-constructor)
      : cell(which), layer_norm(normalized) {}
  operator Cell() const { return cell; }  // NOLINT(google-explicit-constructor)
};

// The variables of a layer's outputs, concatenated: U, W, b_input, b_hidden (W and b_hidden of size 0 where the
// cell has none), the gains of a normalised layer, x, h0, and c0 for LSTM.
inline std::vector<Slice> layer_slices(LayerKind cell, const RecurrentShape& s) {
  const std::int64_t units = gate_count(cell) * s.H;
  const std::int64_t recurrent = has_recurrent_weights(cell) ? units : 0;
  std::vector<Slice> slices = {
      {"U", 0, units * s.E}, {"W", 0, recurrent * s.H}, {"b_input", 0, units}, {"b_hidden", 0, recurrent}};
  if (cell.layer_norm) {
    slices.insert(slices.end(), {{"norm_input", 0, units}, {"norm_hidden", 0, units}});
    if (cell == Cell::kLstm) slices.insert(slices.end(), {{"norm_cell", 0, s.H}, {"b_cell", 0, s.H}});
  }
  slices.insert(slices.end(), {{"x", 0, s.T * s.B * s.E}, {"h0", 0, s.B * s.H}});
  if (cell == Cell::kLstm) slices.push_back({"c0", 0, s.B * s.H});
  std::int64_t offset = 0;
  for (Slice& slice : slices) {
    slice.offset = offset;
    offset += slice.size;
  }
  return slices;
}

// Whether every tensor of `actual` is within `tolerance` of `expected`, relative to the tensor's largest element.
// Tensors are compared one by one, so that a large one does not hide a small one's error.
template <class A>
testing::AssertionResult agree(const std::vector<Slice>& slices, const std::vector<A>& actual,
                               const std::vector<double>& expected, double tolerance) {
  if (actual.size() != expected.size()) {
    return testing::AssertionFailure() << actual.size() << " numbers, expected " << expected.size();
  }
  for (const Slice& slice : slices) {
    const auto first = static_cast<std::size_t>(slice.offset);
    const auto size = static_cast<std::size_t>(slice.size);
    const double error =
        ref::relative_error(std::span(actual).subspan(first, size), std::span(expected).subspan(first, size));
    if (!(error <= tolerance)) {
      return testing::AssertionFailure() << slice.name << " is off by " << error << " of its largest element";
    }
  }
  return testing::AssertionSuccess();
}

enum class Resets { kNone, kSome };

// Values are random floats, so that float and double layers compute at the same point.
struct RecurrentPoint {
  Cell cell = Cell::kLstm;
  RecurrentShape shape;
  std::vector<Slice> slices;
  std::vector<float> values;        // layer_slices
  std::vector<float> dout;          // (T*B, H)
  std::vector<float> dh1;           // (B, H)
  std::vector<float> dc1;           // (B, H) LSTM
  std::vector<std::uint8_t> reset;  // (T*B) or empty
  bool layer_norm = false;

  [[nodiscard]] LayerKind kind() const { return {cell, layer_norm}; }
  [[nodiscard]] const Slice& slice(const std::string& name) const {
    for (const Slice& p : slices) {
      if (p.name == name) return p;
    }
    throw std::out_of_range(name);
  }
};

// `count` numbers in [-scale, scale).
inline std::vector<float> random_numbers(std::uint64_t seed, std::uint32_t stream, std::int64_t count, float scale) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, stream, 0, static_cast<std::uint32_t>(i / 4));
    numbers[i] = scale * (2 * uniform_float(words[i % 4]) - 1);
  }
  return numbers;
}

// Some bits set, including one at the first step and one at the last if there are enough rows.
inline std::vector<std::uint8_t> random_resets(std::uint64_t seed, std::int64_t T, std::int64_t B) {
  std::vector<std::uint8_t> reset;
  for (const float number : random_numbers(seed, 99, T * B, 1)) reset.push_back(number < -0.4F ? 1 : 0);
  reset.front() = 1;
  reset.back() = 1;
  if (B > 1) reset[1] = 0;
  return reset;
}

// Weights shrink with the width, so that wide layers neither saturate nor become chaotic.
inline RecurrentPoint random_point(LayerKind cell, const RecurrentShape& s, std::uint64_t seed, Resets resets) {
  RecurrentPoint point{cell, s, layer_slices(cell, s), {}, {}, {}, {}, {}, cell.layer_norm};
  std::uint32_t stream = 0;
  for (const Slice& slice : point.slices) {
    const bool is_weight = slice.name == "U" || slice.name == "W";
    const float scale = is_weight ? std::fmin(1.0F, 2 / std::sqrt(static_cast<float>(s.H))) : 1.0F;
    const std::vector<float> numbers = random_numbers(seed, stream++, slice.size, scale);
    point.values.insert(point.values.end(), numbers.begin(), numbers.end());
  }
  point.dout = random_numbers(seed, 20, s.T * s.B * s.H, 1);
  point.dh1 = random_numbers(seed, 21, s.B * s.H, 1);
  if (cell == Cell::kLstm) point.dc1 = random_numbers(seed, 22, s.B * s.H, 1);
  if (resets == Resets::kSome) point.reset = random_resets(seed, s.T, s.B);
  return point;
}

template <class T>
RecurrentParams<T> layer_params(const RecurrentPoint& point, T* values) {
  const std::int64_t units = gate_count(point.cell) * point.shape.H;
  const auto vector = [&](const char* name) {
    const Slice& slice = point.slice(name);
    return std::span<T>(values + slice.offset, static_cast<std::size_t>(slice.size));
  };
  MatView<T> W;
  if (has_recurrent_weights(point.cell)) W = {values + point.slice("W").offset, units, point.shape.H};
  RecurrentParams<T> params{{values, units, point.shape.E}, W, vector("b_input"), vector("b_hidden")};
  if (!point.layer_norm) return params;
  params.norm_input = vector("norm_input");
  params.norm_hidden = vector("norm_hidden");
  if (point.cell != Cell::kLstm) return params;
  params.norm_cell = vector("norm_cell");
  params.b_cell = vector("b_cell");
  return params;
}

template <class S, class From>
ref::Matrix<S> matrix_of(std::span<const From> numbers, std::int64_t rows, std::int64_t cols) {
  ref::Matrix<S> matrix(rows, cols);
  for (std::size_t i = 0; i < matrix.values.size(); ++i) matrix.values[i] = S(numbers[i]);
  return matrix;
}

// Runs the reference at `values`, in place of point.values.
template <class S>
struct ReferenceRun {
  ReferenceRun(const RecurrentPoint& point, std::span<const S> values) {
    const RecurrentShape& s = point.shape;
    const auto slice = [&](const char* name) {
      return values.subspan(static_cast<std::size_t>(point.slice(name).offset));
    };
    ref::State<S> state0{matrix_of<S>(slice("h0"), s.B, s.H), {}};
    if (point.cell == Cell::kLstm) state0.c = matrix_of<S>(slice("c0"), s.B, s.H);
    ref::recurrent_forward(point.cell, s, layer_params(point, values.data()), matrix_of<S>(slice("x"), s.T * s.B, s.E),
                           point.reset, state0, tape, state1);
  }

  // The objective, outputs times incoming gradients: backward computes its derivative.
  [[nodiscard]] S objective(const RecurrentPoint& point) const {
    S sum(0);
    for (std::size_t i = 0; i < point.dout.size(); ++i) sum += S(point.dout[i]) * tape.h.values[i];
    for (std::size_t i = 0; i < point.dh1.size(); ++i) sum += S(point.dh1[i]) * state1.h.values[i];
    for (std::size_t i = 0; i < point.dc1.size(); ++i) sum += S(point.dc1[i]) * state1.c.values[i];
    return sum;
  }

  ref::Tape<S> tape;
  ref::State<S> state1;
};

inline ReferenceRun<double> reference_run(const RecurrentPoint& point) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  return {point, std::span<const double>(values)};
}

// Derivative of the objective by complex step, in the order of point.slices.
inline std::vector<double> complex_step_gradient(const RecurrentPoint& point) {
  std::vector<Complex> values(point.values.begin(), point.values.end());
  return ref::complex_step_gradient(std::span(values), [&] {
    return ReferenceRun<Complex>(point, std::span<const Complex>(values)).objective(point);
  });
}

// Signature of a reference backward with its cell and shape bound.
using ReferenceBackward =
    std::function<void(const RecurrentParams<const double>&, const ref::Tape<double>&, const ref::Matrix<double>& dout,
                       const ref::State<double>& dstate1, const RecurrentParams<double>&, ref::Matrix<double>& dx,
                       ref::State<double>& dstate0)>;

// The cell's own backward.
inline ReferenceBackward reference_backward(const RecurrentPoint& point) {
  return [cell = point.cell, shape = point.shape](const auto& params, const auto& tape, const auto& dout,
                                                  const auto& dstate1, const auto& dparams, auto& dx, auto& dstate0) {
    ref::recurrent_backward(cell, shape, params, tape, dout, dstate1, dparams, dx, dstate0);
  };
}

// The gradients of `backward` at the point, in the order of point.slices. `initial` is their previous content; empty:
// zeros.
inline std::vector<double> reference_gradient(const RecurrentPoint& point, const ReferenceBackward& backward,
                                              const std::vector<float>& initial = {}) {
  const RecurrentShape& s = point.shape;
  const std::vector<double> values(point.values.begin(), point.values.end());
  const ReferenceRun<double> run(point, std::span<const double>(values));
  std::vector<double> gradient(point.values.size());
  std::copy(initial.begin(), initial.end(), gradient.begin());
  const auto dout = matrix_of<double>(std::span<const float>(point.dout), s.T * s.B, s.H);
  ref::State<double> dstate1{matrix_of<double>(std::span<const float>(point.dh1), s.B, s.H), {}};
  if (point.cell == Cell::kLstm) dstate1.c = matrix_of<double>(std::span<const float>(point.dc1), s.B, s.H);
  ref::Matrix<double> dx;
  ref::State<double> dstate0;
  backward(layer_params(point, values.data()), run.tape, dout, dstate1, layer_params(point, gradient.data()), dx,
           dstate0);
  const auto put = [&](const char* name, const std::vector<double>& numbers) {
    std::copy(numbers.begin(), numbers.end(), gradient.begin() + point.slice(name).offset);
  };
  put("x", dx.values);
  put("h0", dstate0.h.values);
  if (point.cell == Cell::kLstm) put("c0", dstate0.c.values);
  return gradient;
}

inline std::vector<double> reference_gradient(const RecurrentPoint& point) {
  return reference_gradient(point, reference_backward(point));
}

// All sizes different, and each size 1 in turn.
inline std::vector<RecurrentShape> small_shapes() {
  return {{4, 3, 5, 6}, {1, 3, 5, 6}, {4, 1, 5, 6}, {4, 3, 1, 6}, {4, 3, 5, 1}, {1, 1, 1, 1}, {7, 2, 3, 5}};
}

inline std::string describe(const RecurrentPoint& p) {
  return std::string(cell_name(p.cell)) + " T=" + std::to_string(p.shape.T) + " B=" + std::to_string(p.shape.B) +
         " E=" + std::to_string(p.shape.E) + " H=" + std::to_string(p.shape.H) + (p.layer_norm ? ", normalised" : "") +
         (p.reset.empty() ? "" : ", with resets");
}

}  // namespace unroll
