// What to know about tagged words before a network is trained on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/data/columns.h"
#include "unroll/data/data_report.h"
#include "unroll/judge/tag_scheme.h"

namespace unroll {

struct TagCount {
  std::string tag;
  std::int64_t words = 0;
  std::int64_t test_words = 0;  // in the sentences to test on
};

// About one set of sentences.
struct SentencesSummary {
  std::int64_t sentences = 0;
  std::int64_t words = 0;
  std::int64_t different_words = 0;
  std::int64_t tags = 0;         // different ones
  LengthSummary sentence_words;  // words of a sentence
  FoundScheme scheme;
};

struct TagReport {
  static constexpr std::size_t kMostExamples = 5;

  SentencesSummary train;
  std::vector<TagCount> tags;  // of both sets, by falling number of words, then in the order of TaggedTexts::tags

  // Sentences that have the words of an earlier one: with the same tags, and with others.
  std::int64_t duplicates = 0;
  std::int64_t contradictions = 0;
  std::vector<EqualTexts> contradiction_examples;

  // Sentences to test on, if there are any.
  SentencesSummary test;
  std::int64_t new_words = 0;  // words to test on that training lacks
  std::int64_t in_both = 0;    // sentences to test on that have the words of one to train on
  std::int64_t in_both_with_other_tags = 0;
  std::vector<EqualTexts> in_both_examples;

  // What a person should look at, a sentence each: "51,105 tags of 204,607 words in column xpos of 'en.conllu': is this
  // the right column?", tags that occur once, tags to test on that training lacks, sentences that a scheme of
  // spans forbids, sentences that stand in both sets.
  std::vector<std::string> notes;
};

// Describes sentences to train on, and sentences to test on; `test` may be null. Linear time.
[[nodiscard]] TagReport describe_tags(const TaggedTexts& train, const TaggedTexts* test = nullptr);

}  // namespace unroll
