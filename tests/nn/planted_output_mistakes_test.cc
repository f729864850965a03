// A test of the tests of the output layer, as nn/planted_mistakes_test.cc is one of those of the recurrent layers.
#include <gtest/gtest.h>

#include "support/adaptive_point.h"
#include "support/crf_point.h"
#include "support/pooling_point.h"
#include "support/recurrent_point.h"

namespace unroll {
namespace {

// The average over predictions: the rows without a target do not count, so dividing by all rows is wrong.
TEST(PlantedOutputMistake, AGradientAveragedOverTheWrongNumberOfPredictionsIsCaught) {
  const std::vector<std::int32_t> targets = {2, -1, 0, 6};
  const std::vector<float> numbers = random_numbers(9, 0, 7 * 5 + 7, 1);
  const auto h = matrix_of<Complex>(std::span<const float>(random_numbers(9, 1, 4 * 5, 1)), 4, 5);
  std::vector<Complex> values(numbers.begin(), numbers.end());
  const std::vector<double> expected = ref::complex_step_gradient(std::span(values), [&] {
    ref::SoftmaxTape<Complex> tape;
    return ref::softmax_loss_forward(MatView<const Complex>(values.data(), 7, 5),
                                     std::span<const Complex>(values).subspan(35), h, targets, tape);
  });

  const std::vector<double> point(numbers.begin(), numbers.end());
  const MatView<const double> V_out(point.data(), 7, 5);
  ref::Matrix<double> real_h(4, 5);
  for (std::size_t i = 0; i < real_h.values.size(); ++i) real_h.values[i] = h.values[i].real();
  ref::SoftmaxTape<double> tape;
  ref::softmax_loss_forward(V_out, std::span<const double>(point).subspan(35), real_h, targets, tape);
  std::vector<double> gradient(42);
  ref::Matrix<double> dh;
  ref::softmax_loss_backward(V_out, tape, targets, MatView<double>(gradient.data(), 7, 5),
                             std::span<double>(gradient).subspan(35), dh);
  const std::vector<Slice> slices = {{"V_out", 0, 35}, {"bias", 35, 7}};
  EXPECT_TRUE(agree(slices, gradient, expected, 1e-12));
  for (double& number : gradient) number *= 3.0 / 4.0;
  EXPECT_FALSE(agree(slices, gradient, expected, kLoosest));
}

// Mistakes of one line in the backward of an adaptive softmax's tail.
enum class TailMistake {
  kNone,
  kMeanOverItsRows,     // dlogit = (o - 1) / N of the cluster    for N of the window
  kSetsInputGradient,   // dh = P^T dz                            for dh += P^T dz
  kLowersTheWrongEntry  // a - [first cluster]                    for a - [the target's cluster]
};

std::vector<double> spoilt_adaptive_gradient(const AdaptivePoint& point, TailMistake mistake) {
  const std::vector<double> correct = adaptive_reference_gradient(point);
  const auto h_at = static_cast<std::size_t>(point.slices.back().offset);
  // The same without the tails' part: that of the head alone.
  AdaptivePoint head_only = point;
  for (const Slice& slice : point.slices) {
    if (slice.name.starts_with("P")) {
      std::fill_n(head_only.values.begin() + slice.offset, slice.size, 0.0F);
    }
  }
  const std::vector<double> from_head = adaptive_reference_gradient(head_only);
  std::vector<double> wrong = correct;
  switch (mistake) {
    case TailMistake::kNone:
      break;
    case TailMistake::kMeanOverItsRows:
      for (const Slice& slice : point.slices) {
        if (!slice.name.ends_with("1")) continue;
        const auto predictions = static_cast<double>(ref::prediction_count(point.targets));
        const auto own = static_cast<double>(
            std::ranges::count_if(point.targets, [&](std::int32_t target) { return target >= point.cutoffs.back(); }));
        for (std::int64_t i = 0; i < slice.size; ++i) {
          wrong[static_cast<std::size_t>(slice.offset + i)] *= predictions / own;
        }
      }
      break;
    case TailMistake::kSetsInputGradient:
      for (std::size_t i = h_at; i < wrong.size(); ++i) {
        const std::int32_t target = point.targets[(i - h_at) / static_cast<std::size_t>(point.H)];
        if (target >= point.cutoffs.front()) wrong[i] -= from_head[i];
      }
      break;
    case TailMistake::kLowersTheWrongEntry: {
      AdaptivePoint other = point;
      for (std::int32_t& target : other.targets) {
        if (target >= point.cutoffs.front()) target = static_cast<std::int32_t>(point.cutoffs.front());
      }
      const std::vector<double> swapped = adaptive_reference_gradient(other);
      std::copy_n(swapped.begin(), point.slices[2].offset, wrong.begin());
      break;
    }
  }
  return wrong;
}

TEST(PlantedOutputMistake, MistakesInTheTailOfAnAdaptiveSoftmaxAreCaught) {
  const AdaptivePoint point = adaptive_points().front();
  const std::vector<double> expected = adaptive_complex_step(point);
  EXPECT_TRUE(agree(point.slices, spoilt_adaptive_gradient(point, TailMistake::kNone), expected, 1e-12));
  for (const TailMistake mistake :
       {TailMistake::kMeanOverItsRows, TailMistake::kSetsInputGradient, TailMistake::kLowersTheWrongEntry}) {
    EXPECT_FALSE(agree(point.slices, spoilt_adaptive_gradient(point, mistake), expected, kLoosest))
        << static_cast<int>(mistake);
  }
}

// Adds factor * dout to the gradient of h at the steps of each text.
void add_to_steps(const PoolingPoint& point, std::size_t r, double factor, std::vector<double>& gradient) {
  for (const std::int64_t row : ref::rows_of_text(point.shape(), r)) {
    for (std::int64_t c = 0; c < point.D; ++c) {
      gradient[point.w.size() + static_cast<std::size_t>(row * point.D + c)] +=
          factor * static_cast<double>(point.dout[r * static_cast<std::size_t>(point.D) + static_cast<std::size_t>(c)]);
    }
  }
}

TEST(PlantedOutputMistake, AMeanOverTheStepsOfTheWindowIsCaught) {
  const PoolingPoint point = pooling_point(Readout::kMean, 5, false, 1);
  std::vector<double> gradient = pooling_reference_gradient(point);
  EXPECT_TRUE(agree(point.slices(), gradient, pooling_complex_step(point), 1e-12));
  for (std::size_t r = 0; r < point.texts.size(); ++r) {
    const auto n = static_cast<double>(ref::rows_of_text(point.shape(), r).size());
    add_to_steps(point, r, 1.0 / static_cast<double>(point.T) - 1.0 / n, gradient);
  }
  EXPECT_FALSE(agree(point.slices(), gradient, pooling_complex_step(point), kLoosest));
}

TEST(PlantedOutputMistake, AnAttentionThatCountsAsConstantIsCaught) {
  const PoolingPoint point = pooling_point(Readout::kAttention, 5, false, 2);
  std::vector<double> gradient = pooling_reference_gradient(point);
  EXPECT_TRUE(agree(point.slices(), gradient, pooling_complex_step(point), 1e-12));
  const std::vector<double> w(point.w.begin(), point.w.end());
  const auto h = matrix_of<double>(std::span<const float>(point.h), point.T * point.B, point.D);
  std::fill(gradient.begin() + std::ssize(w), gradient.end(), 0.0);
  for (std::size_t r = 0; r < point.texts.size(); ++r) {
    const std::vector<std::int64_t> rows = ref::rows_of_text(point.shape(), r);
    const std::vector<double> a = ref::attention_of(std::span<const double>(w), h, rows);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::int64_t c = 0; c < point.D; ++c) {
        gradient[w.size() + static_cast<std::size_t>(rows[t] * point.D + c)] =
            a[t] * static_cast<double>(point.dout[r * w.size() + static_cast<std::size_t>(c)]);
      }
    }
  }
  EXPECT_FALSE(agree(point.slices(), gradient, pooling_complex_step(point), kLoosest));
}

TEST(PlantedOutputMistake, TheBackwardLayersOutputAtTheLastStepIsCaught) {
  for (const Readout readout : {Readout::kLast, Readout::kConcat}) {
    PoolingPoint point = pooling_point(readout, 6, true, 3);
    const std::vector<double> expected = pooling_complex_step(point);
    EXPECT_TRUE(agree(point.slices(), pooling_reference_gradient(point), expected, 1e-12));
    point.bidirectional = false;
    EXPECT_FALSE(agree(point.slices(), pooling_reference_gradient(point), expected, kLoosest));
  }
}

TEST(PlantedOutputMistake, TransitionsThatAreReadBackwardsAreCaught) {
  const CrfPoint point = crf_point(3, 1);
  const std::vector<double> expected = crf_complex_step(point);
  std::vector<double> gradient = crf_reference_gradient(point);
  EXPECT_TRUE(agree(point.slices(), gradient, expected, 1e-12));
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < i; ++j) std::swap(gradient[3 * i + j], gradient[3 * j + i]);
  }
  EXPECT_FALSE(agree(point.slices(), gradient, expected, kLoosest));
}

TEST(PlantedOutputMistake, AGradientOfTheEndThatTheOtherStepsGetIsCaught) {
  CrfPoint point = crf_point(3, 2);
  const std::vector<double> expected = crf_complex_step(point);
  // As if every piece of a text were a text.
  point.texts.clear();
  for (std::int32_t i = 0; i < std::ssize(point.pieces); ++i) point.texts.push_back({i, 1});
  point.weights = {0.5F, 0.75F, 0.75F, 0.75F, 1.0F, 1.25F, 1.5F};
  EXPECT_FALSE(agree(point.slices(), crf_reference_gradient(point), expected, kLoosest));
}

}  // namespace
}  // namespace unroll
