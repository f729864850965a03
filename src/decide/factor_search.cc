#include "decide/factor_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "decide/label_cuts.h"

namespace unroll {
namespace {

constexpr int kMostPasses = 20;
constexpr double kLeastGain = 1e-12;

// Accuracy or macro F1 of answers that change one by one.
class RunningMeasure {
 public:
  RunningMeasure(const JudgedTexts& texts, TuneMeasure measure)
      : counts_(texts.labels.size()), is_macro_(measure == TuneMeasure::kMacroF1) {
    for (const std::vector<std::int32_t>& right : texts.right) {
      for (const std::int32_t label : right) ++counts_[static_cast<std::size_t>(label)].support;
    }
    for (const HitCounts& counts : counts_) occurring_ += counts.support > 0 ? 1 : 0;
  }

  void add(std::size_t label, bool is_right) { change(label, 1, is_right); }
  void remove(std::size_t label, bool is_right) { change(label, -1, is_right); }

  // Of accuracy the number of hits.
  [[nodiscard]] double value() const {
    if (!is_macro_) return static_cast<double>(hits_);
    return occurring_ == 0 ? 0 : f1_sum_ / static_cast<double>(occurring_);
  }

 private:
  void change(std::size_t label, std::int64_t by, bool is_right) {
    HitCounts& counts = counts_[label];
    const bool occurred = counts.support > 0 || counts.answered > 0;
    f1_sum_ -= counts.f1().value_or(0);
    counts.answered += by;
    counts.hits += is_right ? by : 0;
    hits_ += is_right ? by : 0;
    f1_sum_ += counts.f1().value_or(0);
    occurring_ += static_cast<int>(counts.support > 0 || counts.answered > 0) - static_cast<int>(occurred);
  }

  std::vector<HitCounts> counts_;
  bool is_macro_;
  std::int64_t hits_ = 0;
  std::int64_t occurring_ = 0;
  double f1_sum_ = 0;
};

// The two labels of a text with the largest products, of equal ones the first.
struct Leaders {
  std::size_t first = 0;
  std::size_t second = 0;
};

class FactorSearch {
 public:
  FactorSearch(const JudgedTexts& texts, std::vector<double> factors, TuneMeasure measure)
      : texts_(texts), measure_(measure), factors_(std::move(factors)), leaders_(texts.said.size()) {
    for (const double factor : factors_) logs_.push_back(std::log(factor));
    for (std::size_t i = 0; i < leaders_.size(); ++i) find_leaders(i);
  }

  std::vector<double> run() {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      bool has_gained = false;
      for (std::size_t k = 0; k < factors_.size(); ++k) has_gained = improve(k) || has_gained;
      if (!has_gained) break;
    }
    return factors_;
  }

  [[nodiscard]] std::vector<ScoredItem> items(std::size_t k) const {
    std::vector<ScoredItem> items;
    for (std::size_t i = 0; i < leaders_.size(); ++i) items.push_back({log_odds(i, k), has_label(texts_, i, k)});
    return items;
  }

 private:
  [[nodiscard]] double product(std::size_t i, std::size_t k) const { return logs_[k] + texts_.said[i].log_probs[k]; }

  [[nodiscard]] bool leads(std::size_t i, std::size_t a, std::size_t b) const {
    const double x = product(i, a);
    const double y = product(i, b);
    return x > y || (x == y && a < b);
  }

  void find_leaders(std::size_t i) {
    Leaders found{.first = 0, .second = 1};
    if (leads(i, 1, 0)) std::swap(found.first, found.second);
    for (std::size_t k = 2; k < factors_.size(); ++k) {
      if (!leads(i, k, found.second)) continue;
      found.second = k;
      if (leads(i, k, found.first)) std::swap(found.first, found.second);
    }
    leaders_[i] = found;
  }

  // The answer where it is not k.
  [[nodiscard]] std::size_t other(std::size_t i, std::size_t k) const {
    return leaders_[i].first == k ? leaders_[i].second : leaders_[i].first;
  }

  [[nodiscard]] double log_odds(std::size_t i, std::size_t k) const {
    return texts_.said[i].log_probs[k] - product(i, other(i, k));
  }

  // The texts by falling log-odds of k.
  [[nodiscard]] std::vector<std::pair<double, std::size_t>> by_log_odds(std::size_t k) const {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < leaders_.size(); ++i) order.emplace_back(log_odds(i, k), i);
    std::ranges::sort(order, std::ranges::greater());
    return order;
  }

  [[nodiscard]] double present_value() const {
    RunningMeasure running(texts_, measure_);
    for (std::size_t i = 0; i < leaders_.size(); ++i) {
      running.add(leaders_[i].first, has_label(texts_, i, leaders_[i].first));
    }
    return running.value();
  }

  // Calls visit(cut, value) for every cut, from no text that is answered k to all.
  template <class Visit>
  void for_each_cut(std::size_t k, const Visit& visit) const {
    const std::vector<std::pair<double, std::size_t>> order = by_log_odds(k);
    RunningMeasure running(texts_, measure_);
    for (std::size_t i = 0; i < order.size(); ++i) running.add(other(i, k), has_label(texts_, i, other(i, k)));
    visit(CutPoint{.lowest = std::numeric_limits<double>::infinity(), .next = order.front().first, .counts = {}},
          running.value());
    for (std::size_t r = 0; r < order.size(); ++r) {
      const auto [score, i] = order[r];
      running.remove(other(i, k), has_label(texts_, i, other(i, k)));
      running.add(k, has_label(texts_, i, k));
      const bool is_last = r + 1 == order.size();
      if (!is_last && score - order[r + 1].first <= kLeastLogOddsGap) continue;
      visit(CutPoint{.lowest = score, .next = is_last ? std::nullopt : std::optional(order[r + 1].first), .counts = {}},
            running.value());
    }
  }

  // Whether a new factor of k gains something. Of equal cuts it takes the one next to the present factor.
  bool improve(std::size_t k) {
    double best = present_value();
    const double before = best;
    std::optional<CutPoint> chosen;
    const auto distance = [&](const CutPoint& cut) { return std::fabs(logs_[k] + cut.next.value_or(cut.lowest)); };
    for_each_cut(k, [&](const CutPoint& cut, double value) {
      const bool is_nearer = chosen && value > best - kLeastGain && distance(cut) < distance(*chosen);
      if (!(value > best + kLeastGain) && !is_nearer) return;
      best = std::max(best, value);
      chosen = cut;
    });
    const std::optional<double> factor = chosen ? factor_at(*chosen, factors_[k]) : std::nullopt;
    if (!factor || !(best > before + kLeastGain)) return false;
    factors_[k] = *factor;
    logs_[k] = std::log(*factor);
    for (std::size_t i = 0; i < leaders_.size(); ++i) {
      const Leaders& leaders = leaders_[i];
      if (leaders.first == k || leaders.second == k || leads(i, k, leaders.second)) find_leaders(i);
    }
    return true;
  }

  const JudgedTexts& texts_;
  TuneMeasure measure_;
  std::vector<double> factors_;
  std::vector<double> logs_ = {};
  std::vector<Leaders> leaders_;
};

}  // namespace

std::vector<double> search_factors(const JudgedTexts& texts, std::vector<double> factors, TuneMeasure measure) {
  return FactorSearch(texts, std::move(factors), measure).run();
}

std::vector<ScoredItem> items_by_log_odds(const JudgedTexts& texts, const std::vector<double>& factors,
                                          std::size_t label) {
  return FactorSearch(texts, factors, TuneMeasure::kAccuracy).items(label);
}

}  // namespace unroll
