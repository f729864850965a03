#include "nn/crf.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "nn/text_steps.h"

namespace unroll {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();
constexpr std::int64_t kLabelsPerTask = 4;

using CrfView = CrfParams<const float>;

std::size_t at_label(std::int32_t label) { return static_cast<std::size_t>(label); }

TextSteps steps_of(const CrfShape& shape, const WindowText& text) { return {shape.B, shape.pieces, text}; }

// ln of the sum of e^term(k) over k = 0 .. K-1.
template <class Term>
double log_of_sum_of(std::int64_t K, const Term& term) {
  double most = kImpossible;
  for (std::int64_t k = 0; k < K; ++k) most = std::max(most, term(k));
  if (most == kImpossible) most = 0;  // nothing is possible, or the terms are NaN
  double sum = 0;
  for (std::int64_t k = 0; k < K; ++k) sum += std::exp(term(k) - most);
  return most + std::log(sum);
}

double score_of(const CrfView& params, std::int64_t from, std::int64_t to) {
  return static_cast<double>(params.transitions(from, to));
}

// before[0 .. K) of a step, from that of the step before it; `previous` is null at the first step.
void extend_beginnings(const CrfView& params, std::span<const float> scores, const double* previous, double* before) {
  const std::int64_t K = std::ssize(scores);
  for (std::int64_t k = 0; k < K; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const double reached =
        previous == nullptr
            ? static_cast<double>(params.start[i])
            : log_of_sum_of(K, [&](std::int64_t from) { return previous[from] + score_of(params, from, k); });
    before[k] = reached + static_cast<double>(scores[i]);
  }
}

// after[0 .. K) of a step, from that of the step after it; `next` is null at the last step.
void extend_ends(const CrfView& params, std::span<const float> scores, const double* next, double* after) {
  const std::int64_t K = std::ssize(scores);
  for (std::int64_t k = 0; k < K; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const double continued =
        next == nullptr ? static_cast<double>(params.end[i])
                        : log_of_sum_of(K, [&](std::int64_t to) { return score_of(params, k, to) + next[to]; });
    after[k] = continued + static_cast<double>(scores[i]);
  }
}

// One text of a window, with the rows of the tape that are its own.
struct CrfText {
  const CrfShape& shape;
  const CrfView& params;
  MatView<const float> scores;
  CrfTape& tape;
  std::size_t r;
  TextSteps steps = steps_of(shape, shape.texts[r]);

  [[nodiscard]] double* before(std::int64_t row) const { return tape.before.data() + row * shape.K; }
  [[nodiscard]] double* after(std::int64_t row) const { return tape.after.data() + row * shape.K; }
  [[nodiscard]] std::span<const float> scores_of(std::int64_t row) const {
    return {scores.row(row), static_cast<std::size_t>(shape.K)};
  }
  // ln of the probability of label k at a step.
  [[nodiscard]] double log_marginal(std::int64_t row, std::int64_t k) const {
    return before(row)[k] + after(row)[k] - static_cast<double>(scores(row, k)) - tape.log_sum[r];
  }

  void sweep_forward() const {
    const double* previous = nullptr;
    steps.for_each([&](std::int64_t row) {
      extend_beginnings(params, scores_of(row), previous, before(row));
      previous = before(row);
    });
    tape.log_sum[r] = log_of_sum_of(shape.K, [&](std::int64_t k) {
      return previous[k] + static_cast<double>(params.end[static_cast<std::size_t>(k)]);
    });
  }
  void sweep_backward() const {
    const double* next = nullptr;
    steps.for_each_backwards([&](std::int64_t row) {
      extend_ends(params, scores_of(row), next, after(row));
      next = after(row);
    });
  }
  [[nodiscard]] double score_of_labels(std::span<const std::int32_t> labels) const {
    double score = static_cast<double>(params.start[at_label(labels[static_cast<std::size_t>(steps.first())])]);
    std::int32_t previous = kIgnored;
    steps.for_each([&](std::int64_t row) {
      const std::int32_t label = labels[static_cast<std::size_t>(row)];
      assert(label >= 0 && label < shape.K);
      if (previous != kIgnored) score += score_of(params, previous, label);
      score += static_cast<double>(scores(row, label));
      previous = label;
    });
    return score + static_cast<double>(params.end[at_label(previous)]);
  }
};

void fit_tape(const CrfShape& shape, std::int64_t steps, CrfTape& tape) {
  const auto size = static_cast<std::size_t>(steps * shape.K);
  if (tape.before.size() < size) tape.before.resize(size);
  if (tape.after.size() < size) tape.after.resize(size);
  tape.log_sum.resize(shape.texts.size());
}

// Runs task(text) on every text, in parallel.
template <class Task>
void for_each_crf_text(Workers& workers, const CrfShape& shape, const CrfView& params, MatView<const float> scores,
                       CrfTape& tape, const Task& task) {
  assert(scores.cols == shape.K);
  fit_tape(shape, scores.rows, tape);
  workers.run(std::ssize(shape.texts), [&](std::int64_t r) {
    task(CrfText{.shape = shape, .params = params, .scores = scores, .tape = tape, .r = static_cast<std::size_t>(r)});
  });
}

// dtransitions[from], over all texts of a window whose tape is filled.
void add_transition_gradient(const CrfShape& shape, const CrfView& params, std::span<const std::int32_t> labels,
                             std::span<const float> weights, const CrfTape& tape, std::int64_t from,
                             std::span<float> dtransitions) {
  std::vector<double> sums(dtransitions.size(), 0.0);
  for (std::size_t r = 0; r < shape.texts.size(); ++r) {
    const auto weight = static_cast<double>(weights[r]);
    std::int64_t previous = -1;
    steps_of(shape, shape.texts[r]).for_each([&](std::int64_t row) {
      if (previous >= 0) {
        const double before = tape.before[static_cast<std::size_t>(previous * shape.K + from)] - tape.log_sum[r];
        const double* const after = tape.after.data() + row * shape.K;
        for (std::int64_t to = 0; to < shape.K; ++to) {
          sums[static_cast<std::size_t>(to)] += weight * std::exp(before + score_of(params, from, to) + after[to]);
        }
        if (labels[static_cast<std::size_t>(previous)] == from) {
          sums[at_label(labels[static_cast<std::size_t>(row)])] -= weight;
        }
      }
      previous = row;
    });
  }
  for (std::size_t to = 0; to < sums.size(); ++to) dtransitions[to] += static_cast<float>(sums[to]);
}

// dstart or dend: the sum of one step's dscores, at which they have the same gradient.
template <class RowOf>
void add_edge_gradient(const CrfShape& shape, MatView<const float> dscores, const RowOf& row_of, std::span<float> d) {
  for (std::size_t k = 0; k < d.size(); ++k) {
    double sum = 0;
    for (const WindowText& text : shape.texts) {
      sum += static_cast<double>(dscores(row_of(steps_of(shape, text)), static_cast<std::int64_t>(k)));
    }
    d[k] += static_cast<float>(sum);
  }
}

}  // namespace

std::int64_t crf_tape_bytes(std::int64_t steps, std::int64_t K) noexcept {
  return 2 * static_cast<std::int64_t>(sizeof(double)) * steps * K;
}

void crf_log_probs(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                   MatView<const float> scores, std::span<const std::int32_t> labels, CrfTape& tape,
                   std::span<double> log_probs) {
  for_each_crf_text(workers, shape, params, scores, tape, [&](const CrfText& text) {
    text.sweep_forward();
    log_probs[text.r] = text.score_of_labels(labels) - tape.log_sum[text.r];
  });
}

void crf_loss_and_gradient(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                           MatView<float> scores, std::span<const std::int32_t> labels, std::span<const float> weights,
                           CrfTape& tape, std::span<double> log_probs, const CrfParams<float>& dparams) {
  for_each_crf_text(workers, shape, params, scores, tape, [&](const CrfText& text) {
    text.sweep_forward();
    text.sweep_backward();
    log_probs[text.r] = text.score_of_labels(labels) - tape.log_sum[text.r];
    const auto weight = static_cast<double>(weights[text.r]);
    text.steps.for_each([&](std::int64_t row) {
      const std::int32_t label = labels[static_cast<std::size_t>(row)];
      for (std::int64_t k = 0; k < shape.K; ++k) {
        scores(row, k) = static_cast<float>(weight * (std::exp(text.log_marginal(row, k)) - (k == label ? 1 : 0)));
      }
    });
  });
  workers.run_ranges(shape.K, kLabelsPerTask, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t from = first; from < last; ++from) {
      add_transition_gradient(shape, params, labels, weights, tape, from,
                              {dparams.transitions.row(from), static_cast<std::size_t>(shape.K)});
    }
  });
  add_edge_gradient(
      shape, scores, [](const TextSteps& steps) { return steps.first(); }, dparams.start);
  add_edge_gradient(
      shape, scores, [](const TextSteps& steps) { return steps.last(); }, dparams.end);
}

void crf_marginals(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                   MatView<const float> scores, CrfTape& tape, MatView<double> probabilities) {
  for_each_crf_text(workers, shape, params, scores, tape, [&](const CrfText& text) {
    text.sweep_forward();
    text.sweep_backward();
    text.steps.for_each([&](std::int64_t row) {
      double sum = 0;
      for (std::int64_t k = 0; k < shape.K; ++k) {
        sum += probabilities(row, k) = std::exp(text.log_marginal(row, k));
      }
      for (std::int64_t k = 0; k < shape.K; ++k) probabilities(row, k) /= sum;
    });
  });
}

double crf_log_sum(const CrfShape& shape, const WindowText& text, const CrfParams<const float>& params,
                   MatView<const float> scores) {
  const auto K = static_cast<std::size_t>(shape.K);
  std::vector<double> before(K);
  std::vector<double> previous;
  steps_of(shape, text).for_each([&](std::int64_t row) {
    extend_beginnings(params, {scores.row(row), K}, previous.empty() ? nullptr : previous.data(), before.data());
    previous = before;
  });
  return log_of_sum_of(shape.K, [&](std::int64_t k) {
    const auto i = static_cast<std::size_t>(k);
    return before[i] + static_cast<double>(params.end[i]);
  });
}

}  // namespace unroll
