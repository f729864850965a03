#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/philox.h"
#include "support/error_of.h"
#include "unroll/nbest/combination.h"
#include "unroll/nbest/error_rate.h"

namespace unroll {
namespace {

double random_number(std::uint64_t seed, std::uint32_t place) {
  const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 0, place, 0);
  return uniform_double(words[0], words[1]);
}

// The definition: the fewest edits, found by trying all three at each place.
std::int64_t plain_distance(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return static_cast<std::int64_t>(a.size() + b.size());
  const std::int64_t same = plain_distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1);
  return std::min({same, plain_distance(a.substr(1), b) + 1, plain_distance(a, b.substr(1)) + 1});
}

std::string spaced(const std::string& letters) {
  std::string text;
  for (const char c : letters) text += std::string(1, c) + "  ";
  return text;
}

TEST(ErrorRate, DistancesAreThoseOfTheDefinition) {
  for (std::uint32_t i = 0; i < 150; ++i) {
    std::string a;
    std::string b;
    for (std::uint32_t j = 0; j < 7; ++j) {
      if (random_number(1, 100 * i + j) < 0.7) a += static_cast<char>('a' + 3 * random_number(2, 100 * i + j));
      if (random_number(3, 100 * i + j) < 0.7) b += static_cast<char>('a' + 3 * random_number(4, 100 * i + j));
    }
    const std::int64_t expected = plain_distance(a, b);
    EXPECT_EQ(character_errors(a, b).errors, expected) << a << " " << b;
    EXPECT_EQ(word_errors(spaced(a), spaced(b)).errors, expected) << a << " " << b;
    EXPECT_EQ(word_errors(spaced(a), spaced(b)).of, static_cast<std::int64_t>(b.size()));
  }
}

// The whole table of distances between beginnings.
std::int64_t distance_by_table(const std::string& a, const std::string& b) {
  std::vector<std::int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::int64_t{0});
  for (const char c : a) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t changed = diagonal + (c == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

TEST(ErrorRate, DistancesOfLongTextsAreThoseOfTheWholeTable) {
  for (std::uint32_t i = 0; i < 60; ++i) {
    std::string a;
    std::string b;
    const double kept = random_number(5, i);  // from all alike to nothing in common
    for (std::uint32_t j = 0; j < 200; ++j) {
      const std::uint32_t place = 200 * i + j;
      const char c = static_cast<char>('a' + 5 * random_number(6, place));
      if (random_number(7, place) > 0.2 * (1 - kept)) a += c;
      if (random_number(8, place) > 0.4 * (1 - kept)) {
        b += random_number(9, place) < kept ? c : static_cast<char>('a' + 5 * random_number(10, place));
      }
      if (i % 3 == 0 && j > 100) b += 'f';  // much longer
    }
    EXPECT_EQ(character_errors(a, b).errors, distance_by_table(a, b)) << a << " " << b;
    EXPECT_EQ(character_errors(b, a).errors, distance_by_table(a, b)) << a << " " << b;
    const std::string moved = a.substr(60) + a.substr(0, 60);
    EXPECT_EQ(character_errors(moved, a).errors, distance_by_table(moved, a));
  }
}

// Cell by cell the table would take some seconds.
TEST(ErrorRate, LongTextsAreQuick) {
  std::string a;
  for (std::uint32_t i = 0; i < 60000; ++i) a += static_cast<char>('a' + i % 23);
  std::string b = a;
  for (const std::size_t at : {10U, 40000U, 59990U}) b[at] = 'z';
  b.erase(50000, 2);
  EXPECT_EQ(character_errors(a, b).errors, 5);
  EXPECT_EQ(character_errors(a, std::string(60000, 'y')).errors, 60000);
}

TEST(ErrorRate, WordsAndCharactersAreWhatTheyAreSaidToBe) {
  EXPECT_EQ(word_errors("the cat\r", "\tthe  cat").errors, 0);
  EXPECT_EQ(word_errors("", "a b c").errors, 3);
  EXPECT_EQ(word_errors("a b", "").of, 0);
  EXPECT_EQ(character_errors("caf\xC3\xA9 x", "cafe  x").errors, 1);
  EXPECT_EQ(character_errors("caf\xC3\xA9 x", "cafe  x").of, 6);
  EXPECT_EQ(character_errors("a\xff\xfe", "a\xff").errors, 1);
  EXPECT_EQ(error_rate({}), 0);
}

std::vector<ErrorCount> random_errors(std::uint32_t count, std::uint64_t seed) {
  std::vector<ErrorCount> errors;
  for (std::uint32_t i = 0; i < count; ++i) {
    errors.push_back({.errors = static_cast<std::int64_t>(4 * random_number(seed, i)), .of = 10});
  }
  return errors;
}

// For a mean of independent utterances the interval is known: 1.96 standard errors to each side.
TEST(ErrorRate, BootstrapIntervalsAreThoseOfTheNormalApproximation) {
  const std::vector<ErrorCount> errors = random_errors(600, 5);
  const double rate = error_rate(errors);
  double variance = 0;
  for (const ErrorCount& one : errors) variance += std::pow(static_cast<double>(one.errors) / 10 - rate, 2) / 600;
  const double half = 1.96 * std::sqrt(variance / 600);
  const Interval interval = bootstrap_rate(errors);
  EXPECT_NEAR(interval.low, rate - half, half / 8);
  EXPECT_NEAR(interval.high, rate + half, half / 8);
  const Interval again = bootstrap_rate(errors);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
  EXPECT_NE(interval.low, bootstrap_rate(errors, {.seed = 2}).low);
  EXPECT_EQ(bootstrap_rate({}).high, 0);
}

// Nine of ten utterances have an error and no reference word: 0.9^10 = 35% of all resamples have errors alone.
TEST(ErrorRate, ResamplesWithoutReferenceWordsAreInfinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<ErrorCount> errors(10, {.errors = 1, .of = 0});
  errors[9] = {.errors = 0, .of = 1};
  EXPECT_EQ(error_rate(errors), 9);
  const Interval interval = bootstrap_rate(errors);
  EXPECT_NEAR(interval.low, 7.0 / 3, 1e-12);  // three or more of the one with a word: 7.0% of all, four or more: 1.3%
  EXPECT_EQ(interval.high, kInfinity);
  std::vector<ErrorCount> better = errors;
  better[0].errors = 0;
  EXPECT_EQ(bootstrap_difference(errors, better).high, kInfinity);
  EXPECT_EQ(bootstrap_difference(better, errors).low, -kInfinity);
  const Interval same = bootstrap_difference(errors, errors);
  EXPECT_EQ(same.low, 0);
  EXPECT_EQ(same.high, 0);
  EXPECT_EQ(error_rate(std::vector<ErrorCount>{{.errors = 2, .of = 0}}), kInfinity);
  EXPECT_EQ(error_rate(std::vector<ErrorCount>{{.errors = 0, .of = 0}}), 0);
}

TEST(ErrorRate, DifferencesArePaired) {
  const std::vector<ErrorCount> b = random_errors(300, 6);
  std::vector<ErrorCount> a = b;
  for (ErrorCount& one : a) one.errors += 1;  // each utterance one worse: certain, however uncertain the rates are
  const Interval interval = bootstrap_difference(a, b);
  EXPECT_NEAR(interval.low, 0.1, 1e-12);
  EXPECT_NEAR(interval.high, 0.1, 1e-12);
}

TEST(ErrorRate, WhatHasNoIntervalIsRefused) {
  const std::vector<ErrorCount> two(2);
  const std::vector<ErrorCount> three(3);
  for (const std::int64_t resamples : {0, -1, 39}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected at least 40",
                           [&] { (void)bootstrap_rate(two, {.resamples = resamples}); }));
  }
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "2 and 3 utterances", [&] { (void)bootstrap_difference(two, three); }));
}

TEST(Combination, TotalsAreTheEquation) {
  const Evidence evidence{.score = -3, .lm = -10, .old_lm = -20, .words = 4};
  const Combination weights{.lm_weight = 0.5, .word_weight = 2, .lambda = 0.75};
  EXPECT_DOUBLE_EQ(combined_lm(weights, evidence), -12.5);
  EXPECT_DOUBLE_EQ(total(weights, evidence), -3 - 6.25 + 8);
  const std::vector<Evidence> list{{.score = 1}, {.score = 2}, {.score = 2}, {.score = 0}};
  EXPECT_EQ(best_of({}, list), 1U);
  EXPECT_EQ(ranking({}, list), (std::vector<std::size_t>{1, 2, 0, 3}));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "empty N-best list", [] { (void)best_of({}, {}); }));
  const std::vector<TuningList> short_of_errors{{.hypotheses = list, .errors = {1}}};
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "4 hypotheses and errors of 1", [&] { (void)tune_combination(short_of_errors); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`lambda` is 1.5", [] { check(Combination{.lambda = 1.5}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`lm_weight` is",
                         [] { check(Combination{.lm_weight = std::numeric_limits<double>::infinity()}); }));
}

// Lists in which the hypothesis without errors is that of the largest total under `planted`, by some margin.
std::vector<TuningList> planted_lists(const Combination& planted, double score_scale, std::uint64_t seed) {
  std::vector<TuningList> lists;
  for (std::uint32_t i = 0; i < 300; ++i) {
    TuningList list;
    for (std::uint32_t j = 0; j < 8; ++j) {
      const std::uint32_t place = 4 * (8 * i + j);
      const double words = 5 + std::floor(4 * random_number(seed, place));
      list.hypotheses.push_back({.score = score_scale * random_number(seed, place + 1),
                                 .lm = -4 * words - 6 * random_number(seed, place + 2),
                                 .old_lm = -4 * words - 6 * random_number(seed, place + 3),
                                 .words = words});
    }
    list.errors.assign(8, 1);
    list.errors[best_of(planted, list.hypotheses)] = 0;
    lists.push_back(list);
  }
  return lists;
}

TEST(Combination, PlantedWeightsAreFound) {
  for (const double scale : {1.0, 50.0}) {
    const Combination planted{.lm_weight = 0.13 * scale, .word_weight = 0.55 * scale};
    const auto lists = planted_lists(planted, scale, 3);
    const Combination found = tune_combination(lists);
    EXPECT_LE(errors_of(found, lists), 9) << found.lm_weight << " " << found.word_weight;
    EXPECT_NEAR(found.lm_weight, planted.lm_weight, 0.15 * planted.lm_weight);
    EXPECT_NEAR(found.word_weight, planted.word_weight, 0.15 * planted.word_weight);
    EXPECT_LE(errors_of(found, planted_lists(planted, scale, 4)), 30);  // on other lists
    EXPECT_EQ(found, tune_combination(lists));
  }
}

TEST(Combination, APlantedMixtureIsFound) {
  const Combination planted{.lm_weight = 0.3, .word_weight = 1, .lambda = 0.4};
  const auto lists = planted_lists(planted, 2, 5);
  const Combination found = tune_combination(lists, {.lambda = true});
  EXPECT_NEAR(found.lambda, 0.4, 0.1);
  EXPECT_LE(errors_of(found, lists), 15);
  EXPECT_EQ(tune_combination(lists).lambda, 1);
}

// The right hypothesis is a word longer and its score a little worse; the language model says nothing of use.
TEST(Combination, WordsMayCountWithoutTheLanguageModel) {
  std::vector<TuningList> lists;
  for (int i = 0; i < 20; ++i) {
    const double lm = i % 2 == 0 ? 10 : -10;
    lists.push_back({.hypotheses = {{.score = 0, .lm = -60, .words = 4}, {.score = -1, .lm = -60 + lm, .words = 5}},
                     .errors = {1, 0}});
  }
  const Combination found = tune_combination(lists);
  EXPECT_EQ(found.lm_weight, 0);
  EXPECT_GT(found.word_weight, 1);
  EXPECT_EQ(errors_of(found, lists), 0);
}

TEST(Combination, HugeScoresHaveFiniteWeights) {
  const std::vector<TuningList> lists{
      {.hypotheses = {{.score = 1e30, .lm = -1, .words = 1}, {.score = -1e30, .lm = -9, .words = 2}},
       .errors = {1, 0}}};
  const Combination found = tune_combination(lists);
  EXPECT_TRUE(std::isfinite(found.lm_weight));
  EXPECT_TRUE(std::isfinite(found.word_weight));
}

TEST(Combination, WeightsThatChangeNothingAreSmall) {
  const std::vector<TuningList> lists{
      {.hypotheses = {{.score = 2, .lm = -1, .words = 1}, {.score = 1, .lm = -9, .words = 2}}, .errors = {0, 1}}};
  EXPECT_EQ(tune_combination(lists), (Combination{.lm_weight = 0, .word_weight = 0}));
  EXPECT_EQ(tune_combination(lists, {.lm_weight = false}), (Combination{.lm_weight = 1, .word_weight = 0}));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no list", [] { (void)tune_combination({}); }));
}

}  // namespace
}  // namespace unroll
