// The sampled softmax and its loss in plain loops; the equations are in nn/sampled_softmax.h.
#pragma once

#include <span>
#include <vector>

#include "nn/ref/adaptive_softmax.h"
#include "nn/ref/matrix.h"
#include "nn/ref/softmax_loss.h"

namespace unroll::ref {

// The samples of a step: the drawn symbols, and ln E of all V.
struct Samples {
  std::vector<std::int32_t> ids;
  std::vector<double> log_expected;  // (V)
};

// The symbols of a row's softmax, its target first.
inline std::vector<std::int32_t> symbols_of_row(const Samples& samples, std::int32_t target) {
  std::vector<std::int32_t> symbols{target};
  for (const std::int32_t id : samples.ids) {
    if (id != target) symbols.push_back(id);
  }
  return symbols;
}

// ln softmax of the corrected logits of those symbols.
template <class S>
std::vector<S> sampled_log_probs(const MatView<const S>& V_out, std::span<const S> b, const S* h,
                                 const Samples& samples, const std::vector<std::int32_t>& symbols) {
  std::vector<S> logits;
  for (const std::int32_t id : symbols) {
    const auto v = static_cast<std::size_t>(id);
    logits.push_back(row_product(V_out, id, h) + b[v] - S(samples.log_expected[v]));
  }
  return log_softmax(std::move(logits));
}

// The mean of -ln softmax over the N rows with a target (0 if none). V_out (V, H), b (V), h (R, H), targets (R).
template <class S>
S sampled_softmax_forward(const MatView<const S>& V_out, std::span<const S> b, const Matrix<S>& h,
                          std::span<const std::int32_t> targets, const Samples& samples) {
  S sum(0);
  for (std::int64_t row = 0; row < h.rows; ++row) {
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target < 0) continue;
    sum -= sampled_log_probs(V_out, b, h.row(row), samples, symbols_of_row(samples, target)).front();
  }
  const std::int64_t predictions = prediction_count(targets);
  return predictions == 0 ? S(0) : sum / S(static_cast<double>(predictions));
}

// d logit = (softmax - [is the target]) / N. Adds to dV_out and db; sets dh.
template <class S>
void sampled_softmax_backward(const MatView<const S>& V_out, std::span<const S> b, const Matrix<S>& h,
                              std::span<const std::int32_t> targets, const Samples& samples, const MatView<S>& dV_out,
                              std::span<S> db, Matrix<S>& dh) {
  using std::exp;
  dh = Matrix<S>(h.rows, h.cols);
  const S share = S(1) / S(static_cast<double>(prediction_count(targets)));
  for (std::int64_t row = 0; row < h.rows; ++row) {
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target < 0) continue;
    const std::vector<std::int32_t> symbols = symbols_of_row(samples, target);
    const std::vector<S> log_probs = sampled_log_probs(V_out, b, h.row(row), samples, symbols);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const S dlogit = (exp(log_probs[i]) - S(i == 0 ? 1 : 0)) * share;
      row_product_back(V_out, symbols[i], h.row(row), dlogit, dV_out, dh.row(row));
      db[static_cast<std::size_t>(symbols[i])] += dlogit;
    }
  }
}

}  // namespace unroll::ref
