// A random point of a conditional random field: texts in several pieces of a window, and steps of no text, whose scores
// are NaN.
#pragma once

#include <algorithm>
#include <vector>

#include "nn/ref/crf.h"
#include "nn/text_steps.h"
#include "support/recurrent_point.h"

namespace unroll {

struct CrfPoint {
  std::int64_t B = 0;
  std::int64_t K = 0;
  std::vector<WindowPiece> pieces;
  std::vector<WindowText> texts;
  std::vector<float> values;  // transitions (K, K), start (K), end (K)
  std::vector<float> scores;  // (T*B, K)
  std::vector<std::int32_t> labels;
  std::vector<float> weights;  // (R)

  [[nodiscard]] CrfShape shape() const { return {.B = B, .K = K, .pieces = pieces, .texts = texts}; }
  [[nodiscard]] std::int64_t steps() const { return std::ssize(labels); }
  [[nodiscard]] std::vector<Slice> slices() const {
    return {{"transitions", 0, K * K},
            {"start", K * K, K},
            {"end", K * K + K, K},
            {"scores", K * K + 2 * K, std::ssize(scores)}};
  }
  [[nodiscard]] std::vector<std::int64_t> rows_of(std::size_t r) const {
    std::vector<std::int64_t> rows;
    TextSteps(B, pieces, texts[r]).for_each([&](std::int64_t row) { rows.push_back(row); });
    return rows;
  }
  [[nodiscard]] std::vector<std::int32_t> labels_of(std::size_t r) const {
    std::vector<std::int32_t> own;
    for (const std::int64_t row : rows_of(r)) own.push_back(labels[static_cast<std::size_t>(row)]);
    return own;
  }
};

// Views `values` as parameters.
template <class T>
CrfParams<T> crf_params(std::int64_t K, T* values) {
  const auto size = static_cast<std::size_t>(K);
  return {{values, K, K}, {values + K * K, size}, {values + K * K + K, size}};
}

// The scores of a text as a matrix of its own.
template <class S, class From>
ref::Matrix<S> scores_of_text(const CrfPoint& point, std::span<const From> scores, std::size_t r) {
  const std::vector<std::int64_t> rows = point.rows_of(r);
  ref::Matrix<S> own(std::ssize(rows), point.K);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::int64_t k = 0; k < point.K; ++k) {
      own(static_cast<std::int64_t>(t), k) = S(scores[static_cast<std::size_t>(rows[t] * point.K + k)]);
    }
  }
  return own;
}

// `pieces` lie in a window of T steps of B rows.
inline CrfPoint crf_point(std::int64_t T, std::int64_t B, std::int64_t K, std::vector<WindowPiece> pieces,
                          std::vector<WindowText> texts, std::uint64_t seed) {
  CrfPoint point{.B = B,
                 .K = K,
                 .pieces = std::move(pieces),
                 .texts = std::move(texts),
                 .values = random_numbers(seed, 0, K * K + 2 * K, 2),
                 .scores = {},
                 .labels = std::vector<std::int32_t>(static_cast<std::size_t>(T * B), kIgnored),
                 .weights = {}};
  const std::vector<float> numbers = random_numbers(seed, 1, T * B * K, 2);
  const std::vector<float> labels = random_numbers(seed, 2, T * B, 1);
  point.scores.assign(numbers.size(), kUnset);
  for (std::size_t r = 0; r < point.texts.size(); ++r) {
    point.weights.push_back(0.5F + 0.25F * static_cast<float>(r));
    for (const std::int64_t row : point.rows_of(r)) {
      std::copy_n(numbers.begin() + row * K, K, point.scores.begin() + row * K);
      const auto i = static_cast<std::size_t>(row);
      point.labels[i] = std::min(static_cast<std::int32_t>(K - 1),
                                 static_cast<std::int32_t>((labels[i] + 1) / 2 * static_cast<float>(K)));
    }
  }
  return point;
}

// Texts of 3, 6, 1, 2 and 2 steps, the second in three pieces.
inline CrfPoint crf_point(std::int64_t K, std::uint64_t seed) {
  return crf_point(7, 3, K, {{1, 2, 3}, {0, 4, 3}, {2, 0, 1}, {0, 0, 2}, {2, 3, 1}, {1, 0, 2}, {1, 5, 2}},
                   {{0, 1}, {1, 3}, {4, 1}, {5, 1}, {6, 1}}, seed);
}

// One text of n steps, and nothing else.
inline CrfPoint lone_crf_text(std::int64_t n, std::int64_t K, std::uint64_t seed) {
  return crf_point(n, 1, K, {{0, 0, static_cast<std::int32_t>(n)}}, {{0, 1}}, seed);
}

// The gradient of sum over texts of -weights[r] ln p, with respect to parameters and scores, by the reference's
// backward.
inline std::vector<double> crf_reference_gradient(const CrfPoint& point) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  const std::size_t parameters = values.size();
  std::vector<double> gradient(parameters + point.scores.size());
  for (std::size_t r = 0; r < point.texts.size(); ++r) {
    ref::Matrix<double> dscores;
    ref::crf_backward(crf_params(point.K, values.data()),
                      scores_of_text<double>(point, std::span<const float>(point.scores), r), point.labels_of(r),
                      static_cast<double>(point.weights[r]), crf_params(point.K, gradient.data()), dscores);
    const std::vector<std::int64_t> rows = point.rows_of(r);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      std::copy_n(dscores.row(static_cast<std::int64_t>(t)), point.K,
                  gradient.begin() + static_cast<std::int64_t>(parameters) + rows[t] * point.K);
    }
  }
  return gradient;
}

// The same by the complex step.
inline std::vector<double> crf_complex_step(const CrfPoint& point) {
  std::vector<Complex> values(point.values.begin(), point.values.end());
  values.insert(values.end(), point.scores.begin(), point.scores.end());
  return ref::complex_step_gradient(std::span(values), [&] {
    const CrfParams<const Complex> params = crf_params<const Complex>(point.K, values.data());
    const std::span<const Complex> scores = std::span<const Complex>(values).subspan(point.values.size());
    Complex loss(0);
    for (std::size_t r = 0; r < point.texts.size(); ++r) {
      const ref::Matrix<Complex> own = scores_of_text<Complex>(point, scores, r);
      const Complex log_prob = ref::crf_score(params, own, std::span<const std::int32_t>(point.labels_of(r))) -
                               ref::crf_log_sum(params, own);
      loss -= static_cast<double>(point.weights[r]) * log_prob;
    }
    return loss;
  });
}

}  // namespace unroll
