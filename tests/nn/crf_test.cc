#include "nn/crf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/softmax.h"
#include "support/crf_point.h"

namespace unroll {
namespace {

constexpr double kExactCrf = 1e-12;

CrfParams<const float> params_of(const CrfPoint& point) {
  return crf_params<const float>(point.K, point.values.data());
}

MatView<const float> scores_of(const CrfPoint& point) { return {point.scores.data(), point.steps(), point.K}; }

// All K^n sequences with their scores, best first, as crf_best_sequences orders them.
std::vector<LabelSequence> all_sequences(const CrfPoint& point, std::size_t r) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  const auto scores = scores_of_text<double>(point, std::span<const float>(point.scores), r);
  std::vector<LabelSequence> all = {{std::vector<std::int32_t>(static_cast<std::size_t>(scores.rows)), 0}};
  for (std::size_t t = 0; t < all.front().labels.size(); ++t) {
    const std::vector<LabelSequence> shorter = std::exchange(all, {});
    for (LabelSequence sequence : shorter) {
      for (sequence.labels[t] = 0; sequence.labels[t] < point.K; ++sequence.labels[t]) all.push_back(sequence);
    }
  }
  for (LabelSequence& sequence : all) {
    sequence.score =
        ref::crf_score(crf_params(point.K, values.data()), scores, std::span<const std::int32_t>(sequence.labels));
  }
  std::ranges::sort(all, [](const LabelSequence& a, const LabelSequence& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::ranges::lexicographical_compare(a.labels.rbegin(), a.labels.rend(), b.labels.rbegin(), b.labels.rend());
  });
  return all;
}

double log_sum_of(const std::vector<LabelSequence>& sequences) {
  double sum = 0;
  for (const LabelSequence& sequence : sequences) sum += std::exp(sequence.score);
  return std::log(sum);
}

// Every text of up to 5 steps with up to 4 labels.
template <class Check>
void for_each_short_text(const Check& check) {
  for (std::int64_t n = 1; n <= 5; ++n) {
    for (std::int64_t K = 1; K <= 4; ++K) {
      SCOPED_TRACE(std::to_string(n) + " steps, " + std::to_string(K) + " labels");
      check(lone_crf_text(n, K, static_cast<std::uint64_t>(10 * n + K)));
    }
  }
}

std::vector<double> log_probs_of(const CrfPoint& point, int threads = 1) {
  Workers workers(threads);
  CrfTape tape;
  std::vector<double> log_probs(point.texts.size());
  crf_log_probs(workers, point.shape(), params_of(point), scores_of(point), point.labels, tape, log_probs);
  return log_probs;
}

struct CrfGradient {
  std::vector<float> all;  // as the point's slices
  std::vector<double> log_probs;
};

CrfGradient gradient_of(const CrfPoint& point, int threads = 1, float initial = 0) {
  Workers workers(threads);
  CrfTape tape;
  CrfGradient result{.all = std::vector<float>(point.values.size(), initial),
                     .log_probs = std::vector<double>(point.texts.size())};
  std::vector<float> scores = point.scores;
  crf_loss_and_gradient(workers, point.shape(), params_of(point), {scores.data(), point.steps(), point.K}, point.labels,
                        point.weights, tape, result.log_probs, crf_params(point.K, result.all.data()));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    // Steps of no text keep what they held.
    const bool of_a_text = !std::isnan(point.scores[i]);
    EXPECT_EQ(of_a_text, !std::isnan(scores[i]));
    result.all.push_back(of_a_text ? scores[i] : 0.0F);
  }
  return result;
}

std::vector<LabelSequence> best_of(const CrfPoint& point, std::size_t r, std::int64_t most,
                                   const AllowedLabels& allowed = {}) {
  return crf_best_sequences(point.shape(), point.texts[r], params_of(point), scores_of(point), allowed, most);
}

TEST(Crf, LogProbabilitiesMatchASumOverAllSequences) {
  for_each_short_text([](const CrfPoint& point) {
    const std::vector<LabelSequence> all = all_sequences(point, 0);
    const auto own = std::ranges::find(all, point.labels, &LabelSequence::labels);
    const double expected = own->score - log_sum_of(all);
    EXPECT_NEAR(log_probs_of(point).front(), expected, kExactCrf * (1 + std::fabs(expected)));
    EXPECT_NEAR(crf_log_sum(point.shape(), point.texts[0], params_of(point), scores_of(point)), log_sum_of(all), 1e-11);
  });
}

TEST(Crf, MarginalsMatchASumOverAllSequencesAndAddToOne) {
  for_each_short_text([](const CrfPoint& point) {
    const std::vector<LabelSequence> all = all_sequences(point, 0);
    std::vector<double> expected(point.scores.size());
    for (const LabelSequence& sequence : all) {
      for (std::size_t t = 0; t < sequence.labels.size(); ++t) {
        expected[t * static_cast<std::size_t>(point.K) + static_cast<std::size_t>(sequence.labels[t])] +=
            std::exp(sequence.score - log_sum_of(all));
      }
    }
    Workers workers(1);
    CrfTape tape;
    std::vector<double> marginals(point.scores.size());
    crf_marginals(workers, point.shape(), params_of(point), scores_of(point), tape,
                  {marginals.data(), point.steps(), point.K});
    for (std::size_t i = 0; i < marginals.size(); ++i) EXPECT_NEAR(marginals[i], expected[i], kExactCrf);
    for (std::int64_t t = 0; t < point.steps(); ++t) {
      double sum = 0;
      for (std::int64_t k = 0; k < point.K; ++k) sum += marginals[static_cast<std::size_t>(t * point.K + k)];
      EXPECT_NEAR(sum, 1, 1e-14);
    }
  });
}

TEST(Crf, BestSequencesAreThoseOfASearchOverAllInTheSameOrder) {
  for_each_short_text([](CrfPoint point) {
    for (const bool with_ties : {false, true}) {
      if (with_ties) {
        // Small whole numbers: many sequences have equal scores, and every sum is exact.
        for (float& value : point.values) value = std::round(value);
        for (float& value : point.scores) value = std::round(value);
      }
      const std::vector<LabelSequence> all = all_sequences(point, 0);
      for (const std::int64_t most : {std::int64_t{1}, std::int64_t{2}, std::int64_t{7}, std::ssize(all) + 1}) {
        const std::vector<LabelSequence> best = best_of(point, 0, most);
        ASSERT_EQ(std::ssize(best), std::min(most, std::ssize(all)));
        for (std::size_t i = 0; i < best.size(); ++i) {
          EXPECT_EQ(best[i].labels, all[i].labels) << i;
          EXPECT_EQ(best[i].score, all[i].score) << i;
        }
      }
    }
  });
}

TEST(Crf, ForbiddenSequencesAreNeverAnswered) {
  const CrfPoint point = lone_crf_text(5, 3, 4);
  AllowedLabels allowed{.transitions = {1, 1, 0, 0, 1, 1, 1, 1, 1}, .start = {1, 1, 0}, .end = {1, 0, 1}};
  std::vector<LabelSequence> expected = all_sequences(point, 0);
  std::erase_if(expected, [&](const LabelSequence& sequence) {
    bool valid = sequence.labels.front() != 2 && sequence.labels.back() != 1;
    for (std::size_t t = 1; t < sequence.labels.size(); ++t) {
      valid = valid && allowed.transitions[static_cast<std::size_t>(3 * sequence.labels[t - 1] + sequence.labels[t])];
    }
    return !valid;
  });
  const std::vector<LabelSequence> best = best_of(point, 0, 1000, allowed);
  ASSERT_EQ(best.size(), expected.size());
  for (std::size_t i = 0; i < best.size(); ++i) EXPECT_EQ(best[i].labels, expected[i].labels);

  allowed.start = {0, 0, 0};
  EXPECT_TRUE(best_of(point, 0, 3, allowed).empty());
}

TEST(Crf, WithoutTransitionsLabelsAreIndependent) {
  CrfPoint point = lone_crf_text(9, 6, 5);
  std::ranges::fill(point.values, 0.0F);
  const std::vector<std::int32_t> best = best_of(point, 0, 1).front().labels;
  double expected = 0;
  for (std::int64_t t = 0; t < point.steps(); ++t) {
    const std::span<const float> row(scores_of(point).row(t), static_cast<std::size_t>(point.K));
    EXPECT_EQ(best[static_cast<std::size_t>(t)], std::ranges::max_element(row) - row.begin());
    expected += log_softmax_at(row, point.labels[static_cast<std::size_t>(t)]);
  }
  EXPECT_NEAR(log_probs_of(point).front(), expected, 1e-5);
}

TEST(Crf, ReferenceBackwardMatchesComplexStep) {
  for (const std::int64_t K : {1, 2, 3, 5}) {
    const CrfPoint point = crf_point(K, static_cast<std::uint64_t>(K));
    EXPECT_TRUE(agree(point.slices(), crf_reference_gradient(point), crf_complex_step(point), kExactCrf)) << K;
  }
}

TEST(Crf, GradientMatchesTheReference) {
  for (const std::int64_t K : {1, 2, 5, 9, 17}) {
    const CrfPoint point = crf_point(K, static_cast<std::uint64_t>(20 + K));
    const CrfGradient gradient = gradient_of(point);
    EXPECT_TRUE(agree(point.slices(), gradient.all, crf_reference_gradient(point), 1e-6)) << K;
    EXPECT_EQ(gradient.log_probs, log_probs_of(point));
  }
}

TEST(Crf, GradientsOfParametersAreAddedTo) {
  const CrfPoint point = crf_point(5, 1);
  CrfGradient gradient = gradient_of(point, 1, 0.5F);
  for (std::size_t i = 0; i < point.values.size(); ++i) gradient.all[i] -= 0.5F;
  EXPECT_TRUE(agree(point.slices(), gradient.all, crf_reference_gradient(point), 1e-6));
}

TEST(Crf, ResultsDoNotDependOnTheNumberOfWorkers) {
  const CrfPoint point = crf_point(9, 2);
  const CrfGradient one = gradient_of(point, 1);
  const CrfGradient three = gradient_of(point, 3);
  EXPECT_EQ(one.all, three.all);
  EXPECT_EQ(one.log_probs, three.log_probs);
}

TEST(Crf, ATextDoesNotDependOnItsPlaceNorOnOtherTexts) {
  const CrfPoint point = crf_point(5, 3);
  CrfPoint alone = crf_point(6, 1, 5, {{0, 0, 6}}, {{0, 1}}, 3);
  const std::vector<std::int64_t> rows = point.rows_of(1);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    std::copy_n(point.scores.begin() + rows[t] * 5, 5, alone.scores.begin() + static_cast<std::int64_t>(t) * 5);
    alone.labels[t] = point.labels[static_cast<std::size_t>(rows[t])];
  }
  EXPECT_EQ(log_probs_of(alone).front(), log_probs_of(point)[1]);
  EXPECT_EQ(best_of(alone, 0, 1).front().labels, best_of(point, 1, 1).front().labels);
  EXPECT_EQ(best_of(alone, 0, 1).front().score, best_of(point, 1, 1).front().score);
}

TEST(Crf, LongTextsAndLargeScoresNeitherOverflowNorVanish) {
  CrfPoint point = lone_crf_text(3000, 3, 6);
  for (float& score : point.scores) score *= 1000;
  point.values[1] = -1e30F;  // as good as forbidden
  const CrfGradient gradient = gradient_of(point);
  EXPECT_TRUE(std::isfinite(gradient.log_probs.front()));
  for (const float value : gradient.all) EXPECT_TRUE(std::isfinite(value));
}

TEST(Crf, NotANumberInATextIsNotHidden) {
  CrfPoint point = crf_point(3, 7);
  point.scores[static_cast<std::size_t>(point.rows_of(0)[1] * 3)] = kUnset;
  const std::vector<double> log_probs = log_probs_of(point);
  EXPECT_TRUE(std::isnan(log_probs[0]));
  EXPECT_FALSE(std::isnan(log_probs[1]));
  EXPECT_EQ(best_of(point, 0, 4).front().labels.size(), 3U);
}

}  // namespace
}  // namespace unroll
