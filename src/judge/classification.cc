#include "unroll/judge/classification.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/quote.h"
#include "judge/counted_texts.h"
#include "judge/resampling.h"

namespace unroll {
namespace {

constexpr std::size_t kMostNamesShown = 5;

std::optional<double> ratio(std::int64_t part, std::int64_t whole) noexcept {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Classification figures_of(const CountedTexts& texts) {
  Classification figures;
  figures.labels = texts.counts_of_all();
  figures.macro = macro_average(figures.labels);
  figures.weighted = weighted_average(figures.labels);
  figures.micro = micro_average(figures.labels);
  for (std::size_t i = 0; i < texts.size(); ++i) figures.exact.count(texts.is_exact(i));
  return figures;
}

F1Intervals intervals_of(const CountedTexts& texts, const BootstrapOptions& options) {
  std::vector<HitCounts> counts(static_cast<std::size_t>(texts.labels()));
  const auto values_of = [&](std::span<const std::size_t> drawn, std::span<std::optional<double>> values) {
    texts.count(drawn, counts);
    values[0] = macro_average(counts).f1;
    values[1] = weighted_average(counts).f1;
    values[2] = micro_average(counts).f1;
  };
  const auto middles = middles_of_resamples(texts.size(), options, 3, values_of);
  return {.macro = middles[0], .weighted = middles[1], .micro = middles[2]};
}

// "a", "b" and 4 more; each followed by what `after` says of it.
template <class After>
std::string listed(const std::vector<std::size_t>& labels, std::span<const std::string> names, const After& after) {
  std::string list;
  const std::size_t shown = std::min(labels.size(), kMostNamesShown);
  for (std::size_t i = 0; i < shown; ++i) {
    list += (i == 0 ? "" : ", ") + quote(names[labels[i]]) + after(labels[i]);
  }
  if (shown < labels.size()) list += fmt::format(" and {} more", labels.size() - shown);
  return list;
}

}  // namespace

std::optional<double> HitCounts::precision() const noexcept { return ratio(hits, answered); }
std::optional<double> HitCounts::recall() const noexcept { return ratio(hits, support); }
std::optional<double> HitCounts::f1() const noexcept {
  return support == 0 ? std::nullopt : ratio(2 * hits, answered + support);
}

HitCounts& HitCounts::operator+=(const HitCounts& other) noexcept {
  hits += other.hits;
  answered += other.answered;
  support += other.support;
  return *this;
}

Classification judge_labels(std::span<const std::int32_t> right, std::span<const std::int32_t> answers,
                            std::int64_t K) {
  return figures_of(CountedTexts(right, answers, K));
}

Classification judge_labels(std::span<const std::vector<std::int32_t>> right,
                            std::span<const std::vector<std::int32_t>> answers, std::int64_t K) {
  return figures_of(CountedTexts(right, answers, K));
}

std::vector<std::string> notes_on(const Classification& figures, std::span<const std::string> names) {
  std::vector<std::size_t> unpredicted;
  std::vector<std::size_t> absent;
  for (std::size_t i = 0; i < figures.labels.size(); ++i) {
    if (figures.labels[i].support == 0) {
      absent.push_back(i);
    } else if (figures.labels[i].answered == 0) {
      unpredicted.push_back(i);
    }
  }
  std::vector<std::string> notes;
  if (!unpredicted.empty()) {
    notes.push_back("never predicted: " + listed(unpredicted, names, [&](std::size_t i) {
                      const std::int64_t support = figures.labels[i].support;
                      return fmt::format(" ({} {})", support, support == 1 ? "instance" : "instances");
                    }));
  }
  if (!absent.empty()) {
    notes.push_back("without an instance in the data: " + listed(absent, names, [](std::size_t) { return ""; }));
  }
  return notes;
}

F1Intervals bootstrap_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> answers, std::int64_t K,
                         const BootstrapOptions& options) {
  return intervals_of(CountedTexts(right, answers, K), options);
}

F1Intervals bootstrap_f1(std::span<const std::vector<std::int32_t>> right,
                         std::span<const std::vector<std::int32_t>> answers, std::int64_t K,
                         const BootstrapOptions& options) {
  return intervals_of(CountedTexts(right, answers, K), options);
}

std::optional<Interval> bootstrap_f1(std::span<const HitCounts> texts, const BootstrapOptions& options) {
  return intervals_of(CountedTexts(texts), options).micro;
}

}  // namespace unroll
