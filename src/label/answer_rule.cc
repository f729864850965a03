#include "unroll/label/answer_rule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>

namespace unroll {
namespace {

// The label with the largest product of factor and probability.
std::int32_t candidate_of(const AnswerRule& rule, const ClassifiedText& text) {
  std::size_t best = 0;
  double largest = 0;
  for (std::size_t k = 0; k < rule.factors.size(); ++k) {
    const double log_product = std::log(rule.factors[k]) + text.log_probs[k];
    if (k > 0 && !(log_product > largest)) continue;
    best = k;
    largest = log_product;
  }
  return static_cast<std::int32_t>(best);
}

bool has_factors(const AnswerRule& rule) {
  return std::ranges::adjacent_find(rule.factors, std::ranges::not_equal_to()) != rule.factors.end();
}

}  // namespace

std::vector<std::int32_t> ranked_labels(const ClassifiedText& text) {
  std::vector<std::int32_t> order(text.probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  // Where a double has no more digits for 1 - p, its logarithm has.
  const auto key = [&](std::int32_t label) {
    const auto k = static_cast<std::size_t>(label);
    const double complement = text.log_complements.empty() ? 0 : -text.log_complements[k];
    return std::tuple(text.probabilities[k], text.log_probs[k], complement);
  };
  std::ranges::stable_sort(order, std::ranges::greater(), key);
  return order;
}

std::vector<std::int32_t> answers_by(const AnswerRule& rule, const ClassifiedText& text, bool multi_label) {
  std::vector<std::int32_t> labels;
  if (!multi_label && has_factors(rule)) {
    labels = {candidate_of(rule, text)};
  } else {
    labels = ranked_labels(text);
    if (!multi_label) labels.resize(1);
  }
  std::erase_if(labels, [&](std::int32_t label) {
    const auto k = static_cast<std::size_t>(label);
    return text.probabilities[k] < rule.thresholds[k];
  });
  return labels;
}

}  // namespace unroll
