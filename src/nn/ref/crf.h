// A linear-chain conditional random field in plain loops, over one text of n steps. See nn/crf.h.
#pragma once

#include <span>
#include <vector>

#include "nn/crf.h"
#include "nn/ref/matrix.h"

namespace unroll::ref {

// ln of the sum of e^x.
template <class S>
S log_of_sum(const std::vector<S>& x) {
  using std::exp;
  using std::log;
  S most = x.front();
  for (const S& value : x) {
    if (real_part(value) > real_part(most)) most = value;
  }
  S sum(0);
  for (const S& value : x) sum += exp(value - most);
  return most + log(sum);
}

// The score of a sequence of labels. scores (n, K), labels (n).
template <class S>
S crf_score(const CrfParams<const S>& params, const Matrix<S>& scores, std::span<const std::int32_t> labels) {
  S sum = params.start[static_cast<std::size_t>(labels.front())];
  for (std::size_t t = 0; t < labels.size(); ++t) {
    if (t > 0) sum += params.transitions(labels[t - 1], labels[t]);
    sum += scores(static_cast<std::int64_t>(t), labels[t]);
  }
  return sum + params.end[static_cast<std::size_t>(labels.back())];
}

// before(t, k): ln of the sum of e^score over all beginnings that end in label k at step t.
template <class S>
Matrix<S> crf_before(const CrfParams<const S>& params, const Matrix<S>& scores) {
  const std::int64_t K = scores.cols;
  Matrix<S> before(scores.rows, K);
  for (std::int64_t t = 0; t < scores.rows; ++t) {
    for (std::int64_t k = 0; k < K; ++k) {
      std::vector<S> terms;
      for (std::int64_t i = 0; i < K && t > 0; ++i) terms.push_back(before(t - 1, i) + params.transitions(i, k));
      before(t, k) = (t == 0 ? params.start[static_cast<std::size_t>(k)] : log_of_sum(terms)) + scores(t, k);
    }
  }
  return before;
}

// after(t, k): the same over all ends that begin with label k at step t, whose own score is left out.
template <class S>
Matrix<S> crf_after(const CrfParams<const S>& params, const Matrix<S>& scores) {
  const std::int64_t K = scores.cols;
  Matrix<S> after(scores.rows, K);
  for (std::int64_t t = scores.rows - 1; t >= 0; --t) {
    for (std::int64_t k = 0; k < K; ++k) {
      std::vector<S> terms;
      for (std::int64_t j = 0; j < K && t + 1 < scores.rows; ++j) {
        terms.push_back(params.transitions(k, j) + scores(t + 1, j) + after(t + 1, j));
      }
      after(t, k) = terms.empty() ? params.end[static_cast<std::size_t>(k)] : log_of_sum(terms);
    }
  }
  return after;
}

// ln Z.
template <class S>
S crf_log_sum(const CrfParams<const S>& params, const Matrix<S>& scores) {
  const Matrix<S> before = crf_before(params, scores);
  std::vector<S> terms;
  for (std::int64_t k = 0; k < scores.cols; ++k) {
    terms.push_back(before(scores.rows - 1, k) + params.end[static_cast<std::size_t>(k)]);
  }
  return log_of_sum(terms);
}

// The gradient of -weight ln p(labels). Adds to dparams; sets dscores.
template <class S>
void crf_backward(const CrfParams<const S>& params, const Matrix<S>& scores, std::span<const std::int32_t> labels,
                  const S& weight, const CrfParams<S>& dparams, Matrix<S>& dscores) {
  using std::exp;
  const Matrix<S> before = crf_before(params, scores);
  const Matrix<S> after = crf_after(params, scores);
  const S log_sum = crf_log_sum(params, scores);
  const std::int64_t K = scores.cols;
  dscores = Matrix<S>(scores.rows, K);
  for (std::int64_t t = 0; t < scores.rows; ++t) {
    const std::int32_t label = labels[static_cast<std::size_t>(t)];
    for (std::int64_t k = 0; k < K; ++k) {
      const auto at = static_cast<std::size_t>(k);
      dscores(t, k) = weight * (exp(before(t, k) + after(t, k) - log_sum) - S(k == label ? 1 : 0));
      if (t == 0) dparams.start[at] += dscores(t, k);
      if (t + 1 == scores.rows) dparams.end[at] += dscores(t, k);
      for (std::int64_t j = 0; j < K && t + 1 < scores.rows; ++j) {
        const S pair = before(t, k) + params.transitions(k, j) + scores(t + 1, j) + after(t + 1, j);
        const bool is_right = k == label && j == labels[static_cast<std::size_t>(t + 1)];
        dparams.transitions(k, j) += weight * (exp(pair - log_sum) - S(is_right ? 1 : 0));
      }
    }
  }
}

}  // namespace unroll::ref
