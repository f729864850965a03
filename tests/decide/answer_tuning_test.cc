#include "unroll/label/answer_tuning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Sets = std::vector<std::vector<std::int32_t>>;

// Texts with random probabilities, and labels that are somewhat likely under them.
struct RandomTexts {
  std::vector<std::string> labels;
  std::vector<ClassifiedText> said;
  Sets right;
  bool multi_label;

  [[nodiscard]] JudgedTexts view() const { return {labels, said, right, multi_label}; }
  [[nodiscard]] AnswerRule usual_rule() const {
    const std::size_t K = labels.size();
    return {std::vector<double>(K, multi_label ? 0.5 : 0), std::vector<double>(K, 1)};
  }
};

RandomTexts random_texts(std::size_t count, std::size_t K, bool multi_label, unsigned seed) {
  RandomTexts texts{.labels = {}, .said = {}, .right = {}, .multi_label = multi_label};
  for (std::size_t k = 0; k < K; ++k) texts.labels.push_back(std::string(1, static_cast<char>('a' + k)));
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> any(0.01, 1);
  for (std::size_t i = 0; i < count; ++i) {
    ClassifiedText& text = texts.said.emplace_back();
    double sum = 0;
    for (std::size_t k = 0; k < K; ++k) sum += text.probabilities.emplace_back(any(random));
    std::vector<std::int32_t>& right = texts.right.emplace_back();
    for (std::size_t k = 0; k < K; ++k) {
      double& p = text.probabilities[k];
      if (multi_label) p = std::round(p * 20) / 20;
      if (!multi_label) p /= sum;
      text.log_probs.push_back(std::log(p));
      if (multi_label) text.log_complements.push_back(std::log1p(-p));
      if (multi_label && any(random) * any(random) < p * 0.7) right.push_back(static_cast<std::int32_t>(k));
    }
    if (multi_label) continue;
    // Rare labels are the last ones, and the classifier does not know it.
    const double share = any(random) * any(random) * 1.3;
    right.push_back(any(random) < 0.5 ? static_cast<std::int32_t>(std::ranges::max_element(text.probabilities) -
                                                                  text.probabilities.begin())
                                      : static_cast<std::int32_t>(std::min(share, 0.999) * static_cast<double>(K)));
  }
  return texts;
}

// Counts in plain loops.
HitCounts counts_by(const RandomTexts& texts, const AnswerRule& rule, std::int32_t label) {
  HitCounts counts;
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    const std::vector<std::int32_t> answers = answers_by(rule, texts.said[i], texts.multi_label);
    const bool is_answered = std::ranges::find(answers, label) != answers.end();
    const bool has = std::ranges::find(texts.right[i], label) != texts.right[i].end();
    counts.answered += is_answered ? 1 : 0;
    counts.support += has ? 1 : 0;
    counts.hits += is_answered && has ? 1 : 0;
  }
  return counts;
}

HitCounts counts_of_all(const RandomTexts& texts, const AnswerRule& rule) {
  HitCounts counts;
  for (std::size_t k = 0; k < texts.labels.size(); ++k) counts += counts_by(texts, rule, static_cast<std::int32_t>(k));
  return counts;
}

std::int64_t exact_by(const RandomTexts& texts, const AnswerRule& rule) {
  std::int64_t exact = 0;
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    std::vector<std::int32_t> answers = answers_by(rule, texts.said[i], texts.multi_label);
    std::ranges::sort(answers);
    exact += answers == texts.right[i] ? 1 : 0;
  }
  return exact;
}

void expect_counts(const HitCounts& a, const HitCounts& b) {
  EXPECT_EQ(a.hits, b.hits);
  EXPECT_EQ(a.answered, b.answered);
  EXPECT_EQ(a.support, b.support);
}

// The figures that a target promises, found by trying many numbers for one label or for all.
void expect_best_of_all(const RandomTexts& texts, const TuneTarget& target, const AnswerTuning& tuning,
                        const std::vector<AnswerRule>& rules) {
  for (const AnswerRule& rule : rules) {
    const HitCounts counts =
        target.label.empty() ? counts_of_all(texts, rule) : counts_by(texts, rule, target.label.front() - 'a');
    const bool is_precision = target.measure == TuneMeasure::kPrecision;
    const std::optional<double> floor = is_precision ? counts.recall() : counts.precision();
    if (counts.answered == 0) continue;
    if (target.measure == TuneMeasure::kF1) {
      EXPECT_GE(tuning.after.value, counts.f1());
    } else if (floor >= target.floor) {
      ASSERT_TRUE(tuning.is_reached);
      EXPECT_GE(tuning.after.value, is_precision ? counts.precision() : counts.recall());
    } else if (!tuning.is_reached) {
      EXPECT_GE(is_precision ? tuning.after.counts.recall() : tuning.after.counts.precision(), floor);
    }
  }
}

// Rules whose number goes through all that make a difference.
std::vector<AnswerRule> rules_for(const RandomTexts& texts, const TuneTarget& target) {
  std::vector<AnswerRule> rules;
  const AnswerRule usual = texts.usual_rule();
  for (int i = 0; i <= 200; ++i) {
    AnswerRule& rule = rules.emplace_back(usual);
    const double share = i / 200.0;
    if (target.label.empty()) {
      std::ranges::fill(rule.thresholds, share);
    } else if (texts.multi_label) {
      rule.thresholds[static_cast<std::size_t>(target.label.front() - 'a')] = share;
    } else {
      rule.factors[static_cast<std::size_t>(target.label.front() - 'a')] = std::exp(14 * share - 7);
    }
  }
  return rules;
}

TEST(AnswerTuning, OneCutIsTheBestOfAllAndItsFiguresAreThoseOfItsRule) {
  for (const bool multi_label : {false, true}) {
    const RandomTexts texts = random_texts(53, 3, multi_label, 7);
    for (const char* const name : {"f1:b", "p@r:0.8", "p@r:0.8:b", "r@p:0.6", "r@p:0.6:b", "r@p:0.97", "p@r:0.95"}) {
      SCOPED_TRACE(std::string(name) + (multi_label ? ", sets" : ", one"));
      const TuneTarget target = parse_tune_target(name);
      const AnswerTuning tuning = tune_answers(texts.view(), texts.usual_rule(), target);
      expect_best_of_all(texts, target, tuning, rules_for(texts, target));
      expect_counts(tuning.after.counts,
                    target.label.empty() ? counts_of_all(texts, tuning.rule) : counts_by(texts, tuning.rule, 1));
      ASSERT_LT(tuning.chosen, tuning.rows.size());
      expect_counts(tuning.rows[tuning.chosen].counts, tuning.after.counts);
      ASSERT_TRUE(tuning.after.interval);
      EXPECT_LE(tuning.after.interval->low, *tuning.after.value);
      EXPECT_GE(tuning.after.interval->high, *tuning.after.value - 1e-12);
    }
  }
}

TEST(AnswerTuning, EachRowOfATableSaysWhatItsNumberGives) {
  const RandomTexts texts = random_texts(80, 3, false, 3);
  const AnswerTuning tuning = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("f1:c"));
  ASSERT_TRUE(tuning.by_factor);
  EXPECT_GE(tuning.rows.size(), 9U);
  EXPECT_LE(tuning.rows.size(), 12U);
  for (const TuneRow& row : tuning.rows) {
    AnswerRule rule = texts.usual_rule();
    rule.factors[2] = row.cut;
    expect_counts(counts_by(texts, rule, 2), row.counts);
  }
}

TEST(AnswerTuning, TwoLabelsGetTheFactorWithTheMostRightTextsOrTheLargestMacroF1) {
  const RandomTexts texts = random_texts(70, 2, false, 11);
  const AnswerTuning accuracy = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("accuracy"));
  const AnswerTuning macro = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("macro_f1"));
  for (int i = 0; i <= 200; ++i) {
    AnswerRule rule = texts.usual_rule();
    rule.factors[1] = std::exp(i / 200.0 * 14 - 7);
    EXPECT_LE(static_cast<double>(exact_by(texts, rule)) / 70, *accuracy.after.value + 1e-12);
    const double mean = (counts_by(texts, rule, 0).f1().value_or(0) + counts_by(texts, rule, 1).f1().value_or(0)) / 2;
    EXPECT_LE(mean, *macro.after.value + 1e-12);
  }
  EXPECT_NEAR(static_cast<double>(exact_by(texts, accuracy.rule)) / 70, *accuracy.after.value, 1e-12);
}

TEST(AnswerTuning, NoFactorOfFiveLabelsAloneGainsAnythingMore) {
  const RandomTexts texts = random_texts(90, 5, false, 5);
  for (const char* const name : {"accuracy", "macro_f1"}) {
    const TuneTarget target = parse_tune_target(name);
    const AnswerTuning tuning = tune_answers(texts.view(), texts.usual_rule(), target);
    EXPECT_GT(tuning.after.value, tuning.before.value) << name;
    ASSERT_EQ(tuning.labels.size(), 5U);
    for (std::size_t k = 0; k < 5; ++k) {
      expect_counts(tuning.labels[k].counts_after, counts_by(texts, tuning.rule, static_cast<std::int32_t>(k)));
      EXPECT_EQ(tuning.labels[k].after, tuning.rule.factors[k]);
      for (int i = 0; i <= 60; ++i) {
        AnswerRule rule = tuning.rule;
        rule.factors[k] *= std::exp(i / 10.0 - 3);
        double value = static_cast<double>(exact_by(texts, rule)) / 90;
        if (target.measure == TuneMeasure::kMacroF1) {
          value = 0;
          for (std::int32_t label = 0; label < 5; ++label) value += counts_by(texts, rule, label).f1().value_or(0) / 5;
        }
        EXPECT_LE(value, *tuning.after.value + 1e-12);
      }
    }
  }
}

TEST(AnswerTuning, ThresholdsOfSetsHaveTheLargestF1OfEachLabelAndOfAll) {
  const RandomTexts texts = random_texts(40, 2, true, 13);
  const AnswerTuning macro = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("macro_f1"));
  const AnswerTuning pooled = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("f1"));
  const AnswerTuning exact = tune_answers(texts.view(), texts.usual_rule(), parse_tune_target("accuracy"));
  EXPECT_FALSE(macro.by_factor);
  EXPECT_EQ(exact.after.value, static_cast<double>(exact_by(texts, exact.rule)) / 40);
  EXPECT_GE(exact.after.value, exact.before.value);
  for (int i = 0; i <= 40; ++i) {
    for (int j = 0; j <= 40; ++j) {
      const AnswerRule rule{{i / 40.0, j / 40.0}, {1, 1}};
      const double f1_a = counts_by(texts, rule, 0).f1().value_or(0);
      const double f1_b = counts_by(texts, rule, 1).f1().value_or(0);
      EXPECT_LE((f1_a + f1_b) / 2, *macro.after.value + 1e-12);
      EXPECT_LE(counts_of_all(texts, rule).f1(), *pooled.after.value + 1e-12);
    }
  }
}

TEST(AnswerTuning, ARuleThatNothingBeatsIsKept) {
  RandomTexts texts = random_texts(30, 3, false, 2);
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    texts.right[i] = answers_by(texts.usual_rule(), texts.said[i], false);
  }
  const AnswerRule present = texts.usual_rule();
  EXPECT_EQ(tune_answers(texts.view(), present, parse_tune_target("accuracy")).rule, present);
  EXPECT_EQ(tune_answers(texts.view(), present, parse_tune_target("f1")).rule, present);
}

TEST(AnswerTuning, LabelsThatOnlyTextsHaveCountAsMisses) {
  RandomTexts texts = random_texts(30, 2, false, 2);
  texts.labels.emplace_back("new");
  texts.right[3] = {2};
  AnswerRule present = texts.usual_rule();
  present.thresholds.pop_back();
  present.factors.pop_back();
  const AnswerTuning tuning = tune_answers(texts.view(), present, parse_tune_target("p@r:0.99"));
  EXPECT_FALSE(tuning.is_reached);
  EXPECT_EQ(tuning.after.counts.support, 30);
  const auto tune = [&] { static_cast<void>(tune_answers(texts.view(), present, parse_tune_target("f1:new"))); };
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "\"new\" is not among the 2", tune));
}

TEST(AnswerTuning, TargetsAreReadAndOthersRefused) {
  const TuneTarget target = parse_tune_target("p@r:0.25:a:b");
  EXPECT_EQ(target.measure, TuneMeasure::kPrecision);
  EXPECT_EQ(target.floor, 0.25);
  EXPECT_EQ(target.label, "a:b");
  EXPECT_EQ(parse_tune_target("f1:x").label, "x");
  for (const char* const odd : {"", "f2", "f1:", "p@r", "p@r:", "p@r:0", "p@r:1.5", "p@r:0.5x", "p@r:nan",
                                "r@p:0.5:", "accuracy:x", "macro_f1:x"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "p@r:0.9:LABEL", [&] { static_cast<void>(parse_tune_target(odd)); }));
  }
}

TEST(AnswerTuning, NothingToTuneOnIsRefused) {
  RandomTexts texts = random_texts(10, 2, false, 2);
  const AnswerRule rule = texts.usual_rule();
  const auto tune = [&](const JudgedTexts& view, const AnswerRule& present) {
    return [&] { static_cast<void>(tune_answers(view, present, parse_tune_target("f1:b"))); };
  };
  for (std::vector<std::int32_t>& right : texts.right) right = {0};
  const JudgedTexts view = texts.view();
  const JudgedTexts none{texts.labels, {}, {}, false};
  const AnswerRule short_rule{{0}, {1}};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no text has the label \"b\"", tune(view, rule)));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "1 thresholds", tune(view, short_rule)));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no texts", tune(none, rule)));
}

}  // namespace
}  // namespace unroll
