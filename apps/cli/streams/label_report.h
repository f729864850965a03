// What `eval` prints of labels: the report of scikit-learn's classification_report with intervals, and the confusion.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/judge/classification.h"
#include "unroll/judge/confusion.h"

namespace unroll {

struct LabelReport {
  std::vector<std::string> names;  // of the labels
  Classification figures;
  F1Intervals intervals;
  bool has_sets = false;  // a text has several labels, or none
};

// A row per label, in their order, then averages, with notes below. "–" stands where there is no value.
[[nodiscard]] std::string report_table(const LabelReport& report);

// Sets accuracy, averages, their intervals (a list of two numbers, or null), `labels` with the figures of each,
// `notes`.
void put_report(nlohmann::ordered_json* object, const LabelReport& report);

// The confusion of labels that occur: a row for each right one, a column for each answer. Where that is wider than a
// screen, the most frequent confusions instead.
[[nodiscard]] std::string confusion_table(std::span<const ConfusionCell> cells, std::span<const std::string> names);

// A number with four digits after the point, "–" for none.
[[nodiscard]] std::string figure(const std::optional<double>& number);

// "0.7812 to 0.8301", "–" for none.
[[nodiscard]] std::string interval_words(const std::optional<Interval>& interval);

}  // namespace unroll
