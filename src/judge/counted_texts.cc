#include "judge/counted_texts.h"

#include <fmt/core.h>

#include <algorithm>

#include "unroll/error.h"

namespace unroll {
namespace {

void check_sizes(std::size_t right, std::size_t answers) {
  if (right != answers) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} texts with labels and {} with answers: expected the same ones", right, answers));
  }
  if (right == 0) throw Error(ErrorCode::kInput, "no texts to judge: expected at least one");
}

void check_label(std::int32_t label, std::int64_t K, std::size_t text) {
  if (label < 0 || label >= K) {
    throw Error(ErrorCode::kUsage, fmt::format("label {}: expected 0 to {}", label, K - 1),
                static_cast<std::int64_t>(text));
  }
}

void check_labels(std::span<const std::int32_t> labels, std::int64_t K, std::size_t text) {
  for (const std::int32_t label : labels) check_label(label, K, text);
}

void sort_once(std::vector<std::int32_t>& labels) {
  std::ranges::sort(labels);
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

// Sums over labels, each weighed by weight_of(its counts).
template <class Weight>
LabelAverages average(std::span<const HitCounts> labels, const Weight& weight_of) noexcept {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double total = 0;
  for (const HitCounts& label : labels) {
    const double weight = weight_of(label);
    precision += weight * label.precision().value_or(0);
    recall += weight * label.recall().value_or(0);
    f1 += weight * label.f1().value_or(0);
    total += weight;
  }
  if (total == 0) return {};
  return {.precision = precision / total, .recall = recall / total, .f1 = f1 / total};
}

}  // namespace

CountedTexts::CountedTexts(std::span<const std::int32_t> right, std::span<const std::int32_t> answers, std::int64_t K)
    : K_(K) {
  check_sizes(right.size(), answers.size());
  entries_.reserve(2 * right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    check_label(right[i], K, i);
    check_label(answers[i], K, i);
    if (right[i] == answers[i]) {
      entries_.push_back({.label = right[i], .hits = 1, .answered = 1, .support = 1});
    } else {
      const Entry missed{.label = right[i], .support = 1};
      const Entry false_alarm{.label = answers[i], .answered = 1};
      entries_.push_back(right[i] < answers[i] ? missed : false_alarm);
      entries_.push_back(right[i] < answers[i] ? false_alarm : missed);
    }
    first_.push_back(entries_.size());
  }
}

CountedTexts::CountedTexts(std::span<const std::vector<std::int32_t>> right,
                           std::span<const std::vector<std::int32_t>> answers, std::int64_t K)
    : K_(K) {
  check_sizes(right.size(), answers.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    check_labels(right[i], K, i);
    check_labels(answers[i], K, i);
    add_sets(right[i], answers[i]);
  }
}

CountedTexts::CountedTexts(std::span<const HitCounts> texts) : K_(1) {
  for (const HitCounts& text : texts) {
    entries_.push_back({.hits = static_cast<std::int32_t>(text.hits),
                        .answered = static_cast<std::int32_t>(text.answered),
                        .support = static_cast<std::int32_t>(text.support)});
    first_.push_back(entries_.size());
  }
}

void CountedTexts::add_sets(std::vector<std::int32_t> right, std::vector<std::int32_t> answers) {
  sort_once(right);
  sort_once(answers);
  auto wanted = right.begin();
  auto given = answers.begin();
  while (wanted != right.end() || given != answers.end()) {
    const bool has = wanted != right.end() && (given == answers.end() || *wanted <= *given);
    const bool answered = given != answers.end() && (wanted == right.end() || *given <= *wanted);
    entries_.push_back({.label = has ? *wanted : *given,
                        .hits = has && answered ? 1 : 0,
                        .answered = answered ? 1 : 0,
                        .support = has ? 1 : 0});
    if (has) ++wanted;
    if (answered) ++given;
  }
  first_.push_back(entries_.size());
}

std::span<const CountedTexts::Entry> CountedTexts::entries(std::size_t i) const noexcept {
  return std::span(entries_).subspan(first_[i], first_[i + 1] - first_[i]);
}

void CountedTexts::add(std::size_t i, std::int64_t times, std::span<HitCounts> counts) const noexcept {
  for (const Entry& entry : entries(i)) {
    counts[static_cast<std::size_t>(entry.label)] +=
        {.hits = times * entry.hits, .answered = times * entry.answered, .support = times * entry.support};
  }
}

std::vector<HitCounts> CountedTexts::counts_of_all() const {
  std::vector<HitCounts> counts(static_cast<std::size_t>(K_));
  for (std::size_t i = 0; i < size(); ++i) add(i, 1, counts);
  return counts;
}

void CountedTexts::count(std::span<const std::size_t> drawn, std::span<HitCounts> counts) const noexcept {
  std::ranges::fill(counts, HitCounts{});
  for (const std::size_t i : drawn) add(i, 1, counts);
}

bool CountedTexts::is_exact(std::size_t i) const noexcept {
  return std::ranges::all_of(
      entries(i), [](const Entry& entry) { return entry.hits == entry.answered && entry.hits == entry.support; });
}

bool CountedTexts::equal(std::size_t i, const CountedTexts& other) const noexcept {
  return std::ranges::equal(entries(i), other.entries(i));
}

LabelAverages macro_average(std::span<const HitCounts> labels) noexcept {
  return average(labels, [](const HitCounts& label) { return label.answered + label.support > 0 ? 1.0 : 0.0; });
}

LabelAverages weighted_average(std::span<const HitCounts> labels) noexcept {
  return average(labels, [](const HitCounts& label) { return static_cast<double>(label.support); });
}

LabelAverages micro_average(std::span<const HitCounts> labels) noexcept {
  HitCounts sum;
  for (const HitCounts& label : labels) sum += label;
  return {.precision = sum.precision(), .recall = sum.recall(), .f1 = sum.f1()};
}

}  // namespace unroll
