#include "unroll/judge/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "judge/random_labels.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using Labels = std::vector<std::int32_t>;
using Has = std::vector<std::uint8_t>;

std::vector<float> random_logits(std::uint32_t stream, std::size_t size, double width) {
  std::vector<float> logits;
  for (std::size_t i = 0; i < size; ++i) {
    logits.push_back(static_cast<float>(width * (2 * random_number(stream, i) - 1)));
  }
  return logits;
}

// Labels drawn from softmax(y / T).
Labels drawn(std::uint32_t stream, const std::vector<float>& logits, std::size_t K, double T) {
  Labels labels;
  for (std::size_t i = 0; i < logits.size() / K; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < K; ++k) sum += std::exp(logits[i * K + k] / T);
    double left = sum * random_number(stream, i);
    std::int32_t label = -1;
    while (left >= 0) left -= std::exp(logits[i * K + static_cast<std::size_t>(++label)] / T);
    labels.push_back(label);
  }
  return labels;
}

double softmax_loss(const std::vector<float>& logits, const Labels& right, std::size_t K, double T) {
  double loss = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < K; ++k) sum += std::exp(logits[i * K + k] / T);
    loss += std::log(sum) - logits[i * K + static_cast<std::size_t>(right[i])] / T;
  }
  return loss / static_cast<double>(right.size());
}

double sigmoid_loss(const std::vector<float>& logits, const Has& has, std::size_t K, double T) {
  double loss = 0;
  for (std::size_t i = 0; i < has.size(); ++i) loss += std::log1p(std::exp((has[i] == 1 ? -1 : 1) * logits[i] / T));
  return loss / static_cast<double>(has.size() / K);
}

// The fewest nats over a fine grid of temperatures.
template <class Loss>
double fewest(const Loss& loss) {
  double best = loss(1.0);
  for (double T = 0.1; T < 10; T *= 1.003) best = std::min(best, loss(T));
  return best;
}

TEST(Temperature, FindsTheOneThatLabelsWereDrawnWith) {
  constexpr std::size_t K = 3;
  for (const double T : {0.5, 1.0, 2.5}) {
    const std::vector<float> logits = random_logits(1, 900 * K, 3);
    const Labels right = drawn(2, logits, K, T);
    const Temperature found = fit_temperature(logits, right, K);
    EXPECT_NEAR(found.value, T, 0.2 * T);
    EXPECT_NEAR(found.nats_before, softmax_loss(logits, right, K, 1), 1e-9);
    EXPECT_NEAR(found.nats_after, softmax_loss(logits, right, K, found.value), 1e-9);
    EXPECT_LE(found.nats_after, fewest([&](double t) { return softmax_loss(logits, right, K, t); }) + 1e-8);
    EXPECT_EQ(found.value, std::round(found.value * 1e4) / 1e4);
  }
}

TEST(Temperature, OfSeveralLabelsATextIsTheBestOfAGrid) {
  constexpr std::size_t K = 4;
  const std::vector<float> logits = random_logits(3, 200 * K, 4);
  Has has;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double p = 1 / (1 + std::exp(-logits[i] / 2));
    has.push_back(random_number(4, i) < p ? 1 : 0);
  }
  const Temperature found = fit_sigmoid_temperature(logits, has, K);
  EXPECT_NEAR(found.value, 2, 0.4);
  EXPECT_NEAR(found.nats_before, sigmoid_loss(logits, has, K, 1), 1e-9);
  EXPECT_NEAR(found.nats_after, sigmoid_loss(logits, has, K, found.value), 1e-9);
  EXPECT_LE(found.nats_after, fewest([&](double t) { return sigmoid_loss(logits, has, K, t); }) + 1e-8);
}

TEST(Temperature, NeverRaisesTheLoss) {
  for (std::uint32_t stream = 10; stream < 60; ++stream) {
    const std::size_t N = 1 + stream % 9;
    const std::vector<float> logits = random_logits(stream, 3 * N, std::pow(10, stream % 5) / 10);
    const Temperature found = fit_temperature(logits, random_labels(stream, N, 4), 3);
    EXPECT_LE(found.nats_after, found.nats_before);
    EXPECT_EQ(found.nats_after < found.nats_before, found.value != 1);
  }
}

// Three of four are right, with probability 3/4: T = 1 is the best there is.
TEST(Temperature, OfCalibratedLogitsStays1) {
  const auto y = static_cast<float>(std::log(3.0));
  const Temperature found = fit_temperature(std::vector<float>{y, 0, y, 0, 0, y, 0, y}, Labels{0, 0, 1, 0}, 2);
  EXPECT_EQ(found.value, 1);
  EXPECT_EQ(found.nats_after, found.nats_before);
}

TEST(Temperature, OfTextsThatAreAllRightStays1) {
  EXPECT_EQ(fit_temperature(std::vector<float>{2, 1, 0, 3}, Labels{0, 1}, 2).value, 1);
  EXPECT_EQ(fit_sigmoid_temperature(std::vector<float>{2, -1, -3, 3}, Has{1, 0, 0, 1}, 2).value, 1);
  EXPECT_EQ(fit_temperature(std::vector<float>{2, 2}, Labels{0, 0}, 1).value, 1) << "one class";
}

TEST(Temperature, OfLogitsThatAreWorseThanNoneIsTheHighest) {
  EXPECT_NEAR(fit_temperature(std::vector<float>{2, 1, 0, 3}, Labels{1, 0}, 2).value, 10, 0.001);
}

TEST(Temperature, WhatCannotBeFittedIsRefused) {
  const std::vector<float> four(4, 1.0F);
  const std::vector<float> odd = {1, std::numeric_limits<float>::quiet_NaN()};
  const auto fit = [](const std::vector<float>& logits, const Labels& right) {
    return [=] { static_cast<void>(fit_temperature(logits, right, 2)); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no texts", fit({}, {})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "4 logits of 3 texts", fit(four, {0, 1, 0})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "label 2", fit(four, {0, 2})));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "nan", fit(odd, {0})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "label -1", fit(four, {0, -1})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "4 logits of 1 texts", [&] {
    static_cast<void>(fit_sigmoid_temperature(four, Has{0, 1, 1}, 2));
  }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "no texts", [&] { static_cast<void>(fit_sigmoid_temperature({}, {}, 2)); }));
}

double f1_from(const std::vector<Confidence>& texts, double threshold) {
  double hits = 0;
  double sum = 0;
  for (const Confidence& text : texts) {
    const bool answered = text.probability >= threshold;
    hits += answered && text.is_right ? 1 : 0;
    sum += (answered ? 1 : 0) + (text.is_right ? 1 : 0);
  }
  return sum == 0 ? 0 : 2 * hits / sum;
}

TEST(Threshold, HasTheLargestF1) {
  for (std::uint32_t stream = 100; stream < 140; ++stream) {
    std::vector<Confidence> texts;
    for (std::size_t i = 0; i < 1 + stream % 23; ++i) {
      const double p = std::round(20 * random_number(stream, i)) / 20;  // some are equal
      texts.push_back({.probability = p, .is_right = random_number(stream, 100 + i) < 0.2 + 0.5 * p});
    }
    double best = f1_from(texts, 0.5);
    for (const Confidence& text : texts) best = std::max(best, f1_from(texts, text.probability));
    EXPECT_EQ(f1_from(texts, best_threshold(texts)), best) << stream;
  }
}

TEST(Threshold, LiesHalfWayBetweenOrAtOneHalf) {
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.9, true}, {0.8, true}, {0.7, false}}), 0.75);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.9, true}, {0.8, true}, {0.1, false}}), 0.5);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.3, true}, {0.2, true}, {0.1, false}}), 0.15000000000000002);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.2, true}}), 0.1);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0, true}}), 0) << "each text gets it";
}

TEST(Threshold, OfEqualF1IsTheOneClosestToOneHalf) {
  // One hit of one answer and two of four: F1 is 2/3 either way.
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.9, true}, {0.8, false}, {0.45, false}, {0.4, true}}), 0.2);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.7, true}, {0.45, false}, {0.44, false}, {0.4, true}}), 0.5);
}

TEST(Threshold, OfALabelWithoutInstancesIsOneHalf) {
  EXPECT_EQ(best_threshold({}), 0.5);
  EXPECT_EQ(best_threshold(std::vector<Confidence>{{0.9, false}, {0.2, false}}), 0.5);
}

TEST(Threshold, OfEachLabelIsThatOfItsColumn) {
  const std::vector<double> probabilities = {0.9, 0.3, 0.7, 0.2, 0.6, 0.9};
  const std::vector<double> thresholds = best_thresholds(probabilities, Has{1, 1, 0, 1, 0, 0}, 2);
  ASSERT_EQ(thresholds.size(), 2U);
  EXPECT_EQ(thresholds[0], best_threshold(std::vector<Confidence>{{0.9, true}, {0.7, false}, {0.6, false}}));
  EXPECT_EQ(thresholds[1], best_threshold(std::vector<Confidence>{{0.3, true}, {0.2, true}, {0.9, false}}));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "6 probabilities and 4 labels",
                         [&] { static_cast<void>(best_thresholds(probabilities, Has(4), 2)); }));
}

TEST(Threshold, TableCountsFromEachOn) {
  const std::vector<Confidence> texts = {{0.9, true}, {0.6, false}, {0.5, true}};
  const std::vector<ThresholdRow> rows = threshold_table(texts, std::vector<double>{0.95, 0.5});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].threshold, 0.95);
  EXPECT_FALSE(rows[0].counts.precision());
  EXPECT_EQ(rows[0].counts.support, 2);
  EXPECT_EQ(rows[1].counts.hits, 2);
  EXPECT_EQ(rows[1].counts.answered, 3);
}

TEST(MeanNats, LeavesOutWhatTheModelDoesNotKnow) {
  const MeanNats mean = mean_nats(std::vector<double>{1, std::numeric_limits<double>::infinity(), 2});
  EXPECT_EQ(*mean.nats_per_text, 1.5);
  EXPECT_EQ(mean.left_out, 1);
  EXPECT_FALSE(mean_nats({}).nats_per_text);
  EXPECT_TRUE(
      fails_with(ErrorCode::kNumeric, "NaN", [] { static_cast<void>(mean_nats(std::vector<double>{std::nan("")})); }));
}

double calibration_error(const std::vector<Confidence>& confidences) {
  CalibrationError error;
  for (const Confidence& one : confidences) error.add(one);
  return *error.value();
}

TEST(CalibrationError, IsThatOfTheDefinition) {
  std::vector<Confidence> all;
  for (std::size_t i = 0; i < 400; ++i) {
    all.push_back({.probability = random_number(20, i), .is_right = random_number(21, i) < 0.6});
  }
  double expected = 0;
  for (int bin = 0; bin < 15; ++bin) {
    double count = 0;
    double right = 0;
    double sum = 0;
    for (const Confidence& one : all) {
      if (one.probability <= bin / 15.0 || one.probability > (bin + 1) / 15.0) continue;
      count += 1;
      right += one.is_right ? 1 : 0;
      sum += one.probability;
    }
    if (count > 0) expected += count / 400 * std::fabs(right / count - sum / count);
  }
  EXPECT_NEAR(calibration_error(all), expected, 1e-12);
  EXPECT_FALSE(CalibrationError().value());
  EXPECT_EQ(calibration_error({{1, true}, {0, false}}), 0);
  EXPECT_EQ(calibration_error({{1, false}}), 1);
  EXPECT_NEAR(calibration_error({{0.05, false}, {0.1, true}}), 0.475, 1e-12);
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "1.5", [] { CalibrationError().add({1.5, true}); }));
}

}  // namespace
}  // namespace unroll
