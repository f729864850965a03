// What to know about labelled texts before a network is trained on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/data/labelled_texts.h"

namespace unroll {

// Lengths of texts. The 95th percentile is the smallest length that 95% of the texts do not exceed.
struct LengthSummary {
  std::int64_t min = 0;
  double median = 0;  // the mean of the two in the middle, of an even number
  double mean = 0;
  std::int64_t p95 = 0;
  std::int64_t max = 0;
};

struct LabelCount {
  std::string label = {};
  std::int64_t texts = 0;
  double weight = 0;            // of these texts
  std::int64_t test_texts = 0;  // in the texts to test on
};

// Texts that hold the same bytes, by the places of two of them.
struct EqualTexts {
  std::string first;   // "'train.csv', line 3"
  std::string second;  // "'test.csv', line 7"
};

// About one set of texts.
struct TextsSummary {
  std::int64_t texts = 0;
  std::int64_t empty = 0;  // nothing but white space
  std::int64_t unlabelled = 0;
  std::int64_t labels = 0;  // of all texts together; more than `texts` where they have several
  double weight = 0;
  LengthSummary characters;
  LengthSummary words;  // runs of characters that are not ASCII white space
};

struct DataReport {
  static constexpr std::size_t kMostExamples = 5;

  TextsSummary train;
  std::vector<LabelCount>
      labels;  // of both sets, by falling number of texts, then in the order of LabelledTexts::labels
  bool multi_label = false;

  // Texts that equal an earlier one which is not empty: with the same labels, and with others.
  std::int64_t duplicates = 0;
  std::int64_t contradictions = 0;
  std::vector<EqualTexts> contradiction_examples;

  // Texts to test on, if there are any.
  TextsSummary test;
  std::int64_t in_both = 0;  // texts to test on that equal one to train on and are not empty
  std::int64_t in_both_with_other_labels = 0;
  std::vector<EqualTexts> in_both_examples;

  // What a person should look at, a sentence each: "51,105 labels in 60,000 texts: is this the right column?", labels
  // that occur once, labels to test on that training lacks, texts that stand in both sets.
  std::vector<std::string> notes;
};

// Describes texts to train on, and texts to test on; `test` may be null. Linear time.
[[nodiscard]] DataReport describe_data(const LabelledTexts& train, const LabelledTexts* test = nullptr);

}  // namespace unroll
