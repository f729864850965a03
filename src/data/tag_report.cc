#include "unroll/data/tag_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/quote.h"
#include "data/label_numbers.h"
#include "data/message_parts.h"
#include "data/report_parts.h"
#include "data/trainable.h"

namespace unroll {
namespace {

SentencesSummary summary_of_sentences(const TaggedTexts& texts) {
  SentencesSummary summary;
  summary.sentences = std::ssize(texts.sentences);
  std::unordered_set<std::string_view> different;
  std::unordered_set<std::int32_t> tags;
  std::vector<std::int64_t> lengths;
  SchemeFinder finder;
  std::vector<std::string> names;
  for (const TaggedSentence& sentence : texts.sentences) {
    lengths.push_back(std::ssize(sentence.words));
    summary.words += lengths.back();
    different.insert(sentence.words.begin(), sentence.words.end());
    names.clear();
    for (const std::int32_t tag : sentence.tags) names.push_back(texts.tags[static_cast<std::size_t>(tag)]);
    finder.add(names);
    tags.insert(sentence.tags.begin(), sentence.tags.end());
  }
  summary.different_words = std::ssize(different);
  summary.tags = std::ssize(tags);
  summary.sentence_words = summary_of(std::move(lengths));
  summary.scheme = finder.found();
  return summary;
}

// The first of the sentences with the same words.
class FirstSentences {
 public:
  explicit FirstSentences(const TaggedTexts& texts) : texts_(texts) {}

  // The first one with these words; the place that is given, if there was none and `add` is set, else npos.
  std::size_t find(const TaggedSentence& sentence, std::size_t place, bool add) {
    std::vector<std::size_t>& places = places_[hash_of(sentence.words)];
    for (const std::size_t earlier : places) {
      if (texts_.sentences[earlier].words == sentence.words) return earlier;
    }
    if (!add) return std::string::npos;
    places.push_back(place);
    return place;
  }

 private:
  static std::size_t hash_of(const std::vector<std::string>& words) {
    std::size_t hash = words.size();
    for (const std::string& word : words) hash = hash * 1099511628211U ^ std::hash<std::string>()(word);
    return hash;
  }

  const TaggedTexts& texts_;
  std::unordered_map<std::size_t, std::vector<std::size_t>> places_;
};

FirstSentences compare_sentences(const TaggedTexts& train, TagReport& report) {
  FirstSentences first_sentences(train);
  for (std::size_t i = 0; i < train.sentences.size(); ++i) {
    const std::size_t first = first_sentences.find(train.sentences[i], i, true);
    if (first == i) continue;
    if (train.sentences[first].tags == train.sentences[i].tags) {
      ++report.duplicates;
    } else {
      ++report.contradictions;
      add_example(report.contradiction_examples, train.place(first), train.place(i));
    }
  }
  return first_sentences;
}

void compare_with_test_sentences(const TaggedTexts& train, FirstSentences& first_sentences, const TaggedTexts& test,
                                 const LabelNumbers& known, TagReport& report) {
  std::unordered_set<std::string_view> words;
  for (const TaggedSentence& sentence : train.sentences) words.insert(sentence.words.begin(), sentence.words.end());
  for (std::size_t i = 0; i < test.sentences.size(); ++i) {
    const TaggedSentence& sentence = test.sentences[i];
    report.new_words += std::ranges::count_if(sentence.words, [&](const auto& word) { return !words.contains(word); });
    const std::size_t first = first_sentences.find(sentence, i, false);
    if (first == std::string::npos) continue;
    const bool same = std::ranges::equal(sentence.tags, train.sentences[first].tags, {}, [&](std::int32_t tag) {
      return known.numbers[static_cast<std::size_t>(tag)];
    });
    ++report.in_both;
    report.in_both_with_other_tags += same ? 0 : 1;
    add_example(report.in_both_examples, train.place(first), test.place(i));
  }
}

std::vector<TagCount> count_tags(const TaggedTexts& train, const TaggedTexts* test, const LabelNumbers& known) {
  std::vector<TagCount> counts;
  for (const std::string& tag : known.labels) counts.push_back({.tag = tag});
  for (const TaggedSentence& sentence : train.sentences) {
    for (const std::int32_t tag : sentence.tags) ++counts[static_cast<std::size_t>(tag)].words;
  }
  for (std::size_t i = 0; test != nullptr && i < test->sentences.size(); ++i) {
    for (const std::int32_t tag : test->sentences[i].tags) {
      ++counts[static_cast<std::size_t>(known.numbers[static_cast<std::size_t>(tag)])].test_words;
    }
  }
  std::ranges::stable_sort(counts, std::ranges::greater(), &TagCount::words);
  return counts;
}

std::vector<std::string> tags_where(const TagReport& report, bool (*is_such)(const TagCount&)) {
  std::vector<std::string> tags;
  for (const TagCount& count : report.tags) {
    if (is_such(count)) tags.push_back(count.tag);
  }
  return tags;
}

void add_notes_on_tags(const TaggedTexts& train, TagReport& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  if (const std::string doubt = doubt_about_tags(train); !doubt.empty()) note(doubt);
  if (const auto once = tags_where(report, [](const TagCount& count) { return count.words == 1; }); !once.empty()) {
    note(fmt::format("{}: {}", counted(std::ssize(once), "tag occurs once", "tags occur once"), quoted_list(once)));
  }
  const auto new_in_test =
      tags_where(report, [](const TagCount& count) { return count.words == 0 && count.test_words > 0; });
  if (!new_in_test.empty()) {
    note(fmt::format("the sentences to test on have {} that training lacks: {}",
                     counted(std::ssize(new_in_test), "tag", "tags"), quoted_list(new_in_test)));
  }
  const auto note_scheme = [&](const SentencesSummary& summary, std::string_view set) {
    if (summary.scheme.invalid_sentences == 0) return;
    note(fmt::format("tags of {} are {}, which forbids those of {}", set, tag_scheme_name(summary.scheme.scheme),
                     counted(summary.scheme.invalid_sentences, "sentence", "sentences")));
  };
  note_scheme(report.train, "training");
  note_scheme(report.test, "the sentences to test on");
  const TagScheme scheme = report.train.scheme.scheme;
  const TagScheme test_scheme = report.test.scheme.scheme;
  if (report.test.sentences > 0 && scheme != test_scheme && test_scheme != TagScheme::kNone) {
    note(fmt::format("tags of training are {}, those of the sentences to test on {}", tag_scheme_name(scheme),
                     tag_scheme_name(test_scheme)));
  }
}

void add_notes_on_sentences(TagReport& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  if (report.in_both > 0) {
    const EqualTexts& example = report.in_both_examples.front();
    note(fmt::format("{} in training too ({} with other tags), such as {}, which has the words of {}",
                     counted(report.in_both, "sentence to test on stands", "sentences to test on stand"),
                     grouped_digits(report.in_both_with_other_tags), example.second, example.first));
  }
  if (report.contradictions > 0) {
    const EqualTexts& example = report.contradiction_examples.front();
    note(fmt::format("{} an earlier one but not its tags, such as {}, which has the words of {}",
                     counted(report.contradictions, "sentence repeats", "sentences repeat"), example.second,
                     example.first));
  }
}

}  // namespace

TagReport describe_tags(const TaggedTexts& train, const TaggedTexts* test) {
  TagReport report;
  report.train = summary_of_sentences(train);
  const LabelNumbers known =
      label_numbers(test == nullptr ? std::span<const std::string>() : std::span(test->tags), train.tags);
  report.tags = count_tags(train, test, known);
  FirstSentences first_sentences = compare_sentences(train, report);
  if (test != nullptr) {
    report.test = summary_of_sentences(*test);
    compare_with_test_sentences(train, first_sentences, *test, known, report);
  }
  add_notes_on_tags(train, report);
  add_notes_on_sentences(report);
  return report;
}

}  // namespace unroll
