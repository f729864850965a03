#include "decide/threshold_search.h"

#include <algorithm>
#include <optional>

#include "decide/label_cuts.h"

namespace unroll {
namespace {

constexpr int kMostRounds = 20;

void set_each_f1(const JudgedTexts& texts, std::vector<double>& thresholds) {
  for (std::size_t k = 0; k < thresholds.size(); ++k) {
    const std::int64_t support = support_of(texts, k);
    if (support == 0) continue;
    const std::vector<CutPoint> points = cut_points(items_by_probability(texts, k), support);
    thresholds[k] = threshold_at(points[best_f1(points)], thresholds[k]).value_or(thresholds[k]);
  }
}

// A cut of each label, and what it adds to the counts of all.
struct CutLabel {
  double threshold = 0;
  HitCounts counts;
};

// The cut of a label with the largest gain, which takes counts, of those that a threshold can make; of equal ones the
// one that answers least.
template <class Gain>
CutLabel best_cut(const std::vector<CutPoint>& points, double present, const Gain& gain) {
  std::optional<CutLabel> best;
  for (const CutPoint& point : points) {
    if (best && !(gain(point.counts) > gain(best->counts))) continue;
    if (const std::optional<double> threshold = threshold_at(point, present)) best = {*threshold, point.counts};
  }
  return *best;
}

// The largest 2 h / (a + s) of all labels together is the largest m for which some cuts have 2 h - m (a + s) = 0. For a
// given m each label's best cut is found by itself, and the ratio of these cuts is the next m, until it stays.
//
// Source: Dinkelbach 1967, "On nonlinear fractional programming".
void set_pooled_f1(const JudgedTexts& texts, std::vector<double>& thresholds) {
  double reached = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<double> found;
    HitCounts sum;
    for (std::size_t k = 0; k < thresholds.size(); ++k) {
      const std::vector<CutPoint> points = cut_points(items_by_probability(texts, k), support_of(texts, k));
      const CutLabel cut = best_cut(points, thresholds[k], [&](const HitCounts& counts) {
        return 2 * static_cast<double>(counts.hits) - reached * static_cast<double>(counts.answered);
      });
      found.push_back(cut.threshold);
      sum += cut.counts;
    }
    const double next = sum.f1().value_or(0);
    if (!(next > reached)) return;
    reached = next;
    thresholds = found;
  }
}

// The number of labels that are wrong about a text, but for one of them.
void count_wrong(const JudgedTexts& texts, const std::vector<double>& thresholds, std::vector<std::int64_t>& wrong) {
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    wrong[i] = std::ranges::count_if(
        texts.right[i], [&](std::int32_t label) { return label >= static_cast<std::int32_t>(thresholds.size()); });
    for (std::size_t k = 0; k < thresholds.size(); ++k) {
      wrong[i] += (texts.said[i].probabilities[k] >= thresholds[k]) != has_label(texts, i, k) ? 1 : 0;
    }
  }
}

// Moves the threshold of a label to where most texts have all labels right. Returns whether that gains a text.
bool improve_exact(const JudgedTexts& texts, std::size_t k, std::vector<double>& thresholds,
                   std::vector<std::int64_t>& wrong) {
  std::vector<ScoredItem> items;
  std::int64_t support = 0;
  HitCounts present;
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    const double probability = texts.said[i].probabilities[k];
    const bool has = has_label(texts, i, k);
    const bool is_answered = probability >= thresholds[k];
    if (wrong[i] - (is_answered != has ? 1 : 0) > 0) continue;
    items.push_back({probability, has});
    support += has ? 1 : 0;
    present.hits += is_answered && has ? 1 : 0;
    present.answered += is_answered ? 1 : 0;
  }
  if (items.empty()) return false;
  // Texts that are right: hits, and those without the label that are not answered.
  const auto gain = [](const HitCounts& counts) { return 2 * counts.hits - counts.answered; };
  const CutLabel cut = best_cut(cut_points(items, support), thresholds[k], gain);
  if (!(gain(cut.counts) > gain(present))) return false;
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    const double probability = texts.said[i].probabilities[k];
    const bool has = has_label(texts, i, k);
    wrong[i] += ((probability >= cut.threshold) != has ? 1 : 0) - ((probability >= thresholds[k]) != has ? 1 : 0);
  }
  thresholds[k] = cut.threshold;
  return true;
}

void set_exact(const JudgedTexts& texts, std::vector<double>& thresholds) {
  std::vector<std::int64_t> wrong(texts.said.size());
  count_wrong(texts, thresholds, wrong);
  for (int round = 0; round < kMostRounds; ++round) {
    bool has_gained = false;
    for (std::size_t k = 0; k < thresholds.size(); ++k) {
      has_gained = improve_exact(texts, k, thresholds, wrong) || has_gained;
    }
    if (!has_gained) return;
  }
}

}  // namespace

std::vector<double> search_thresholds(const JudgedTexts& texts, std::vector<double> thresholds, TuneMeasure measure) {
  if (measure == TuneMeasure::kMacroF1) {
    set_each_f1(texts, thresholds);
  } else if (measure == TuneMeasure::kF1) {
    set_pooled_f1(texts, thresholds);
  } else {
    set_exact(texts, thresholds);
  }
  return thresholds;
}

}  // namespace unroll
