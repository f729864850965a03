#include "serve/symbol_reports.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "kernels/softmax.h"

namespace unroll {
namespace {

// Of equally probable symbols the smaller id comes first, as in the Sampler.
std::vector<SymbolProbability> most_probable(std::span<const float> logits, std::int64_t count) {
  std::vector<std::int32_t> all(logits.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::int32_t> ids(std::min(all.size(), static_cast<std::size_t>(count)));
  std::ranges::partial_sort_copy(all, ids, [&](std::int32_t a, std::int32_t b) {
    const float of_a = logits[static_cast<std::size_t>(a)];
    const float of_b = logits[static_cast<std::size_t>(b)];
    return of_a > of_b || (of_a == of_b && a < b);
  });
  std::vector<double> log_probs(ids.size());
  log_softmax_at(logits, ids, log_probs);
  std::vector<SymbolProbability> result;
  for (std::size_t i = 0; i < ids.size(); ++i) result.push_back({.id = ids[i], .log_prob = log_probs[i]});
  return result;
}

}  // namespace

Detail detail_of(const SymbolDetail& detail) noexcept {
  return detail.ranks ? Detail::kRankAndEntropy : Detail::kLogProb;
}

void set_from_logits(std::span<const float> logits, const SymbolDetail& detail, SymbolReport& report) {
  const SymbolPrediction prediction = predict(logits, report.id, detail_of(detail));
  // Logits that are not numbers have no order.
  const bool ordered = std::isfinite(prediction.log_prob);
  if (ordered && detail.alternatives > 0) report.alternatives = most_probable(logits, detail.alternatives);
  set_from_prediction(prediction, detail, report);
}

void set_from_prediction(const SymbolPrediction& prediction, const SymbolDetail& detail, SymbolReport& report) {
  report.log_prob = prediction.log_prob;
  if (detail.ranks) {
    report.rank = prediction.rank;
    report.entropy = prediction.entropy;
  }
  for (SymbolProbability& alternative : report.alternatives) {
    if (alternative.id == report.id) alternative.log_prob = report.log_prob;
  }
}

}  // namespace unroll
