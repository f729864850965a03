#include "unroll/nbest/combination.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>

#include "unroll/error.h"

namespace unroll {
namespace {

// Development lists do not determine more than three digits, and people copy the result.
double rounded(double value) {
  const std::string text = fmt::format("{:.3g}", value);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value == 0 ? 0 : value;  // not -0
}

// From small to large, so that of equal ones the smallest is found first.
void sort_by_size(std::vector<double>& values) {
  for (double& value : values) value = rounded(value);
  std::ranges::sort(
      values, [](double a, double b) { return std::fabs(a) != std::fabs(b) ? std::fabs(a) < std::fabs(b) : a > b; });
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// The spread of numbers within lists, and the cost of a word.
struct Scales {
  double score = 0;  // root of the mean square of what differs from the list's mean
  double lm = 0;
  double lm_per_word = 0;
};

Scales scales_of(std::span<const TuningList> lists) {
  Scales scales;
  double count = 0;
  double words = 0;
  double lm_sum = 0;
  for (const TuningList& list : lists) {
    const auto size = static_cast<double>(list.hypotheses.size());
    double score = 0;
    double lm = 0;
    for (const Evidence& one : list.hypotheses) {
      score += one.score / size;
      lm += one.lm / size;
    }
    for (const Evidence& one : list.hypotheses) {
      scales.score += (one.score - score) * (one.score - score);
      scales.lm += (one.lm - lm) * (one.lm - lm);
      words += one.words;
      lm_sum += std::fabs(one.lm);
    }
    count += size;
  }
  scales.score = std::sqrt(scales.score / count);
  scales.lm = std::sqrt(scales.lm / count);
  scales.lm_per_word = words > 0 ? lm_sum / words : 0;
  return scales;
}

// Weights of words are tried as multiples of what the language model charges for a word: longer hypotheses are less
// probable, so the best weights of the two go up and down together. Without the language model it is as if it had the
// weight with which it spreads as the scores do.
class Search {
 public:
  Search(std::span<const TuningList> lists, const TunedWeights& tuned)
      : lists_(lists), tuned_(tuned), scales_(scales_of(lists)) {
    if (scales_.score > 0 && scales_.lm > 0) even_ = scales_.score / scales_.lm;
  }

  Combination run() {
    coarse();
    for (const double step : {0.2, 0.05, 0.0125}) fine(step);
    return best_;
  }

 private:
  void coarse() {
    std::vector<double> lms{1};
    if (tuned_.lm_weight) {
      lms = {0, 0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8};
      for (double& lm : lms) lm *= even_;
    }
    try_all(lms, {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, -0.25, -0.5, -1},
            tuned_.lambda ? std::vector<double>{1, 0.75, 0.5, 0.25, 0} : std::vector<double>{1});
  }

  void fine(double step) {
    const Combination around = best_;
    std::vector<double> lms{around.lm_weight};
    std::vector<double> shares{best_share_};
    std::vector<double> lambdas{around.lambda};
    for (int i = -4; i <= 4; ++i) {
      if (tuned_.lm_weight) lms.push_back(around.lm_weight * (1 + i * step));
      shares.push_back(best_share_ + i * step);
      if (tuned_.lambda) lambdas.push_back(std::clamp(around.lambda + i * step / 2, 0.0, 1.0));
    }
    try_all(lms, shares, lambdas);
  }

  // `shares` are those multiples.
  void try_all(std::vector<double> lms, std::vector<double> shares, std::vector<double> lambdas) {
    sort_by_size(lms);
    sort_by_size(shares);
    sort_by_size(lambdas);
    std::ranges::reverse(lambdas);
    for (const double lm : lms) {
      for (const double share : shares) {
        for (const double lambda : lambdas) {
          const double word = share * (lm > 0 ? lm : even_) * scales_.lm_per_word;
          const Combination tried{.lm_weight = lm, .word_weight = rounded(word), .lambda = lambda};
          const std::int64_t errors = errors_of(tried, lists_);
          if (errors >= least_) continue;
          least_ = errors;
          best_ = tried;
          best_share_ = share;
        }
      }
    }
  }

  std::span<const TuningList> lists_;
  TunedWeights tuned_;
  Scales scales_;
  double even_ = 1;  // the weight with which both numbers spread alike; 1 where one of them says nothing
  Combination best_;
  double best_share_ = 0;
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace

void check(const Combination& combination) {
  const auto expect = [](bool right, const std::string& field, double value, std::string_view expected) {
    if (!right) throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected {}", field, value, expected), field);
  };
  expect(std::isfinite(combination.lm_weight), "lm_weight", combination.lm_weight, "a finite number");
  expect(std::isfinite(combination.word_weight), "word_weight", combination.word_weight, "a finite number");
  expect(combination.lambda >= 0 && combination.lambda <= 1, "lambda", combination.lambda, "a number from 0 to 1");
}

double combined_lm(const Combination& combination, const Evidence& evidence) noexcept {
  if (combination.lambda == 1) return evidence.lm;
  return combination.lambda * evidence.lm + (1 - combination.lambda) * evidence.old_lm;
}

double total(const Combination& combination, const Evidence& evidence) noexcept {
  return evidence.score + combination.lm_weight * combined_lm(combination, evidence) +
         combination.word_weight * evidence.words;
}

std::size_t best_of(const Combination& combination, std::span<const Evidence> list) {
  if (list.empty()) throw Error(ErrorCode::kUsage, "cannot choose from an empty N-best list");
  std::size_t best = 0;
  double most = total(combination, list.front());
  for (std::size_t i = 1; i < list.size(); ++i) {
    const double its = total(combination, list[i]);
    if (its > most) {
      most = its;
      best = i;
    }
  }
  return best;
}

std::vector<std::size_t> ranking(const Combination& combination, std::span<const Evidence> list) {
  std::vector<double> totals;
  for (const Evidence& evidence : list) totals.push_back(total(combination, evidence));
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return totals[a] > totals[b]; });
  return order;
}

Combination tune_combination(std::span<const TuningList> lists, const TunedWeights& tuned) {
  if (lists.empty()) throw Error(ErrorCode::kInput, "there are no lists to tune weights on");
  return Search(lists, tuned).run();
}

std::int64_t errors_of(const Combination& combination, std::span<const TuningList> lists) {
  std::int64_t sum = 0;
  for (const TuningList& list : lists) {
    if (list.errors.size() != list.hypotheses.size()) {
      throw Error(ErrorCode::kUsage, fmt::format("a list has {} hypotheses and errors of {}: expected the same number",
                                                 list.hypotheses.size(), list.errors.size()));
    }
    sum += list.errors[best_of(combination, list.hypotheses)];
  }
  return sum;
}

}  // namespace unroll
