#include "nn/layer_norm.h"

#include <algorithm>
#include <vector>

#include "kernels/arrays.h"

namespace unroll {
namespace {

NormTape rows_of(const NormTape& tape, const ShardStep& step) {
  // Inference keeps nothing.
  if (tape.normalized.data == nullptr) return {};
  return {tape.normalized.row_range(step.at, step.count), tape.inverse.row_range(step.at, step.count)};
}

// The gates from unit `first` on, `count` units in total.
NormTape gates_of(const NormTape& tape, std::int64_t H, std::int64_t first, std::int64_t count) {
  if (tape.normalized.data == nullptr) return {};
  return {tape.normalized.col_range(first, count), tape.inverse.col_range(first / H, count / H)};
}

std::span<const float> part(const std::vector<float>& gain, std::int64_t first, std::int64_t count) {
  return std::span(gain).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

// A step's scratch as (rows, H).
MatView<float> scratch_of(const RecurrentShape& shape, const RecurrentTape& tape, const ShardStep& step) {
  return {tape.products.row(step.first), step.count, shape.H};
}

}  // namespace

void input_products_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                            RecurrentTape& tape) {
  if (!weights.normalizes()) return multiply_rows(workers, tape.x, weights.U, weights.bias, tape.gates);
  multiply_rows(workers, tape.x, weights.U, {}, tape.gates);
  constexpr std::int64_t kGrain = 64;
  workers.run_ranges(tape.gates.rows, kGrain, [&](std::int64_t first, std::int64_t last) {
    const ShardStep rows{.first = first, .count = last - first, .at = first, .after = 0, .gates = {}};
    const MatView<float> gates = tape.gates.row_range(first, last - first);
    layer_norm_forward(shape.H, {}, gates, weights.norm_input, weights.bias, gates, rows_of(tape.norm.input, rows));
  });
}

void input_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step) {
  if (!weights.normalizes()) return;
  layer_norm_backward(shape.H, {}, tape.gates.row_range(step.at, step.count), weights.norm_input,
                      rows_of(tape.norm.input, step), tape.norm.dinput.row_range(step.first, step.count));
}

void hidden_products_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step, MatView<float> products, std::int64_t first) {
  if (!weights.normalizes()) return;
  layer_norm_forward(shape.H, reset_of(tape.reset, step), products, part(weights.norm_hidden, first, products.cols), {},
                     products, gates_of(rows_of(tape.norm.hidden, step), shape.H, first, products.cols));
}

MatView<const float> hidden_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights,
                                              RecurrentTape& tape, const ShardStep& step,
                                              MatView<const float> dproducts, std::int64_t first) {
  if (!weights.normalizes()) return dproducts;
  const NormTape norm = gates_of(rows_of(tape.norm.hidden, step), shape.H, first, dproducts.cols);
  layer_norm_backward(shape.H, reset_of(tape.reset, step), dproducts, part(weights.norm_hidden, first, dproducts.cols),
                      norm, tape.norm.dhidden.row_range(step.first, step.count).col_range(first, dproducts.cols));
  return norm.normalized;
}

void cell_output_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                         const ShardStep& step) {
  const MatView<float> y = scratch_of(shape, tape, step);
  layer_norm_forward(shape.H, {}, tape.c.row_range(step.after, step.count), weights.norm_cell, weights.b_cell, y,
                     rows_of(tape.norm.cell, step));
  lstm_output_forward(step.gates, tape.gates.row(step.at), y.data, tape.h.row(step.after));
}

void cell_output_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                          const ShardStep& step, MatView<const float> dout, const RecurrentGradientState& dstate) {
  const MatView<float> dy = scratch_of(shape, tape, step);
  const NormTape norm = rows_of(tape.norm.cell, step);
  lstm_output_backward(step.gates, tape.gates.row(step.at), norm.normalized.data, weights.norm_cell.data(),
                       weights.b_cell.data(), dout.row(step.at), dstate.dh.row(step.first), dy.data);
  add(dy.flat(), tape.norm.db_cell.row_range(step.first, step.count).flat());
  layer_norm_backward(shape.H, {}, dy, weights.norm_cell, norm, tape.norm.dcell.row_range(step.first, step.count));
  add(norm.normalized.flat(), dstate.dc.row_range(step.first, step.count).flat());
}

void zero_gain_gradients(const RecurrentTape& tape, std::int64_t first, std::int64_t last) {
  for (const MatView<float>& sums : {tape.norm.dinput, tape.norm.dhidden, tape.norm.dcell, tape.norm.db_cell}) {
    if (sums.data != nullptr) std::ranges::fill(sums.row_range(first, last - first).flat(), 0.0F);
  }
}

void add_bias_gradients(Workers& workers, MatView<const float> dgates, std::span<float> db,
                        std::span<float> second_db) {
  constexpr std::int64_t kGrain = 256;
  workers.run_ranges(dgates.cols, kGrain, [&](std::int64_t first, std::int64_t last) {
    const auto at = static_cast<std::size_t>(first);
    std::vector<float> sums(static_cast<std::size_t>(last - first));
    add_column_sums(dgates.col_range(first, last - first), sums);
    add(sums, db.subspan(at, sums.size()));
    if (!second_db.empty()) add(sums, second_db.subspan(at, sums.size()));
  });
}

void add_gradients_of_normalized_input(Workers& workers, const RecurrentWeights& weights, const RecurrentTape& tape,
                                       const RecurrentParams<float>& dparams, MatView<float> dx) {
  const RecurrentNormTape& norm = tape.norm;
  if (dx.data != nullptr) multiply_rows(workers, norm.input.normalized, weights.U_back, {}, dx);
  add_weight_gradients(workers, weights.U.precision(), norm.input.normalized, {{tape.x, dparams.U}});
  add_bias_gradients(workers, norm.dinput, dparams.norm_input);
  add_bias_gradients(workers, norm.dhidden, dparams.norm_hidden);
  if (norm.dcell.data == nullptr) return;
  add_bias_gradients(workers, norm.dcell, dparams.norm_cell);
  add_bias_gradients(workers, norm.db_cell, dparams.b_cell);
}

void add_gradients_of_normalized_sums(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                                      const RecurrentTape& tape, const RecurrentParams<float>& dparams,
                                      MatView<float> dx) {
  add_gradients_of_normalized_input(workers, weights, tape, dparams, dx);
  add_weight_gradients(workers, weights.W.precision(), tape.norm.hidden.normalized,
                       {{tape.h.row_range(0, shape.T * shape.B), dparams.W, tape.reset}});
  add_bias_gradients(workers, tape.gates, dparams.b_input, dparams.b_hidden);
}

}  // namespace unroll
