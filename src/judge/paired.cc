#include "unroll/judge/paired.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/philox.h"
#include "judge/counted_texts.h"
#include "judge/resampling.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kEqual = 1e-12;

// Whether the answers to differing text j are swapped in shuffle `number`, for j in order.
class RandomSwaps {
 public:
  RandomSwaps(std::uint64_t seed, std::int64_t number) : seed_(seed), number_(static_cast<std::uint32_t>(number)) {}

  bool operator()(std::size_t j) noexcept {
    if (j % 128 == 0) {
      words_ = random_words(seed_, number_, RandomPurpose::kBootstrap, 1, static_cast<std::uint32_t>(j / 128), 0);
    }
    return (words_[j % 128 / 32] >> j % 32 & 1) != 0;
  }

 private:
  std::uint64_t seed_;
  std::uint32_t number_;
  std::array<std::uint32_t, 4> words_{};
};

// Two sides of a comparison by macro F1; with one label, that is its F1.
class Sides {
 public:
  Sides(const CountedTexts& a, const CountedTexts& b)
      : a_(a), b_(b), of_a_(a.counts_of_all()), of_b_(b.counts_of_all()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!a.equal(i, b)) differing_.push_back(i);
    }
  }

  [[nodiscard]] std::size_t differing() const noexcept { return differing_.size(); }
  [[nodiscard]] std::optional<double> a() const { return macro_average(of_a_).f1; }
  [[nodiscard]] std::optional<double> b() const { return macro_average(of_b_).f1; }

  // |a - b| after swaps of those differing texts for which `swapped` returns true.
  template <class Swapped>
  [[nodiscard]] double gap_after(Swapped&& swapped) {
    swapped_a_ = of_a_;
    swapped_b_ = of_b_;
    for (std::size_t j = 0; j < differing_.size(); ++j) {
      if (!swapped(j)) continue;
      a_.add(differing_[j], -1, swapped_a_);
      b_.add(differing_[j], 1, swapped_a_);
      b_.add(differing_[j], -1, swapped_b_);
      a_.add(differing_[j], 1, swapped_b_);
    }
    return std::fabs(macro_average(swapped_a_).f1.value_or(0) - macro_average(swapped_b_).f1.value_or(0));
  }

 private:
  const CountedTexts& a_;
  const CountedTexts& b_;
  std::vector<HitCounts> of_a_;
  std::vector<HitCounts> of_b_;
  std::vector<std::size_t> differing_;
  std::vector<HitCounts> swapped_a_;
  std::vector<HitCounts> swapped_b_;
};

std::optional<Interval> difference_of_resamples(const CountedTexts& a, const CountedTexts& b,
                                                const BootstrapOptions& options) {
  std::vector<HitCounts> counts(static_cast<std::size_t>(a.labels()));
  const auto value_of = [&](std::span<const std::size_t> drawn, std::span<std::optional<double>> values) {
    a.count(drawn, counts);
    const std::optional<double> of_a = macro_average(counts).f1;
    b.count(drawn, counts);
    const std::optional<double> of_b = macro_average(counts).f1;
    if (of_a && of_b) values.front() = *of_a - *of_b;
  };
  return middles_of_resamples(a.size(), options, 1, value_of).front();
}

PairedComparison compare(const CountedTexts& a, const CountedTexts& b, const BootstrapOptions& options) {
  Sides sides(a, b);
  PairedComparison found{.a = sides.a(), .b = sides.b(), .difference = difference_of_resamples(a, b, options)};
  found.differing = static_cast<std::int64_t>(sides.differing());
  found.is_exact = found.differing < 62 && std::int64_t{1} << found.differing <= options.resamples;
  const std::int64_t shuffles = found.is_exact ? std::int64_t{1} << found.differing : options.resamples;
  const double observed = std::fabs(found.a.value_or(0) - found.b.value_or(0));
  std::int64_t as_large = 0;
  for (std::int64_t number = 0; number < shuffles; ++number) {
    const double gap = found.is_exact ? sides.gap_after([&](std::size_t j) { return (number >> j & 1) != 0; })
                                      : sides.gap_after(RandomSwaps(options.seed, number));
    as_large += gap >= observed - kEqual ? 1 : 0;
  }
  const std::int64_t unshuffled = found.is_exact ? 0 : 1;
  found.p_value = static_cast<double>(as_large + unshuffled) / static_cast<double>(shuffles + unshuffled);
  return found;
}

}  // namespace

double mcnemar_p_value(std::int64_t only_a, std::int64_t only_b) noexcept {
  const std::int64_t n = only_a + only_b;
  const std::int64_t k = std::min(only_a, only_b);
  if (n == 0) return 1;
  double log_term = -static_cast<double>(n) * std::numbers::ln2;  // of C(n, k) / 2^n
  for (std::int64_t i = 0; i < k; ++i) log_term += std::log(static_cast<double>(n - i) / static_cast<double>(k - i));
  double term = std::exp(log_term);
  double sum = term;
  for (std::int64_t i = k; i > 0 && term > sum * 1e-17; --i) {
    term *= static_cast<double>(i) / static_cast<double>(n - i + 1);
    sum += term;
  }
  return std::min(1.0, 2 * sum);
}

PairedComparison compare_macro_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> a,
                                  std::span<const std::int32_t> b, std::int64_t K, const BootstrapOptions& options) {
  return compare(CountedTexts(right, a, K), CountedTexts(right, b, K), options);
}

PairedComparison compare_macro_f1(std::span<const std::vector<std::int32_t>> right,
                                  std::span<const std::vector<std::int32_t>> a,
                                  std::span<const std::vector<std::int32_t>> b, std::int64_t K,
                                  const BootstrapOptions& options) {
  return compare(CountedTexts(right, a, K), CountedTexts(right, b, K), options);
}

PairedComparison compare_f1(std::span<const HitCounts> a, std::span<const HitCounts> b,
                            const BootstrapOptions& options) {
  const bool same = std::ranges::equal(a, b, {}, &HitCounts::support, &HitCounts::support);
  if (a.size() != b.size() || !same) {
    throw Error(ErrorCode::kUsage, fmt::format("a comparison of {} and {} texts: expected the same ones, with the same "
                                               "instances, on both sides",
                                               a.size(), b.size()));
  }
  if (a.empty()) throw Error(ErrorCode::kInput, "no texts to compare on: expected at least one");
  return compare(CountedTexts(a), CountedTexts(b), options);
}

}  // namespace unroll
