#include "unroll/judge/classification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "judge/random_labels.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using Labels = std::vector<std::int32_t>;
using Sets = std::vector<Labels>;

// The figures from their definition, one label after the other.
struct Plain {
  double macro_precision = 0;
  double macro_recall = 0;
  double macro_f1 = 0;
  double weighted_f1 = 0;
  double micro_f1 = 0;
  double accuracy = 0;
};

Sets sets_of(const Labels& labels) {
  Sets sets;
  for (const std::int32_t label : labels) sets.push_back({label});
  return sets;
}

bool has(const Labels& labels, std::int32_t label) { return std::ranges::find(labels, label) != labels.end(); }

Plain plain_figures(const Sets& right, const Sets& answers, std::int32_t K) {
  Plain figures;
  double labels = 0;
  double all_support = 0;
  double all_hits = 0;
  double all_answered = 0;
  for (std::int32_t k = 0; k < K; ++k) {
    double both = 0;
    double answered = 0;
    double support = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      both += has(right[i], k) && has(answers[i], k) ? 1 : 0;
      answered += has(answers[i], k) ? 1 : 0;
      support += has(right[i], k) ? 1 : 0;
    }
    if (answered + support == 0) continue;
    const double precision = answered > 0 ? both / answered : 0;
    const double recall = support > 0 ? both / support : 0;
    const double f1 = both > 0 ? 2 * precision * recall / (precision + recall) : 0;
    labels += 1;
    all_support += support;
    all_hits += both;
    all_answered += answered;
    figures.macro_precision += precision;
    figures.macro_recall += recall;
    figures.macro_f1 += f1;
    figures.weighted_f1 += support * f1;
  }
  figures.macro_precision /= labels;
  figures.macro_recall /= labels;
  figures.macro_f1 /= labels;
  figures.weighted_f1 /= all_support;
  figures.micro_f1 = 2 * all_hits / (all_answered + all_support);
  for (std::size_t i = 0; i < right.size(); ++i) {
    figures.accuracy += std::set(right[i].begin(), right[i].end()) == std::set(answers[i].begin(), answers[i].end());
  }
  figures.accuracy /= static_cast<double>(right.size());
  return figures;
}

void expect_equal(const Classification& figures, const Plain& plain) {
  EXPECT_NEAR(figures.exact.share(), plain.accuracy, 1e-12);
  EXPECT_NEAR(*figures.macro.precision, plain.macro_precision, 1e-12);
  EXPECT_NEAR(*figures.macro.recall, plain.macro_recall, 1e-12);
  EXPECT_NEAR(*figures.macro.f1, plain.macro_f1, 1e-12);
  EXPECT_NEAR(*figures.weighted.f1, plain.weighted_f1, 1e-12);
  EXPECT_NEAR(*figures.micro.f1, plain.micro_f1, 1e-12);
}

// The example in the documentation of scikit-learn's classification_report, with the figures that it prints.
TEST(Classification, IsThatOfClassificationReport) {
  const Labels right = {0, 1, 2, 2, 2};
  const Labels answers = {0, 0, 2, 2, 1};
  const Classification figures = judge_labels(right, answers, 3);
  EXPECT_EQ(figures.exact.hits, 3);
  EXPECT_EQ(figures.exact.of, 5);
  EXPECT_NEAR(*figures.labels[0].precision(), 0.50, 0.005);
  EXPECT_NEAR(*figures.labels[0].recall(), 1.00, 0.005);
  EXPECT_NEAR(*figures.labels[0].f1(), 0.67, 0.005);
  EXPECT_EQ(*figures.labels[1].f1(), 0);
  EXPECT_NEAR(*figures.labels[2].recall(), 0.67, 0.005);
  EXPECT_NEAR(*figures.labels[2].f1(), 0.80, 0.005);
  EXPECT_EQ(figures.labels[2].support, 3);
  EXPECT_NEAR(*figures.macro.precision, 0.50, 0.005);
  EXPECT_NEAR(*figures.macro.recall, 0.56, 0.005);
  EXPECT_NEAR(*figures.macro.f1, 0.49, 0.005);
  EXPECT_NEAR(*figures.weighted.precision, 0.70, 0.005);
  EXPECT_NEAR(*figures.weighted.recall, 0.60, 0.005);
  EXPECT_NEAR(*figures.weighted.f1, 0.61, 0.005);
  EXPECT_EQ(*figures.micro.precision, 0.6);
  EXPECT_EQ(*figures.micro.f1, 0.6);
}

TEST(Classification, OfRandomAnswersIsThatOfTheDefinition) {
  for (const std::int32_t K : {1, 2, 5, 13}) {
    const Labels right = random_labels(1, 101, K);
    const Labels answers = random_answers(2, right, K, 0.4);
    expect_equal(judge_labels(right, answers, K), plain_figures(sets_of(right), sets_of(answers), K));
  }
}

TEST(Classification, OfSetsIsThatOfTheDefinition) {
  constexpr std::int32_t K = 6;
  Sets right(80);
  Sets answers(80);
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (std::int32_t k = K - 1; k >= 0; --k) {
      const auto stream = static_cast<std::uint32_t>(10 + k);
      const double u = random_number(stream, i);
      if (u < 0.3 && k > 0) right[i].push_back(k);
      if (u < 0.2 || u > 0.9) answers[i].push_back(k);
    }
    if (i % 7 == 0 && !right[i].empty()) right[i].push_back(right[i].front());  // once is enough
  }
  const Classification figures = judge_labels(right, answers, K);
  expect_equal(figures, plain_figures(right, answers, K));
  EXPECT_FALSE(figures.labels[0].recall());
}

TEST(Classification, OfOneLabelATextIsThatOfSetsOfOne) {
  const Labels right = random_labels(3, 50, 4);
  const Labels answers = random_answers(4, right, 4, 0.5);
  const Classification one = judge_labels(right, answers, 4);
  const Classification sets = judge_labels(sets_of(right), sets_of(answers), 4);
  EXPECT_EQ(one.exact.hits, sets.exact.hits);
  EXPECT_EQ(*one.macro.f1, *sets.macro.f1);
  EXPECT_EQ(*one.micro.f1, one.exact.share());
}

TEST(Classification, WhatWouldDivideByZeroHasNoValue) {
  const Labels right = {0, 0, 1};
  const Labels answers = {0, 2, 2};
  const Classification figures = judge_labels(right, answers, 4);
  EXPECT_FALSE(figures.labels[1].precision());  // never answered
  EXPECT_EQ(*figures.labels[1].recall(), 0);
  EXPECT_EQ(*figures.labels[1].f1(), 0);
  EXPECT_EQ(*figures.labels[2].precision(), 0);  // never right to answer
  EXPECT_FALSE(figures.labels[2].recall());
  EXPECT_FALSE(figures.labels[2].f1());
  EXPECT_FALSE(figures.labels[3].precision());
  EXPECT_FALSE(figures.labels[3].f1());
  EXPECT_NEAR(*figures.macro.f1, (2.0 / 3) / 3, 1e-12);  // of labels 0, 1 and 2
  EXPECT_NEAR(*figures.macro.precision, 1.0 / 3, 1e-12);

  const Classification nothing = judge_labels(Sets{{}, {}}, Sets{{}, {}}, 2);
  EXPECT_EQ(nothing.exact.share(), 1);
  EXPECT_FALSE(nothing.macro.f1);
  EXPECT_FALSE(nothing.weighted.recall);
  EXPECT_FALSE(nothing.micro.precision);
  EXPECT_FALSE(bootstrap_f1(Sets{{}, {}}, Sets{{}, {}}, 2).micro);
}

TEST(Classification, NotesNameWhatIsMissing) {
  const std::vector<std::string> names = {"yes", "no", "may\tbe", "never"};
  const Classification figures = judge_labels(Labels{0, 0, 1, 2, 2}, Labels{0, 0, 0, 0, 0}, 4);
  const std::vector<std::string> notes = notes_on(figures, names);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0], "never predicted: \"no\" (1 instance), \"may\\tbe\" (2 instances)");
  EXPECT_EQ(notes[1], "without an instance in the data: \"never\"");
  EXPECT_TRUE(notes_on(judge_labels(Labels{0, 1}, Labels{1, 0}, 2), names).empty());

  const std::vector<std::string> many(8, "x");
  const std::vector<std::string> short_note = notes_on(judge_labels(Labels{0}, Labels{0}, 8), many);
  ASSERT_EQ(short_note.size(), 1U);
  EXPECT_TRUE(short_note[0].ends_with("\"x\", \"x\", \"x\", \"x\", \"x\" and 2 more")) << short_note[0];
}

// Micro F1 of one label a text is a mean of independent texts: 1.96 standard errors to each side.
TEST(Classification, IntervalsAreThoseOfTheNormalApproximation) {
  const Labels right = random_labels(7, 600, 3);
  const Labels answers = random_answers(8, right, 3, 0.3);
  const Classification figures = judge_labels(right, answers, 3);
  const F1Intervals intervals = bootstrap_f1(right, answers, 3);
  const double share = figures.exact.share();
  const double half = 1.96 * std::sqrt(share * (1 - share) / 600);
  EXPECT_NEAR(intervals.micro->low, share - half, half / 8);
  EXPECT_NEAR(intervals.micro->high, share + half, half / 8);
  EXPECT_LT(intervals.macro->low, *figures.macro.f1);
  EXPECT_GT(intervals.macro->high, *figures.macro.f1);
  EXPECT_LT(intervals.weighted->low, *figures.weighted.f1);
  EXPECT_GT(intervals.weighted->high, *figures.weighted.f1);
  EXPECT_EQ(intervals.macro->low, bootstrap_f1(sets_of(right), sets_of(answers), 3).macro->low);
  EXPECT_NE(intervals.macro->low, bootstrap_f1(right, answers, 3, {.seed = 2}).macro->low);
}

TEST(Classification, WhatCannotBeJudgedIsRefused) {
  const Labels two = {0, 1};
  const auto judge = [](const Labels& right, const Labels& answers) {
    return [=] { static_cast<void>(judge_labels(right, answers, 2)); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "2 texts with labels and 1 with answers", judge(two, {0})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "label 2: expected 0 to 1", judge(two, {0, 2})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "label -1: expected 0 to 1", judge({0, -1}, two)));
  EXPECT_EQ(error_of(judge({0, -1}, two))->index(), 1);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no texts", judge({}, {})));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "label 2", [&] { static_cast<void>(judge_labels(Sets{{2}}, Sets{{}}, 2)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "at least 40",
                         [&] { static_cast<void>(bootstrap_f1(two, two, 2, {.resamples = 39})); }));
}

}  // namespace
}  // namespace unroll
