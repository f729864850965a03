// What each text's answer adds to the counts of labels, so that counts of any sample of the texts are sums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/judge/classification.h"

namespace unroll {

// Texts and the counts of K labels; with counts of its own for each text, K is 1.
class CountedTexts {
 public:
  // The public entry of judge_labels(): checks and throws as it does.
  CountedTexts(std::span<const std::int32_t> right, std::span<const std::int32_t> answers, std::int64_t K);
  CountedTexts(std::span<const std::vector<std::int32_t>> right, std::span<const std::vector<std::int32_t>> answers,
               std::int64_t K);
  explicit CountedTexts(std::span<const HitCounts> texts);

  [[nodiscard]] std::size_t size() const noexcept { return first_.size() - 1; }
  [[nodiscard]] std::int64_t labels() const noexcept { return K_; }

  // Adds the counts of text i to those of the labels, `times` over; -1 takes them away.
  void add(std::size_t i, std::int64_t times, std::span<HitCounts> counts) const noexcept;

  [[nodiscard]] std::vector<HitCounts> counts_of_all() const;
  // Sets `counts` to those of the texts `drawn`.
  void count(std::span<const std::size_t> drawn, std::span<HitCounts> counts) const noexcept;

  [[nodiscard]] bool is_exact(std::size_t i) const noexcept;                          // no false alarm and no miss
  [[nodiscard]] bool equal(std::size_t i, const CountedTexts& other) const noexcept;  // the same entries of text i

 private:
  struct Entry {
    std::int32_t label = 0;
    std::int32_t hits = 0;
    std::int32_t answered = 0;
    std::int32_t support = 0;

    bool operator==(const Entry&) const = default;
  };

  void add_sets(std::vector<std::int32_t> right, std::vector<std::int32_t> answers);
  [[nodiscard]] std::span<const Entry> entries(std::size_t i) const noexcept;

  std::int64_t K_;
  std::vector<Entry> entries_;  // of a text, in order of labels
  std::vector<std::size_t> first_ = {0};
};

// Averages of counts, as Classification defines them.
[[nodiscard]] LabelAverages macro_average(std::span<const HitCounts> labels) noexcept;
[[nodiscard]] LabelAverages weighted_average(std::span<const HitCounts> labels) noexcept;
[[nodiscard]] LabelAverages micro_average(std::span<const HitCounts> labels) noexcept;

}  // namespace unroll
