#include "unroll/data/data_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/quote.h"
#include "data/label_numbers.h"
#include "data/message_parts.h"
#include "data/report_parts.h"
#include "data/trainable.h"
#include "text/utf8.h"

namespace unroll {
namespace {

std::int64_t count_words(std::string_view text) noexcept {
  std::int64_t words = 0;
  bool within = false;
  for (const char c : text) {
    const bool space = is_ascii_space(c);
    words += !space && !within ? 1 : 0;
    within = !space;
  }
  return words;
}

TextsSummary summary_of_texts(const LabelledTexts& texts) {
  TextsSummary summary;
  summary.texts = std::ssize(texts.texts);
  std::vector<std::int64_t> characters;
  std::vector<std::int64_t> words;
  for (const LabelledText& text : texts.texts) {
    characters.push_back(count_code_points(text.text));
    words.push_back(count_words(text.text));
    summary.empty += words.back() == 0 ? 1 : 0;
    summary.unlabelled += text.labels.empty() ? 1 : 0;
    summary.labels += std::ssize(text.labels);
    summary.weight += text.weight;
  }
  summary.characters = summary_of(std::move(characters));
  summary.words = summary_of(std::move(words));
  return summary;
}

// The first of equal texts that are not empty.
class FirstTexts {
 public:
  void add(std::string_view text, std::size_t place) { first_.try_emplace(text, place); }

  // Null if none was added.
  [[nodiscard]] const std::size_t* find(std::string_view text) const {
    const auto found = text.empty() ? first_.end() : first_.find(text);
    return found == first_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::string_view, std::size_t> first_;
};

FirstTexts compare_within(const LabelledTexts& train, DataReport& report) {
  FirstTexts first_texts;
  for (std::size_t i = 0; i < train.texts.size(); ++i) {
    const std::size_t* const first = first_texts.find(train.texts[i].text);
    if (first == nullptr) {
      first_texts.add(train.texts[i].text, i);
    } else if (train.texts[*first].labels == train.texts[i].labels) {
      ++report.duplicates;
    } else {
      ++report.contradictions;
      add_example(report.contradiction_examples, train.place(*first), train.place(i));
    }
  }
  return first_texts;
}

// The labels of a text to test on, as training numbers them.
std::vector<std::int32_t> labels_in_training(const LabelledText& text, const LabelNumbers& known) {
  std::vector<std::int32_t> labels;
  for (const std::int32_t label : text.labels) labels.push_back(known.numbers[static_cast<std::size_t>(label)]);
  std::ranges::sort(labels);
  return labels;
}

void compare_with_test(const LabelledTexts& train, const FirstTexts& first_texts, const LabelledTexts& test,
                       const LabelNumbers& known, DataReport& report) {
  for (std::size_t i = 0; i < test.texts.size(); ++i) {
    const std::size_t* const first = first_texts.find(test.texts[i].text);
    if (first == nullptr) continue;
    ++report.in_both;
    const bool same = train.texts[*first].labels == labels_in_training(test.texts[i], known);
    report.in_both_with_other_labels += same ? 0 : 1;
    add_example(report.in_both_examples, train.place(*first), test.place(i));
  }
}

std::vector<LabelCount> count_labels(const LabelledTexts& train, const LabelledTexts* test, const LabelNumbers& known) {
  std::vector<LabelCount> counts;
  for (const std::string& label : known.labels) counts.push_back({.label = label});
  for (const LabelledText& text : train.texts) {
    for (const std::int32_t label : text.labels) {
      ++counts[static_cast<std::size_t>(label)].texts;
      counts[static_cast<std::size_t>(label)].weight += text.weight;
    }
  }
  for (std::size_t i = 0; test != nullptr && i < test->texts.size(); ++i) {
    for (const std::int32_t label : labels_in_training(test->texts[i], known)) {
      ++counts[static_cast<std::size_t>(label)].test_texts;
    }
  }
  std::ranges::stable_sort(counts, std::ranges::greater(), &LabelCount::texts);
  return counts;
}

std::vector<std::string> labels_where(const DataReport& report, bool (*is_such)(const LabelCount&)) {
  std::vector<std::string> labels;
  for (const LabelCount& count : report.labels) {
    if (is_such(count)) labels.push_back(count.label);
  }
  return labels;
}

void add_notes_on_labels(const LabelledTexts& train, DataReport& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  if (const std::string doubt = doubt_about_labels(std::ssize(train.labels), report.train.texts); !doubt.empty()) {
    note(doubt + " (`label_column`)");
  }
  if (train.labels.size() == 1 && report.train.unlabelled == 0) {
    note(fmt::format("every text has the label {}: there is nothing to choose", quote(train.labels.front())));
  }
  if (const auto once = labels_where(report, [](const LabelCount& count) { return count.texts == 1; }); !once.empty()) {
    note(fmt::format("{}: {}", counted(std::ssize(once), "label occurs once", "labels occur once"), quoted_list(once)));
  }
  const auto new_in_test =
      labels_where(report, [](const LabelCount& count) { return count.texts == 0 && count.test_texts > 0; });
  if (!new_in_test.empty()) {
    note(fmt::format("the texts to test on have {} that training lacks: {}",
                     counted(std::ssize(new_in_test), "label", "labels"), quoted_list(new_in_test)));
  }
}

void add_notes_on_texts(DataReport& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  if (report.in_both > 0) {
    const EqualTexts& example = report.in_both_examples.front();
    note(fmt::format("{} in training too ({} with other labels), such as {}, which equals {}",
                     counted(report.in_both, "text to test on stands", "texts to test on stand"),
                     grouped_digits(report.in_both_with_other_labels), example.second, example.first));
  }
  if (report.contradictions > 0) {
    const EqualTexts& example = report.contradiction_examples.front();
    note(fmt::format("{} an earlier one but not its labels, such as {}, which equals {}",
                     counted(report.contradictions, "text repeats", "texts repeat"), example.second, example.first));
  }
}

}  // namespace

DataReport describe_data(const LabelledTexts& train, const LabelledTexts* test) {
  DataReport report;
  report.multi_label = train.multi_label;
  report.train = summary_of_texts(train);
  const LabelNumbers known =
      label_numbers(test == nullptr ? std::span<const std::string>() : std::span(test->labels), train.labels);
  report.labels = count_labels(train, test, known);
  const FirstTexts first_texts = compare_within(train, report);
  if (test != nullptr) {
    report.test = summary_of_texts(*test);
    compare_with_test(train, first_texts, *test, known, report);
  }
  add_notes_on_labels(train, report);
  add_notes_on_texts(report);
  return report;
}

}  // namespace unroll
