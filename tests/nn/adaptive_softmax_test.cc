#include "nn/adaptive_softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "support/adaptive_point.h"

namespace unroll {
namespace {

// The fast layer, on plain vectors. Scratch begins as NaN, so that old values cannot help.
struct AdaptiveRun {
  AdaptiveRun(const AdaptivePoint& at, Workers& team, bool whole_rows = true)
      : point(at), workers(team), shape(at.shape()) {
    const ref::AdaptiveParams<const float> params = adaptive_params(at, at.values.data());
    head.V_out = PackedMatrix(at.H, shape.head_size());
    head.V_out_back = PackedMatrix(shape.head_size(), at.H);
    head.bias = params.bias;
    for (std::int64_t i = 0; i < shape.clusters(); ++i) {
      tails.emplace_back(at.H, shape.cluster(i), Precision::kF32, true);
    }
    std::vector<PackingTask> tasks{{params.head, &head.V_out, &head.V_out_back}};
    for (std::size_t i = 0; i < tails.size(); ++i) {
      for (const PackingTask& task : tails[i].packing_tasks({params.tails[i].P, params.tails[i].Q}))
        tasks.push_back(task);
    }
    pack_all(workers, tasks);
    logits.assign(static_cast<std::size_t>(adaptive_logits_size(shape, at.rows, whole_rows)), kUnset);
    const std::int64_t width = shape.cluster(0).width;
    for (auto* const buffer : {&h, &z, &dz}) {
      buffer->assign(static_cast<std::size_t>(at.rows * (buffer == &h ? at.H : width)), kUnset);
    }
    scratch = {.logits = logits,
               .h = {h.data(), at.rows, at.H},
               .z = {z.data(), at.rows, width},
               .dz = {dz.data(), at.rows, width}};
  }
  AdaptiveRun(const AdaptiveRun&) = delete;
  AdaptiveRun& operator=(const AdaptiveRun&) = delete;

  [[nodiscard]] MatView<const float> inputs() const {
    return {point.values.data() + point.slices.back().offset, point.rows, point.H};
  }
  [[nodiscard]] AdaptiveWeights weights() const { return {head, tails}; }

  std::vector<double> log_probs() {
    std::vector<double> result(point.targets.size());
    adaptive_softmax_loss(workers, shape, weights(), inputs(), point.targets, scratch, result);
    return result;
  }

  // In the order of the slices; `initial` is the previous content of the parameters' gradients.
  std::vector<float> gradient(float initial, float scale, std::vector<double>& result) {
    std::vector<float> all(point.values.size(), initial);
    const ref::AdaptiveParams<float> params = adaptive_params(point, all.data());
    MatView<float> dh(all.data() + point.slices.back().offset, point.rows, point.H);
    std::ranges::fill(dh.flat(), kUnset);
    result.assign(point.targets.size(), kUnset);
    adaptive_softmax_loss_and_gradient(workers, shape, weights(), inputs(), point.targets, scale, scratch, result,
                                       {.dhead = params.head, .dbias = params.bias, .dtails = params.tails}, dh);
    return all;
  }

  std::vector<SymbolPrediction> predictions() {
    std::vector<SymbolPrediction> result(point.targets.size());
    adaptive_softmax_predictions(workers, shape, weights(), inputs(), point.targets, scratch, result);
    return result;
  }

  std::vector<float> all_log_probs(std::int64_t row) {
    std::vector<float> result(static_cast<std::size_t>(point.V), kUnset);
    adaptive_log_probs(workers, shape, weights(), inputs(), scratch, [&](std::int64_t r, std::span<float> all) {
      if (r == row) std::ranges::copy(all, result.begin());
    });
    return result;
  }

  const AdaptivePoint& point;
  Workers& workers;
  AdaptiveShape shape;
  SoftmaxWeights head;
  std::vector<TailWeights> tails;
  std::vector<float> logits, h, z, dz;
  AdaptiveScratch scratch;
};

std::vector<double> reference_log_probs(const AdaptivePoint& point, std::int64_t row) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  return ref::adaptive_log_probs(adaptive_params(point, values.data()),
                                 adaptive_inputs(point, std::span<const double>(values)).row(row));
}

float share_of(const AdaptivePoint& point) {
  return static_cast<float>(1 / static_cast<double>(ref::prediction_count(point.targets)));
}

TEST(AdaptiveSoftmax, ReferenceBackwardMatchesComplexStep) {
  for (const AdaptivePoint& point : adaptive_points()) {
    if (point.rows > 100) continue;  // would take minutes for the same result
    EXPECT_TRUE(agree(point.slices, adaptive_reference_gradient(point), adaptive_complex_step(point), 1e-12));
  }
}

TEST(AdaptiveSoftmax, LogProbabilitiesMatchTheReferenceForAnyNumberOfWorkers) {
  for (const AdaptivePoint& point : adaptive_points()) {
    std::vector<double> first;
    for (const int threads : {1, 2, 3}) {
      Workers workers(threads);
      const std::vector<double> log_probs = AdaptiveRun(point, workers).log_probs();
      for (std::size_t r = 0; r < log_probs.size(); ++r) {
        const std::int32_t target = point.targets[r];
        const double expected =
            target < 0 ? 0 : reference_log_probs(point, static_cast<std::int64_t>(r))[static_cast<std::size_t>(target)];
        EXPECT_NEAR(log_probs[r], expected, 1e-6 * (1 + std::fabs(expected))) << "row " << r;
      }
      if (first.empty()) first = log_probs;
      EXPECT_EQ(log_probs, first) << threads;
    }
  }
}

TEST(AdaptiveSoftmax, GradientsMatchTheReferenceForAnyNumberOfWorkers) {
  for (const AdaptivePoint& point : adaptive_points()) {
    const std::vector<double> expected = adaptive_reference_gradient(point);
    std::vector<float> first;
    for (const int threads : {1, 2, 3}) {
      Workers workers(threads);
      AdaptiveRun run(point, workers);
      std::vector<double> log_probs;
      const std::vector<float> gradient = run.gradient(0, share_of(point), log_probs);
      EXPECT_TRUE(agree(point.slices, gradient, expected, 1e-5)) << point.rows << " rows";
      EXPECT_EQ(log_probs, run.log_probs()) << "loss bits must not depend on the gradient";
      if (first.empty()) first = gradient;
      EXPECT_EQ(gradient, first) << threads;
    }
  }
}

TEST(AdaptiveSoftmax, BackwardAddsToParameterGradientsAndSetsTheInputs) {
  const AdaptivePoint point = adaptive_points().front();
  std::vector<double> expected = adaptive_reference_gradient(point);
  for (std::int64_t i = 0; i < point.slices.back().offset; ++i) expected[static_cast<std::size_t>(i)] += 0.5;
  Workers workers(2);
  std::vector<double> log_probs;
  EXPECT_TRUE(
      agree(point.slices, AdaptiveRun(point, workers).gradient(0.5, share_of(point), log_probs), expected, 1e-5));
}

TEST(AdaptiveSoftmax, ProbabilitiesOfAllSymbolsSumToOne) {
  Workers workers(1);
  for (const AdaptivePoint& point : adaptive_points()) {
    AdaptiveRun run(point, workers);
    for (std::int64_t row = 0; row < point.rows; row += 11) {
      const std::vector<float> log_probs = run.all_log_probs(row);
      const std::vector<double> expected = reference_log_probs(point, row);
      double sum = 0;
      for (std::size_t v = 0; v < log_probs.size(); ++v) {
        EXPECT_NEAR(log_probs[v], expected[v], 1e-6 * (1 + std::fabs(expected[v])));
        sum += std::exp(static_cast<double>(log_probs[v]));
      }
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(AdaptiveSoftmax, RankAndEntropyAreThoseOfTheWholeDistribution) {
  for (const AdaptivePoint& point : adaptive_points()) {
    for (const int threads : {1, 3}) {
      Workers workers(threads);
      AdaptiveRun run(point, workers, threads == 1);
      const std::vector<SymbolPrediction> predictions = run.predictions();
      const std::vector<double> log_probs = run.log_probs();
      for (std::size_t r = 0; r < predictions.size(); r += r < 9 ? 1 : 13) {
        EXPECT_EQ(predictions[r].log_prob, log_probs[r]) << "row " << r;
        if (point.targets[r] < 0) {
          EXPECT_EQ(predictions[r].rank, 0);
          continue;
        }
        const std::vector<float> all = run.all_log_probs(static_cast<std::int64_t>(r));
        const float own = all[static_cast<std::size_t>(point.targets[r])];
        double entropy = 0;
        std::int64_t rank = 1;
        for (const float log_prob : all) {
          entropy -= std::exp(static_cast<double>(log_prob)) * static_cast<double>(log_prob);
          rank += log_prob > own ? 1 : 0;
        }
        EXPECT_EQ(predictions[r].rank, rank);
        EXPECT_NEAR(predictions[r].entropy, entropy, 1e-5);
      }
    }
  }
}

TEST(AdaptiveSoftmax, ARowsBitsDoNotDependOnTheOthers) {
  const AdaptivePoint many = adaptive_points().back();
  Workers workers(2);
  const std::vector<double> together = AdaptiveRun(many, workers).log_probs();
  for (const std::int64_t row : {0, 1, 2, 77, 149}) {
    AdaptivePoint alone = many;
    alone.rows = 1;
    alone.targets = {many.targets[static_cast<std::size_t>(row)]};
    const auto h = alone.values.begin() + alone.slices.back().offset;
    alone.values = {alone.values.begin(), h + (row + 1) * alone.H};
    alone.values.erase(alone.values.begin() + alone.slices.back().offset,
                       alone.values.begin() + alone.slices.back().offset + row * alone.H);
    EXPECT_EQ(AdaptiveRun(alone, workers).log_probs().front(), together[static_cast<std::size_t>(row)]);
  }
}

TEST(AdaptiveSoftmax, AClusterWithoutTargetsHasNoGradient) {
  AdaptivePoint point = adaptive_points().front();
  for (std::int32_t& target : point.targets) target = target % 19;  // none from 19 on
  Workers workers(2);
  std::vector<double> log_probs;
  const std::vector<float> gradient = AdaptiveRun(point, workers).gradient(0, 1, log_probs);
  for (const Slice& slice : point.slices) {
    const auto first = gradient.begin() + slice.offset;
    const bool zero = std::all_of(first, first + slice.size, [](float g) { return g == 0; });
    EXPECT_EQ(zero, slice.name == "P1" || slice.name == "Q1") << slice.name;
  }
}

TEST(AdaptiveSoftmax, NanGivesNan) {
  for (const char* const name : {"head", "P1", "Q1"}) {
    AdaptivePoint point = adaptive_points().front();
    for (const Slice& slice : point.slices) {
      if (slice.name == name) point.values[static_cast<std::size_t>(slice.offset)] = kUnset;
    }
    Workers workers(1);
    AdaptiveRun run(point, workers);
    EXPECT_TRUE(std::isnan(run.log_probs()[2])) << name;  // its target is in cluster 1
    EXPECT_TRUE(std::isnan(run.predictions()[2].entropy)) << name;
  }
}

// h[r][k] = ((3 r + k) mod 7 - 3) / 4, and every weight w[i] = ((5 i + tensor) mod 11 - 5) / 8 in the order of its
// tensor, tensors counted head, bias, P0, Q0, P1, Q1. The expected numbers are PyTorch 1.13's
// AdaptiveLogSoftmaxWithLoss(16, 14, [4, 9], div_value=4, head_bias=True).
TEST(AdaptiveSoftmax, MatchesPyTorch) {
  AdaptivePoint point = random_adaptive_point(3, 16, 14, {4, 9}, 1);
  for (std::size_t tensor = 0; tensor < point.slices.size(); ++tensor) {
    const Slice& slice = point.slices[tensor];
    for (std::int64_t i = 0; i < slice.size; ++i) {
      const std::int64_t whole =
          slice.name == "h" ? (3 * (i / 16) + i % 16) % 7 - 3 : (5 * i + static_cast<std::int64_t>(tensor)) % 11 - 5;
      point.values[static_cast<std::size_t>(slice.offset + i)] =
          static_cast<float>(whole) / (slice.name == "h" ? 4.0F : 8.0F);
    }
  }
  point.targets = {2, 7, 13};
  constexpr double kExpected[] = {-3.133612352227881, -3.183257241410524, -3.206244023998935};
  Workers workers(1);
  const std::vector<double> log_probs = AdaptiveRun(point, workers).log_probs();
  for (std::size_t r = 0; r < log_probs.size(); ++r) EXPECT_NEAR(log_probs[r], kExpected[r], 2e-6);
}

}  // namespace
}  // namespace unroll
