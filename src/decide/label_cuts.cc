#include "decide/label_cuts.h"

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

constexpr double kLargestLogFactor = 600;  // exp of it is finite

}  // namespace

bool has_label(const JudgedTexts& texts, std::size_t text, std::size_t label) {
  return std::ranges::find(texts.right[text], static_cast<std::int32_t>(label)) != texts.right[text].end();
}

std::int64_t support_of(const JudgedTexts& texts, std::size_t label) {
  std::int64_t support = 0;
  for (std::size_t i = 0; i < texts.right.size(); ++i) support += has_label(texts, i, label) ? 1 : 0;
  return support;
}

std::vector<ScoredItem> items_by_probability(const JudgedTexts& texts, std::size_t label) {
  std::vector<ScoredItem> items;
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    items.push_back({texts.said[i].probabilities[label], has_label(texts, i, label)});
  }
  return items;
}

std::optional<double> threshold_at(const CutPoint& point, double present, std::optional<double> for_all) {
  if (!point.next && for_all) return for_all;
  const double low = point.next.value_or(0);
  const double high = std::min(point.lowest, 1.0);
  if ((low < present || !point.next) && present <= high) return present;
  if (low < high) return short_number_between(low, high);
  return point.next ? std::nullopt : std::optional(0.0);
}

std::optional<double> factor_at(const CutPoint& point, double present) {
  // The label is the answer where ln f > -score. Beyond the ends a factor of e is enough.
  const double low = std::isinf(point.lowest) ? -*point.next - 1 : -point.lowest;
  const double high = point.next ? -*point.next : -point.lowest + 1;
  const double log_present = std::log(present);
  const bool is_cut = (log_present > low + kLeastLogOddsGap / 4 || std::isinf(point.lowest)) &&
                      (log_present < high - kLeastLogOddsGap / 4 || !point.next);
  if (is_cut) return present;
  if (std::fabs(low) > kLargestLogFactor || std::fabs(high) > kLargestLogFactor) return std::nullopt;
  const double margin = (high - low) / 8;
  const double middle = std::exp((low + high) / 2);
  // Within the gap, short, and near its geometric mean.
  const double reach = std::min(middle - std::exp(low + margin), std::exp(high - margin) - middle);
  return short_number_between(middle - reach, middle + reach);
}

}  // namespace unroll
