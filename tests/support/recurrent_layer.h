// Runs one layer as in training, at a RecurrentPoint, on plain vectors.
#pragma once

#include <limits>
#include <vector>

#include "base/workers.h"
#include "nn/gru.h"
#include "nn/gru_reset_before.h"
#include "nn/lstm.h"
#include "nn/min_gru.h"
#include "nn/min_lstm.h"
#include "nn/rnn.h"
#include "support/recurrent_point.h"

namespace unroll {

// Everything that the layer must write before it reads it begins as NaN, so that old values cannot help.
class LayerRun {
 public:
  LayerRun(const RecurrentPoint& point, Workers& workers, bool with_backward = true)
      : point_(point),
        workers_(workers),
        weights_(point.cell, point.shape.E, point.shape.H, Precision::kF32, with_backward) {
    const RecurrentShape& s = point.shape;
    const std::int64_t rows = s.T * s.B;
    const std::int64_t units = gate_count(point.cell) * s.H;
    const RecurrentParams<const float> params = layer_params(point, point.values.data());
    const RecurrentView view{params.U,          params.W,           params.b_input,   params.b_hidden,
                             params.norm_input, params.norm_hidden, params.norm_cell, params.b_cell};
    weights_.copy_vectors(point.cell, view);
    pack_all(workers, weights_.packing_tasks(point.cell, view));
    const bool is_gru = point.cell == Cell::kGru || point.cell == Cell::kGruResetBefore;
    tape_.x = MatView<const float>(point.values.data() + point.slice("x").offset, rows, s.E);
    tape_.gates = view_of(gates_, rows, units);
    tape_.h = view_of(h_, rows + s.B, s.H);
    put(tape_.h, "h0");
    if (point.cell == Cell::kLstm) {
      tape_.c = view_of(c_, rows + s.B, s.H);
      put(tape_.c, "c0");
    }
    if (is_gru) tape_.candidate = view_of(candidate_, rows, s.H);
    if (has_recurrent_weights(point.cell)) tape_.products = view_of(products_, s.B, units);
    tape_.reset = point.reset;
    if (point.layer_norm && with_backward) take_norm_tape(units);
  }
  LayerRun(const LayerRun&) = delete;
  LayerRun& operator=(const LayerRun&) = delete;

  void forward() {
    const RecurrentShape& s = point_.shape;
    switch (point_.cell) {
      case Cell::kRnnTanh:
        return rnn_forward(workers_, s, Nonlinearity::kTanh, weights_, tape_);
      case Cell::kRnnRelu:
        return rnn_forward(workers_, s, Nonlinearity::kRelu, weights_, tape_);
      case Cell::kLstm:
        return lstm_forward(workers_, s, weights_, tape_);
      case Cell::kGru:
        return gru_forward(workers_, s, weights_, tape_);
      case Cell::kGruResetBefore:
        return gru_reset_before_forward(workers_, s, weights_, tape_);
      case Cell::kMinGru:
        return min_gru_forward(workers_, s, weights_, tape_);
      case Cell::kMinLstm:
        return min_lstm_forward(workers_, s, weights_, tape_);
    }
  }

  // Gradients in the order of point.slices, after forward(). `initial` is the previous content of the
  // parameters' gradients; empty: zeros. Without `want_dx` the elements of x stay NaN.
  std::vector<float> backward(const std::vector<float>& initial = {}, bool want_dx = true) {
    const RecurrentShape& s = point_.shape;
    std::vector<float> gradient(point_.values.size());
    std::copy(initial.begin(), initial.end(), gradient.begin());
    float* const dx = gradient.data() + point_.slice("x").offset;
    std::fill_n(dx, s.T * s.B * s.E, kUnset);
    std::vector<float> dh = point_.dh1;
    std::vector<float> dc = point_.dc1;
    std::vector<float> scratch(static_cast<std::size_t>(s.B * s.H), kUnset);
    RecurrentGradientState dstate{{dh.data(), s.B, s.H}, {}, {scratch.data(), s.B, s.H}};
    if (!dc.empty()) dstate.dc = {dc.data(), s.B, s.H};
    run_backward(layer_params(point_, gradient.data()), dstate,
                 want_dx ? MatView<float>(dx, s.T * s.B, s.E) : MatView<float>());
    std::copy(dh.begin(), dh.end(), gradient.begin() + point_.slice("h0").offset);
    if (!dc.empty()) std::copy(dc.begin(), dc.end(), gradient.begin() + point_.slice("c0").offset);
    return gradient;
  }

  // h of all steps, (T*B, H).
  [[nodiscard]] std::vector<float> outputs() const { return after_state(h_); }
  // c of all steps; empty except for LSTM.
  [[nodiscard]] std::vector<float> cells() const { return c_.empty() ? c_ : after_state(c_); }

 private:
  static MatView<float> view_of(std::vector<float>& numbers, std::int64_t rows, std::int64_t cols) {
    numbers.assign(static_cast<std::size_t>(rows * cols), kUnset);
    return {numbers.data(), rows, cols};
  }

  void take_norm_tape(std::int64_t units) {
    const RecurrentShape& s = point_.shape;
    const std::int64_t rows = s.T * s.B;
    norm_buffers_.reserve(10);  // views stay where they are
    const auto take = [this](std::int64_t row_count, std::int64_t cols) {
      return view_of(norm_buffers_.emplace_back(), row_count, cols);
    };
    RecurrentNormTape& norm = tape_.norm;
    norm.input = {take(rows, units), take(rows, units / s.H)};
    norm.hidden = {take(rows, units), take(rows, units / s.H)};
    norm.dinput = take(s.B, units);
    norm.dhidden = take(s.B, units);
    if (point_.cell != Cell::kLstm) return;
    norm.cell = {take(rows, s.H), take(rows, 1)};
    norm.dcell = take(s.B, s.H);
    norm.db_cell = take(s.B, s.H);
  }

  void put(const MatView<float>& states, const char* name) {
    const Slice& slice = point_.slice(name);
    std::copy_n(point_.values.begin() + slice.offset, slice.size, states.data);
  }

  [[nodiscard]] std::vector<float> after_state(const std::vector<float>& states) const {
    return {states.begin() + point_.shape.B * point_.shape.H, states.end()};
  }

  void run_backward(const RecurrentParams<float>& dparams, const RecurrentGradientState& dstate,
                    const MatView<float>& dx) {
    const RecurrentShape& s = point_.shape;
    const MatView<const float> dout(point_.dout.data(), s.T * s.B, s.H);
    switch (point_.cell) {
      case Cell::kRnnTanh:
        return rnn_backward(workers_, s, Nonlinearity::kTanh, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kRnnRelu:
        return rnn_backward(workers_, s, Nonlinearity::kRelu, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kLstm:
        return lstm_backward(workers_, s, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kGru:
        return gru_backward(workers_, s, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kGruResetBefore:
        return gru_reset_before_backward(workers_, s, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kMinGru:
        return min_gru_backward(workers_, s, weights_, tape_, dout, dparams, dstate, dx);
      case Cell::kMinLstm:
        return min_lstm_backward(workers_, s, weights_, tape_, dout, dparams, dstate, dx);
    }
  }

  const RecurrentPoint& point_;
  Workers& workers_;
  RecurrentWeights weights_;
  RecurrentTape tape_;
  std::vector<float> gates_;
  std::vector<float> h_;
  std::vector<float> c_;
  std::vector<float> candidate_;
  std::vector<float> products_;
  std::vector<std::vector<float>> norm_buffers_;
};

}  // namespace unroll
