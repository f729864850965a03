#include "nn/recurrent.h"

#include <algorithm>
#include <array>

#include "kernels/arrays.h"
#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"

namespace unroll {

RecurrentWeights::RecurrentWeights(Cell cell, std::int64_t E, std::int64_t H, Precision precision, bool with_backward) {
  const std::int64_t G = gate_count(cell);
  const bool split = cell == Cell::kGruResetBefore;
  const std::int64_t GW = split ? 2 : G;  // gates whose recurrent product is with h itself
  const bool recurrent = has_recurrent_weights(cell);
  U = PackedMatrix(E, G * H, precision);
  if (recurrent) W = PackedMatrix(H, GW * H, precision);
  if (split) W_candidate = PackedMatrix(H, H, precision);
  if (with_backward) {
    U_back = PackedMatrix(G * H, E, precision);
    if (recurrent) W_back = PackedMatrix(GW * H, H, precision);
    if (split) W_candidate_back = PackedMatrix(H, H, precision);
  }
  bias.resize(static_cast<std::size_t>(G * H));
  if (cell == Cell::kGru) candidate_bias.resize(static_cast<std::size_t>(H));
}

void RecurrentWeights::copy_vectors(Cell cell, const RecurrentView& params) {
  const std::int64_t H = params.W.cols();  // 0 if there is no W
  std::copy(params.b_input.begin(), params.b_input.end(), bias.begin());
  // The GRU's reset gate multiplies W h + b' of the candidate, so that b' cannot be added to the input's side.
  const auto summed = static_cast<std::size_t>(cell == Cell::kGru ? 2 * H : params.W.rows());
  for (std::size_t k = 0; k < summed; ++k) bias[k] += params.b_hidden[k];
  if (cell == Cell::kGru) std::copy(params.b_hidden.begin() + 2 * H, params.b_hidden.end(), candidate_bias.begin());

  const auto copy = [](std::span<const float> from, std::vector<float>& to) { to.assign(from.begin(), from.end()); };
  copy(params.norm_input, norm_input);
  copy(params.norm_hidden, norm_hidden);
  copy(params.norm_cell, norm_cell);
  copy(params.b_cell, b_cell);
}

std::vector<PackingTask> RecurrentWeights::packing_tasks(Cell cell, const RecurrentView& params) {
  const std::int64_t H = params.W.cols();
  const bool split = cell == Cell::kGruResetBefore;
  const auto if_used = [](PackedMatrix& back) { return back.bytes() > 0 ? &back : nullptr; };
  std::vector<PackingTask> tasks{{params.U, &U, if_used(U_back)}};
  if (has_recurrent_weights(cell)) {
    tasks.push_back({split ? params.W.row_range(0, 2 * H) : params.W, &W, if_used(W_back)});
  }
  if (split) tasks.push_back({params.W.row_range(2 * H, H), &W_candidate, if_used(W_candidate_back)});
  return tasks;
}

std::int64_t RecurrentWeights::bytes() const noexcept {
  return U.bytes() + W.bytes() + W_candidate.bytes() + U_back.bytes() + W_back.bytes() + W_candidate_back.bytes();
}

void multiply_rows(Workers& workers, MatView<const float> x, const PackedMatrix& weights, std::span<const float> bias,
                   MatView<float> y) {
  constexpr std::int64_t kTypicalRows = 96;
  workers.run_balanced(x.rows, kTypicalRows, kProductRows, [&](std::int64_t first, std::int64_t last) {
    weights.multiply(x.row_range(first, last - first), bias, y.row_range(first, last - first));
  });
}

void add_weight_gradients(Workers& workers, Precision precision, MatView<const float> dgates,
                          std::initializer_list<TransposedProduct> products, std::span<float> db,
                          std::span<float> second_db) {
  workers.run_balanced(dgates.cols, kTypicalGradientColumns, kGradientUnit, [&](std::int64_t first, std::int64_t last) {
    const auto at = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(last - first);
    std::vector<TransposedProduct> parts;
    for (const TransposedProduct& whole : products) {
      parts.push_back({whole.b, whole.c.row_range(first, last - first), whole.zero});
    }
    std::vector<float> sums(db.empty() ? 0 : count);
    add_transposed_products(precision, dgates.col_range(first, last - first), parts, sums);
    if (!db.empty()) add(sums, db.subspan(at, count));
    if (!second_db.empty()) add(sums, second_db.subspan(at, count));
  });
}

void add_gradients_of_sums(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                           RecurrentTape& tape, const RecurrentParams<float>& dparams, MatView<float> dx) {
  if (weights.normalizes()) return add_gradients_of_normalized_sums(workers, shape, weights, tape, dparams, dx);
  if (dx.data != nullptr) multiply_rows(workers, tape.gates, weights.U_back, {}, dx);
  const MatView<const float> h_before = tape.h.row_range(0, shape.T * shape.B);
  add_weight_gradients(workers, weights.W.precision(), tape.gates,
                       {{tape.x, dparams.U}, {h_before, dparams.W, tape.reset}}, dparams.b_input, dparams.b_hidden);
}

void zero_reset_rows(std::span<const std::uint8_t> reset, MatView<float> rows) {
  for (std::size_t r = 0; r < reset.size(); ++r) {
    if (reset[r] != 0) std::fill_n(rows.row(static_cast<std::int64_t>(r)), rows.cols, 0.0F);
  }
}

}  // namespace unroll
