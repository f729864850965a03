// The head of a language model in plain loops: linear layer, softmax, cross entropy averaged over the predictions.
#pragma once

#include <span>

#include "nn/ref/matrix.h"

namespace unroll::ref {

// The results of softmax_loss_forward that its backward needs.
template <class S>
struct SoftmaxTape {
  Matrix<S> h;              // (R, H) the input
  Matrix<S> probabilities;  // (R, V) o_t
};

// The number of rows with a target: -1 means none.
inline std::int64_t prediction_count(std::span<const std::int32_t> targets) {
  std::int64_t count = 0;
  for (const std::int32_t target : targets) count += target >= 0 ? 1 : 0;
  return count;
}

// o = softmax(h V_out^T + b); loss = -(1/N) sum of ln o(target) over the N rows whose target is not -1 (0 if none).
// V_out (V, H), b (V), h (R, H), targets (R). Sets tape.
template <class S>
S softmax_loss_forward(const MatView<const S>& V_out, std::span<const S> b, const Matrix<S>& h,
                       std::span<const std::int32_t> targets, SoftmaxTape<S>& tape) {
  using std::exp;
  using std::log;
  tape.h = h;
  tape.probabilities = Matrix<S>(h.rows, V_out.rows);
  S sum_of_losses(0);
  std::vector<S> logits(static_cast<std::size_t>(V_out.rows));
  for (std::int64_t row = 0; row < h.rows; ++row) {
    S greatest(0);
    for (std::size_t v = 0; v < logits.size(); ++v) {
      logits[v] = row_product(V_out, static_cast<std::int64_t>(v), h.row(row)) + b[v];
      if (v == 0 || real_part(logits[v]) > real_part(greatest)) greatest = logits[v];
    }
    S sum(0);
    for (const S& logit : logits) sum += exp(logit - greatest);
    const S log_sum_exp = greatest + log(sum);
    for (std::size_t v = 0; v < logits.size(); ++v) {
      tape.probabilities(row, static_cast<std::int64_t>(v)) = exp(logits[v] - log_sum_exp);
    }
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target >= 0) sum_of_losses += log_sum_exp - logits[static_cast<std::size_t>(target)];
  }
  const std::int64_t predictions = prediction_count(targets);
  return predictions == 0 ? S(0) : sum_of_losses / S(static_cast<double>(predictions));
}

// d logit = (o - [v is the target]) / N in rows with a target, 0 elsewhere. Adds to dV_out and db; sets dh.
template <class S>
void softmax_loss_backward(const MatView<const S>& V_out, const SoftmaxTape<S>& tape,
                           std::span<const std::int32_t> targets, const MatView<S>& dV_out, std::span<S> db,
                           Matrix<S>& dh) {
  dh = Matrix<S>(tape.h.rows, tape.h.cols);
  const S share = S(1) / S(static_cast<double>(prediction_count(targets)));
  for (std::int64_t row = 0; row < dh.rows; ++row) {
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target < 0) continue;
    for (std::int64_t v = 0; v < V_out.rows; ++v) {
      const S dlogit = (tape.probabilities(row, v) - S(v == target ? 1 : 0)) * share;
      row_product_back(V_out, v, tape.h.row(row), dlogit, dV_out, dh.row(row));
      db[static_cast<std::size_t>(v)] += dlogit;
    }
  }
}

}  // namespace unroll::ref
