// One recurrent layer over a window of T steps and B rows: the parts common to all cells.
//
// Layout. A window is time-major: row t*B + b holds step t of sequence b. States are in one buffer of (T+1)*B rows:
// from row B on they are h_0 .. h_{T-1}, from row 0 on the state before each step, so that a weight gradient is one
// product over all rows. Rows are independent, except in the sums of weight gradients.
//
// Zero state. A window may carry one bit per (t, b): "zero state before this step". At such a step h_{t-1} and
// c_{t-1} count as zero, and no gradient flows back through them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/layer_norm.h"
#include "kernels/matmul.h"
#include "unroll/cell.h"

namespace unroll {

struct RecurrentShape {
  std::int64_t T = 0;  // steps
  std::int64_t B = 0;  // rows
  std::int64_t E = 0;  // inputs of the layer: embedding size, or H of the layer below
  std::int64_t H = 0;  // units
};

// A layer's parameters as PyTorch keeps them, G being gate_count(cell). T is float, const float, or a reference scalar.
// W and b_hidden are empty if the cell has no recurrent weights.
template <class T>
struct RecurrentParams {
  MatView<T> U;           // (G*H, E)  weight_ih
  MatView<T> W;           // (G*H, H)  weight_hh
  std::span<T> b_input;   // (G*H)     bias_ih
  std::span<T> b_hidden;  // (G*H)     bias_hh
  // With layer normalisation; otherwise empty.
  std::span<T> norm_input = {};   // (G*H)  norm_ih: gains of U x
  std::span<T> norm_hidden = {};  // (G*H)  norm_hh: gains of W h
  std::span<T> norm_cell = {};    // (H)    norm_c: gains of c as h reads it, LSTM
  std::span<T> b_cell = {};       // (H)    bias_c: bias of c as h reads it
};

// A layer's parameters, read-only, in the precision in which they are stored.
struct RecurrentView {
  WeightView U;  // shapes as in RecurrentParams
  WeightView W;
  std::span<const float> b_input;
  std::span<const float> b_hidden;
  std::span<const float> norm_input = {};
  std::span<const float> norm_hidden = {};
  std::span<const float> norm_cell = {};
  std::span<const float> b_cell = {};
};

// A layer's parameters packed for products; packed again after each update.
struct RecurrentWeights {
  PackedMatrix U;            // (E, G*H): U x of all gates
  PackedMatrix W;            // (H, G*H); GRU with reset before the product: (H, 2H) of r,z; empty for minGRU, minLSTM
  PackedMatrix W_candidate;  // GRU with reset before the product: (H, H) of n; otherwise empty
  PackedMatrix U_back;       // the same three transposed, for backward; empty for inference
  PackedMatrix W_back;
  PackedMatrix W_candidate_back;
  std::vector<float> bias;            // (G*H) added to U x: b_input + b_hidden where only their sum matters
  std::vector<float> candidate_bias;  // (H) GRU: b_hidden of n, which the reset gate multiplies; otherwise empty
  std::vector<float> norm_input;      // as in RecurrentParams; empty: no normalisation
  std::vector<float> norm_hidden;
  std::vector<float> norm_cell;
  std::vector<float> b_cell;

  RecurrentWeights(Cell cell, std::int64_t E, std::int64_t H, Precision precision, bool with_backward);
  // Copies the biases and gains.
  void copy_vectors(Cell cell, const RecurrentView& params);
  // The matrices of `params` to be packed into this.
  [[nodiscard]] std::vector<PackingTask> packing_tasks(Cell cell, const RecurrentView& params);
  // Whether the layer has gains.
  [[nodiscard]] bool normalizes() const noexcept { return !norm_input.empty(); }
  [[nodiscard]] std::int64_t bytes() const noexcept;
};

// The part of a tape for layer normalisation. Without data if nothing is normalised, and for inference, which
// normalises products in place.
struct RecurrentNormTape {
  NormTape input;   // (T*B, G*H) of U x. Backward leaves the gradient of U x here
  NormTape hidden;  // (T*B, G*H) of W h. Backward leaves the gradient of W h here
  NormTape cell;    // (T*B, H) of c, LSTM. Backward leaves the part of c's gradient through it here
  // Scratch of backward: gradients of the gains and of b_cell for each row of the batch, summed over the steps.
  MatView<float> dinput;   // (B, G*H)
  MatView<float> dhidden;  // (B, G*H)
  MatView<float> dcell;    // (B, H) LSTM
  MatView<float> db_cell;  // (B, H) LSTM
};

// The results of forward that backward needs. Views into planned memory; see Network::plan for the sizes.
struct RecurrentTape {
  MatView<const float> x;    // (T*B, E) a view of the input
  MatView<float> gates;      // (T*B, G*H) after the nonlinearity (minGRU, minLSTM: before it), gate order of the cell.
                             // Backward leaves their gradients (before the nonlinearity) here
  MatView<float> h;          // ((T+1)*B, H): row block 0 is the previous state, the rest the output
  MatView<float> c;          // ((T+1)*B, H) LSTM: the cell state in the same layout; otherwise empty
  MatView<float> candidate;  // (T*B, H) GRU: W h + b_hidden of n. GRU with reset before: r h. Otherwise empty.
                             // Backward leaves the gradient of W h + b_hidden (GRU) here
  MatView<float> products;   // (B, G*H) scratch: the recurrent products of one step; minGRU, minLSTM: empty
  std::span<const std::uint8_t> reset;  // (T*B) zero state before this step where 1; empty: nowhere
  RecurrentNormTape norm = {};          // with layer normalisation
};

// The state between windows: (B, H) each; c only for LSTM.
template <class T>
struct RecurrentState {
  MatView<T> h;
  MatView<T> c;
};

// Scratch and results of a backward sweep.
struct RecurrentGradientState {
  MatView<float> dh;       // (B, H) in: gradient with respect to the state after the window (zero if nothing follows);
                           // out: with respect to the state before it
  MatView<float> dc;       // (B, H) the same for c; LSTM only
  MatView<float> scratch;  // (B, H) GRUs only
};

}  // namespace unroll
