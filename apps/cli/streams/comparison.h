// What `compare` prints: two models judged on the same texts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "unroll/judge/paired.h"

namespace unroll {

// Random ways to swap answers, unless that takes too long (resamples_in_seconds).
inline constexpr std::int64_t kMostSwaps = 10'000;

// A measure of both models, with the test of their difference.
struct ComparedMeasure {
  std::string key;   // "macro_f1"
  std::string name;  // "macro F1"
  PairedComparison found;
  std::string test;  // "McNemar's exact test"
};

// "# A: old.safetensors" and the same of B.
[[nodiscard]] std::string comparison_head(const std::string& a, const std::string& b);

// Where a text stands: its line, after the file if there are several; the file alone, if that is the text (line 0).
[[nodiscard]] std::string shown_place(const std::vector<std::string>& files, std::size_t file, std::int64_t line);

// The words for the test that found a p-value by swapping answers.
[[nodiscard]] std::string swap_test(const PairedComparison& found, std::int64_t resamples);

// A row per measure: a, b, b - a with its 95% interval, p.
[[nodiscard]] std::string comparison_table(const std::vector<ComparedMeasure>& measures);

// Sets object[key] of each measure.
void put_measures(nlohmann::ordered_json* object, const std::vector<ComparedMeasure>& measures);

}  // namespace unroll
