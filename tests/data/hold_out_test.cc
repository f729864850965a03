#include "data/hold_out.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "data/texts_of.h"

namespace unroll {
namespace {

// `counts[l]` texts of label l, all different, sorted by label.
LabelledTexts sorted_texts(const std::vector<int>& counts) {
  LabelledTexts texts{.files = {"a"}};
  for (std::size_t label = 0; label < counts.size(); ++label) {
    texts.labels.push_back(std::to_string(label));
    for (int i = 0; i < counts[label]; ++i) {
      texts.texts.push_back(
          {.text = std::to_string(label) + " " + std::to_string(i), .labels = {static_cast<std::int32_t>(label)}});
    }
  }
  return texts;
}

std::map<std::int32_t, std::int64_t> labels_among(const LabelledTexts& texts, const std::vector<std::size_t>& places) {
  std::map<std::int32_t, std::int64_t> counts;
  for (const std::size_t place : places) ++counts[texts.texts[place].labels.at(0)];
  return counts;
}

std::set<std::string> texts_among(const LabelledTexts& texts, const std::vector<std::size_t>& places) {
  std::set<std::string> found;
  for (const std::size_t place : places) found.insert(texts.texts[place].text);
  return found;
}

void expect_each_text_once(const TextSplit& split, std::size_t texts) {
  std::vector<std::size_t> all = split.train;
  all.insert(all.end(), split.valid.begin(), split.valid.end());
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), texts);
  for (std::size_t i = 0; i < texts; ++i) EXPECT_EQ(all[i], i);
}

TEST(HoldOut, EachLabelGivesItsShare) {
  const LabelledTexts texts = sorted_texts({500, 60, 30});
  const TextSplit split = hold_out(texts, 0.1, 1);
  expect_each_text_once(split, texts.texts.size());
  EXPECT_EQ(labels_among(texts, split.valid), (std::map<std::int32_t, std::int64_t>{{0, 50}, {1, 6}, {2, 3}}));
}

TEST(HoldOut, WhatRoundingLeavesOverGoesToTheLargestRemainders) {
  const LabelledTexts texts = sorted_texts({19, 18, 2, 1, 1});  // shares 1.9 1.8 0.2 0.1 0.1, in all 4.1
  const TextSplit split = hold_out(texts, 0.1, 1);
  EXPECT_EQ(labels_among(texts, split.valid), (std::map<std::int32_t, std::int64_t>{{0, 2}, {1, 2}}));
}

TEST(HoldOut, OneTextOfEachLabelStays) {
  const LabelledTexts texts = sorted_texts({1, 1, 1, 2, 2, 2});
  const TextSplit split = hold_out(texts, 0.7, 3);
  EXPECT_EQ(labels_among(texts, split.train).size(), 6U);
}

TEST(HoldOut, TheSeedDecidesAndTheOrderOfTheTextsDoesNot) {
  LabelledTexts texts = sorted_texts({200, 100});
  const std::set<std::string> held_out = texts_among(texts, hold_out(texts, 0.1, 1).valid);
  EXPECT_NE(texts_among(texts, hold_out(texts, 0.1, 2).valid), held_out);
  std::ranges::reverse(texts.texts);
  EXPECT_EQ(texts_among(texts, hold_out(texts, 0.1, 1).valid), held_out);
  const TextSplit again = hold_out(texts, 0.1, 1);
  EXPECT_TRUE(std::ranges::is_sorted(again.valid));
}

TEST(HoldOut, TheDrawIsTheSameOnEveryMachine) {
  const LabelledTexts texts = sorted_texts({20, 20});
  EXPECT_EQ(hold_out(texts, 0.1, 1).valid, (std::vector<std::size_t>{2, 16, 26, 27}));
}

TEST(HoldOut, EqualTextsStayTogetherWhateverTheirLabels) {
  LabelledTexts texts = sorted_texts({40, 40});
  const std::size_t different = texts.texts.size();
  for (std::size_t i = 0; i < different; ++i) {
    texts.texts.push_back(texts.texts[i]);
    texts.texts.back().labels[0] = static_cast<std::int32_t>(i % 2);
  }
  const TextSplit split = hold_out(texts, 0.25, 5);
  expect_each_text_once(split, texts.texts.size());
  EXPECT_EQ(split.valid.size(), 40U);
  for (const std::string& text : texts_among(texts, split.valid)) {
    EXPECT_FALSE(texts_among(texts, split.train).contains(text)) << text;
  }
}

TEST(HoldOut, ATextOfSeveralLabelsCountsForTheRarestAndOneOfNoneForNone) {
  LabelledTexts texts = sorted_texts({100, 20});
  texts.multi_label = true;
  for (std::size_t i = 100; i < 120; ++i) texts.texts[i].labels = {0, 1};
  for (std::size_t i = 0; i < 10; ++i) texts.texts[i].labels.clear();
  const TextSplit split = hold_out(texts, 0.1, 1);
  std::int64_t rare = 0;
  std::int64_t without = 0;
  for (const std::size_t place : split.valid) {
    rare += texts.texts[place].labels.size() == 2 ? 1 : 0;
    without += texts.texts[place].labels.empty() ? 1 : 0;
  }
  EXPECT_EQ(rare, 2);
  EXPECT_EQ(without, 1);
  EXPECT_EQ(split.valid.size(), 12U);
}

TEST(HoldOut, SharesThatAreNoneOrHoldOutNothingAreRefused) {
  const LabelledTexts texts = sorted_texts({3, 1});
  for (const double share : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(static_cast<void>(hold_out(texts, share, 1)), Error);
  }
  EXPECT_THROW(static_cast<void>(hold_out(texts, 0.1, 1)), Error);
  EXPECT_TRUE(hold_out(texts, 0, 1).valid.empty());
}

TEST(Folds, AreDisjointCoverAllAndAreStratified) {
  LabelledTexts texts = sorted_texts({50, 30, 7});
  texts.texts.push_back(texts.texts.front());
  std::vector<std::size_t> all;
  for (std::int64_t fold = 0; fold < 10; ++fold) {
    const TextSplit split = split_fold(texts, fold, 10, 1);
    expect_each_text_once(split, texts.texts.size());
    all.insert(all.end(), split.valid.begin(), split.valid.end());
    std::map<std::int32_t, std::int64_t> labels = labels_among(texts, split.valid);
    EXPECT_GE(labels[0], 5);
    EXPECT_LE(labels[0], 6);
    EXPECT_EQ(labels[1], 3);
    EXPECT_LE(labels[2], 1);
    EXPECT_EQ(std::ranges::count(split.valid, 0U), std::ranges::count(split.valid, texts.texts.size() - 1));
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::unique(all).begin(), all.end());
  EXPECT_EQ(all.size(), texts.texts.size());
}

TEST(Folds, DependOnTheSeed) {
  const LabelledTexts texts = sorted_texts({50, 30});
  EXPECT_EQ(split_fold(texts, 1, 5, 7).valid, split_fold(texts, 1, 5, 7).valid);
  EXPECT_NE(split_fold(texts, 1, 5, 7).valid, split_fold(texts, 1, 5, 8).valid);
}

TEST(Folds, AsManyAsThereAreDifferentTextsAreTheMost) {
  LabelledTexts texts = sorted_texts({2, 1});
  EXPECT_EQ(split_fold(texts, 2, 3, 1).valid.size(), 1U);
  texts.texts[1].text = texts.texts[0].text;
  EXPECT_THROW(static_cast<void>(split_fold(texts, 2, 3, 1)), Error);
  EXPECT_THROW(static_cast<void>(split_fold(texts, 0, 1, 1)), Error);
  EXPECT_THROW(static_cast<void>(split_fold(texts, 2, 2, 1)), Error);
}

}  // namespace
}  // namespace unroll
