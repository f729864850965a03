// The adaptive softmax and its loss in plain loops; the equations are in nn/adaptive_softmax.h.
#pragma once

#include <span>
#include <vector>

#include "nn/adaptive_softmax.h"
#include "nn/ref/matrix.h"
#include "nn/ref/softmax_loss.h"

namespace unroll::ref {

template <class T>
struct AdaptiveParams {
  MatView<T> head;    // A (head_size, H)
  std::span<T> bias;  // b (head_size)
  std::vector<TailParams<T>> tails;
};

// ln softmax of `logits`.
template <class S>
std::vector<S> log_softmax(std::vector<S> logits) {
  using std::exp;
  using std::log;
  S greatest = logits.front();
  for (const S& logit : logits) greatest = real_part(logit) > real_part(greatest) ? logit : greatest;
  S sum(0);
  for (const S& logit : logits) sum += exp(logit - greatest);
  for (S& logit : logits) logit = logit - greatest - log(sum);
  return logits;
}

// ln a of the head's entries.
template <class S>
std::vector<S> head_log_probs(const AdaptiveParams<const S>& p, const S* h) {
  std::vector<S> logits;
  for (std::int64_t v = 0; v < p.head.rows; ++v) {
    logits.push_back(row_product(p.head, v, h) + p.bias[static_cast<std::size_t>(v)]);
  }
  return log_softmax(std::move(logits));
}

// z = P h.
template <class S>
std::vector<S> tail_inputs(const TailParams<const S>& tail, const S* h) {
  std::vector<S> z;
  for (std::int64_t d = 0; d < tail.P.rows; ++d) z.push_back(row_product(tail.P, d, h));
  return z;
}

// ln o of a cluster's symbols.
template <class S>
std::vector<S> tail_log_probs(const TailParams<const S>& tail, const std::vector<S>& z) {
  std::vector<S> logits;
  for (std::int64_t v = 0; v < tail.Q.rows; ++v) logits.push_back(row_product(tail.Q, v, z.data()));
  return log_softmax(std::move(logits));
}

// ln p of all V symbols after h (H).
template <class S>
std::vector<S> adaptive_log_probs(const AdaptiveParams<const S>& p, const S* h) {
  std::vector<S> result = head_log_probs(p, h);
  const std::size_t frequent = result.size() - p.tails.size();
  const std::vector<S> clusters(result.begin() + static_cast<std::ptrdiff_t>(frequent), result.end());
  result.resize(frequent);
  for (std::size_t i = 0; i < p.tails.size(); ++i) {
    for (const S& log_prob : tail_log_probs(p.tails[i], tail_inputs(p.tails[i], h))) {
      result.push_back(clusters[i] + log_prob);
    }
  }
  return result;
}

// The place of a symbol's prediction: an entry of the head, and a cluster (or -1) with the place in it.
struct AdaptivePlace {
  std::size_t entry = 0;
  std::int64_t cluster = -1;
  std::size_t place = 0;
};

template <class S>
AdaptivePlace adaptive_place(const AdaptiveParams<const S>& p, std::int32_t symbol) {
  const auto frequent = static_cast<std::size_t>(p.head.rows) - p.tails.size();
  auto place = static_cast<std::size_t>(symbol);
  if (place < frequent) return {place, -1, 0};
  place -= frequent;
  std::size_t i = 0;
  while (place >= static_cast<std::size_t>(p.tails[i].Q.rows)) place -= static_cast<std::size_t>(p.tails[i++].Q.rows);
  return {frequent + i, static_cast<std::int64_t>(i), place};
}

// The loss -(1/N) sum of ln p(target) over the N rows whose target is not -1 (0 if none). h (R, H), targets (R).
template <class S>
S adaptive_softmax_forward(const AdaptiveParams<const S>& p, const Matrix<S>& h,
                           std::span<const std::int32_t> targets) {
  S sum(0);
  for (std::int64_t row = 0; row < h.rows; ++row) {
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target >= 0) sum -= adaptive_log_probs(p, h.row(row))[static_cast<std::size_t>(target)];
  }
  const std::int64_t predictions = prediction_count(targets);
  return predictions == 0 ? S(0) : sum / S(static_cast<double>(predictions));
}

// d logit = (softmax - [entry is the target's]) / N, in the head and in the target's cluster. Adds to dp; sets dh.
template <class S>
void adaptive_softmax_backward(const AdaptiveParams<const S>& p, const Matrix<S>& h,
                               std::span<const std::int32_t> targets, const AdaptiveParams<S>& dp, Matrix<S>& dh) {
  using std::exp;
  dh = Matrix<S>(h.rows, h.cols);
  const S share = S(1) / S(static_cast<double>(prediction_count(targets)));
  for (std::int64_t row = 0; row < h.rows; ++row) {
    const std::int32_t target = targets[static_cast<std::size_t>(row)];
    if (target < 0) continue;
    const AdaptivePlace place = adaptive_place(p, target);
    const std::vector<S> head = head_log_probs(p, h.row(row));
    for (std::size_t v = 0; v < head.size(); ++v) {
      const S dlogit = (exp(head[v]) - S(v == place.entry ? 1 : 0)) * share;
      row_product_back(p.head, static_cast<std::int64_t>(v), h.row(row), dlogit, dp.head, dh.row(row));
      dp.bias[v] += dlogit;
    }
    if (place.cluster < 0) continue;
    const auto i = static_cast<std::size_t>(place.cluster);
    const TailParams<const S>& tail = p.tails[i];
    const std::vector<S> z = tail_inputs(tail, h.row(row));
    const std::vector<S> log_probs = tail_log_probs(tail, z);
    std::vector<S> dz(z.size(), S(0));
    for (std::size_t v = 0; v < log_probs.size(); ++v) {
      const S dlogit = (exp(log_probs[v]) - S(v == place.place ? 1 : 0)) * share;
      row_product_back(tail.Q, static_cast<std::int64_t>(v), z.data(), dlogit, dp.tails[i].Q, dz.data());
    }
    for (std::size_t d = 0; d < dz.size(); ++d) {
      row_product_back(tail.P, static_cast<std::int64_t>(d), h.row(row), dz[d], dp.tails[i].P, dh.row(row));
    }
  }
}

}  // namespace unroll::ref
