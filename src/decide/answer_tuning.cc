#include "unroll/label/answer_tuning.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/quote.h"
#include "decide/factor_search.h"
#include "decide/label_cuts.h"
#include "decide/rule_figures.h"
#include "decide/threshold_search.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kSpreadRows = 9;  // of a table, evenly over all cuts; the chosen one and its neighbours join them

[[noreturn]] void refuse_target(std::string_view text) {
  throw Error(ErrorCode::kUsage,
              fmt::format("{}: expected accuracy, macro_f1, f1, f1:LABEL, p@r:0.9, p@r:0.9:LABEL, r@p:0.9 or "
                          "r@p:0.9:LABEL, with a number above 0, at most 1",
                          quote(text)));
}

// The target of what follows "p@r:" or "r@p:".
TuneTarget at_floor(TuneMeasure measure, std::string_view rest, std::string_view text) {
  TuneTarget target{.measure = measure};
  const std::size_t colon = std::min(rest.find(':'), rest.size());
  const char* const end = rest.data() + colon;
  const auto [stop, error] = std::from_chars(rest.data(), end, target.floor);
  if (error != std::errc() || stop != end || !(target.floor > 0 && target.floor <= 1)) refuse_target(text);
  if (colon == rest.size()) return target;
  target.label = rest.substr(colon + 1);
  if (target.label.empty()) refuse_target(text);
  return target;
}

void check_sizes(const JudgedTexts& texts, const AnswerRule& present) {
  const std::size_t K = present.thresholds.size();
  if (texts.said.empty()) throw Error(ErrorCode::kInput, "no texts to tune on: expected at least one");
  const bool fits = K > 0 && K <= texts.labels.size() && present.factors.size() == K &&
                    texts.right.size() == texts.said.size() &&
                    std::ranges::all_of(texts.said, [&](const ClassifiedText& text) {
                      return text.probabilities.size() == K && text.log_probs.size() == K;
                    });
  if (!fits) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} thresholds, {} factors, {} texts of which {} have right labels: expected a threshold, "
                            "a factor and a probability for each label, and right labels of each text",
                            K, present.factors.size(), texts.said.size(), texts.right.size()));
  }
  if (!texts.multi_label && K < 2) throw Error(ErrorCode::kUsage, "the classifier has one label: nothing to tune");
}

// The place of the target's label; none: all together.
std::optional<std::size_t> label_of(const JudgedTexts& texts, std::size_t K, const TuneTarget& target) {
  if (target.label.empty()) return std::nullopt;
  const auto known = texts.labels.first(K);
  const auto found = std::ranges::find(known, target.label);
  if (found == known.end()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the label {} is not among the {} of the model, the first of which is {}",
                            quote(target.label), K, quote(known.front())));
  }
  const auto label = static_cast<std::size_t>(found - known.begin());
  if (support_of(texts, label) == 0) {
    throw Error(ErrorCode::kInput, fmt::format("no text has the label {}: nothing to tune on", quote(target.label)));
  }
  return label;
}

// All cuts by one number, and how a rule is made of one.
struct Cuts {
  std::vector<CutPoint> points;
  bool by_factor = false;
  double present = 0;
  std::optional<double> for_all = {};  // the threshold that answers all

  [[nodiscard]] std::optional<double> number_at(std::size_t i) const {
    return by_factor ? factor_at(points[i], present) : threshold_at(points[i], present, for_all);
  }
};

// The probability of each text's candidate, or of each label of each text.
std::vector<ScoredItem> items_of_all(const JudgedTexts& texts, const AnswerRule& present) {
  std::vector<ScoredItem> items;
  if (texts.multi_label) {
    for (std::size_t k = 0; k < present.thresholds.size(); ++k) {
      const std::vector<ScoredItem> of_label = items_by_probability(texts, k);
      items.insert(items.end(), of_label.begin(), of_label.end());
    }
    return items;
  }
  const AnswerRule always{.thresholds = std::vector<double>(present.thresholds.size()), .factors = present.factors};
  for (std::size_t i = 0; i < texts.said.size(); ++i) {
    const auto candidate = static_cast<std::size_t>(answers_by(always, texts.said[i], false).front());
    items.push_back({texts.said[i].probabilities[candidate], has_label(texts, i, candidate)});
  }
  return items;
}

Cuts cuts_of(const JudgedTexts& texts, const AnswerRule& present, std::optional<std::size_t> label) {
  Cuts cuts;
  if (!label) {
    std::int64_t support = 0;
    for (const std::vector<std::int32_t>& right : texts.right) support += std::ssize(right);
    cuts.points = cut_points(items_of_all(texts, present), support);
    cuts.present = present.thresholds.front();
    if (!texts.multi_label) cuts.for_all = 0;
  } else if (texts.multi_label) {
    cuts.points = cut_points(items_by_probability(texts, *label), support_of(texts, *label));
    cuts.present = present.thresholds[*label];
  } else {
    cuts.by_factor = true;
    cuts.points =
        cut_points(items_by_log_odds(texts, present.factors, *label), support_of(texts, *label), kLeastLogOddsGap);
    cuts.present = present.factors[*label];
  }
  // None is answered: nothing to compare with.
  if (cuts.points.size() > 1) cuts.points.erase(cuts.points.begin());
  return cuts;
}

// The best cut for the target, or else, with `is_reached` false, the one that comes closest to its floor.
std::size_t choose(const std::vector<CutPoint>& points, const TuneTarget& target, bool& is_reached) {
  std::optional<std::size_t> best;
  switch (target.measure) {
    case TuneMeasure::kPrecision:
      best = best_precision(points, target.floor);
      if (!best) best = best_recall(points, 0);
      break;
    case TuneMeasure::kRecall:
      best = best_recall(points, target.floor);
      if (!best) best = best_precision(points, 0);
      break;
    default:
      best = best_f1(points);
      break;
  }
  const HitCounts& counts = points[*best].counts;
  is_reached = target.measure == TuneMeasure::kPrecision ? counts.recall() >= target.floor
               : target.measure == TuneMeasure::kRecall  ? counts.precision() >= target.floor
                                                         : true;
  return *best;
}

// A dozen places of `count` with `chosen` and what is next to it.
std::set<std::size_t> spread_places(std::size_t count, std::size_t chosen) {
  std::set<std::size_t> places{chosen};
  if (chosen > 0) places.insert(chosen - 1);
  if (chosen + 1 < count) places.insert(chosen + 1);
  for (std::size_t i = 0; i < kSpreadRows; ++i) places.insert(i * (count - 1) / (kSpreadRows - 1));
  return places;
}

void set_rows(const Cuts& cuts, std::size_t chosen, AnswerTuning& tuning) {
  const std::set<std::size_t> places = spread_places(cuts.points.size(), chosen);
  // From the lowest threshold, which is the last cut, to the highest.
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const std::optional<double> number = cuts.number_at(*place);
    if (*place == chosen) tuning.chosen = tuning.rows.size();
    if (number) tuning.rows.push_back({*number, cuts.points[*place].counts});
  }
}

// Sets a threshold for all or the threshold or factor of one label.
void tune_one_cut(const JudgedTexts& texts, const AnswerRule& present, const TuneTarget& target,
                  std::optional<std::size_t> label, AnswerTuning& tuning) {
  Cuts cuts = cuts_of(texts, present, label);
  // Cuts that no number makes are none.
  std::vector<CutPoint> points;
  for (std::size_t i = 0; i < cuts.points.size(); ++i) {
    if (cuts.number_at(i)) points.push_back(cuts.points[i]);
  }
  cuts.points = std::move(points);
  if (cuts.points.empty()) {
    throw Error(ErrorCode::kNumeric, "the classifier's probabilities are so extreme that no factor changes an answer");
  }
  const std::size_t chosen = choose(cuts.points, target, tuning.is_reached);
  const double number = *cuts.number_at(chosen);
  tuning.by_factor = cuts.by_factor;
  set_rows(cuts, chosen, tuning);
  if (cuts.by_factor) {
    tuning.rule.factors[*label] = number;
    std::ranges::fill(tuning.rule.thresholds, 0.0);
  } else if (label) {
    tuning.rule.thresholds[*label] = number;
  } else {
    std::ranges::fill(tuning.rule.thresholds, number);
  }
}

void tune_each_label(const JudgedTexts& texts, const AnswerRule& present, const TuneTarget& target,
                     AnswerTuning& tuning) {
  if (texts.multi_label) {
    tuning.rule.thresholds = search_thresholds(texts, present.thresholds, target.measure);
  } else {
    tuning.by_factor = true;
    tuning.rule.factors = search_factors(texts, present.factors, target.measure);
    std::ranges::fill(tuning.rule.thresholds, 0.0);
  }
}

void set_labels(const JudgedTexts& texts, const AnswerRule& present, AnswerTuning& tuning) {
  const std::vector<HitCounts> before = counts_of_rule(texts, present);
  const std::vector<HitCounts> after = counts_of_rule(texts, tuning.rule);
  for (std::size_t k = 0; k < present.thresholds.size(); ++k) {
    tuning.labels.push_back({.label = static_cast<std::int32_t>(k),
                             .before = tuning.by_factor ? present.factors[k] : present.thresholds[k],
                             .after = tuning.by_factor ? tuning.rule.factors[k] : tuning.rule.thresholds[k],
                             .counts_before = before[k],
                             .counts_after = after[k]});
  }
}

bool has_own_cuts(const JudgedTexts& texts, const TuneTarget& target) {
  return target.measure == TuneMeasure::kAccuracy || target.measure == TuneMeasure::kMacroF1 ||
         (target.measure == TuneMeasure::kF1 && target.label.empty() && texts.multi_label);
}

}  // namespace

TuneTarget parse_tune_target(std::string_view text) {
  if (text == "accuracy") return {.measure = TuneMeasure::kAccuracy};
  if (text == "macro_f1") return {.measure = TuneMeasure::kMacroF1};
  if (text == "f1") return {.measure = TuneMeasure::kF1};
  if (text.starts_with("f1:") && text.size() > 3) {
    return {.measure = TuneMeasure::kF1, .label = std::string(text.substr(3))};
  }
  if (text.starts_with("p@r:")) return at_floor(TuneMeasure::kPrecision, text.substr(4), text);
  if (text.starts_with("r@p:")) return at_floor(TuneMeasure::kRecall, text.substr(4), text);
  refuse_target(text);
}

AnswerTuning tune_answers(const JudgedTexts& texts, const AnswerRule& present, const TuneTarget& target) {
  check_sizes(texts, present);
  const std::optional<std::size_t> label = label_of(texts, present.thresholds.size(), target);
  AnswerTuning tuning{.rule = present};
  if (has_own_cuts(texts, target)) {
    tune_each_label(texts, present, target, tuning);
  } else {
    tune_one_cut(texts, present, target, label, tuning);
  }
  tuning.before = figures_of_rule(texts, present, target, label);
  tuning.after = figures_of_rule(texts, tuning.rule, target, label);
  const bool has_floor = target.measure == TuneMeasure::kPrecision || target.measure == TuneMeasure::kRecall;
  if (!has_floor && tuning.before.value >= tuning.after.value) {
    tuning.rule = present;
    tuning.after = tuning.before;
  }
  if (tuning.rows.empty()) set_labels(texts, present, tuning);
  return tuning;
}

}  // namespace unroll
