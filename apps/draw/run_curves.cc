#include "draw/run_curves.h"

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

constexpr std::size_t kMostBins = 512;

StepBin joined(const StepBin& a, const StepBin& b) {
  return {.first = a.first,
          .last = b.last,
          .count = a.count + b.count,
          .nats_sum = a.nats_sum + b.nats_sum,
          .least_nats = std::min(a.least_nats, b.least_nats),
          .most_nats = std::max(a.most_nats, b.most_nats),
          .lr = b.lr,
          .norm_sum = a.norm_sum + b.norm_sum,
          .most_norm = std::max(a.most_norm, b.most_norm),
          .tokens = a.tokens + b.tokens,
          .seconds = a.seconds + b.seconds};
}

ValidationPoint better(const ValidationPoint& a, const ValidationPoint& b) { return b.nats <= a.nats ? b : a; }

// Each two of them become one; an odd last one stays.
template <class Item, class Join>
void halve(std::vector<Item>& items, const Join& join) {
  const std::size_t pairs = items.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) items[i] = join(items[2 * i], items[2 * i + 1]);
  if (items.size() % 2 == 1) items[pairs] = items.back();
  items.resize(items.size() - pairs);
}

}  // namespace

void RunCurves::add(const StepReport& report) {
  const double tokens = static_cast<double>(report.tokens - tokens_);
  tokens_ = report.tokens;
  StepBin one{.first = report.step,
              .last = report.step,
              .count = 1,
              .nats_sum = report.nats_per_token,
              .least_nats = report.nats_per_token,
              .most_nats = report.nats_per_token,
              .lr = report.lr,
              .norm_sum = report.grad_norm,
              .most_norm = report.grad_norm};
  if (std::isfinite(report.tokens_per_s) && report.tokens_per_s > 0 && tokens > 0) {
    one.tokens = tokens;
    one.seconds = tokens / report.tokens_per_s;
  }
  if (!bins_.empty() && bins_.back().count < bin_steps_) {
    bins_.back() = joined(bins_.back(), one);
  } else {
    if (bins_.size() == kMostBins) {
      halve(bins_, joined);
      bin_steps_ *= 2;
    }
    bins_.push_back(one);
  }
  if (report.valid_nats_per_token) add_validation(report);
}

void RunCurves::add_validation(const StepReport& report) {
  const double last = *report.valid_nats_per_token;
  if (validations_.size() == kMostBins) halve(validations_, better);
  validations_.push_back({.step = report.step,
                          .nats = std::min(last, report.average_valid_nats_per_token.value_or(last)),
                          .accuracy = report.valid_accuracy});
}

std::vector<SmoothStep> smoothed(const std::vector<StepBin>& bins) {
  constexpr std::size_t kParts = 80;
  const std::size_t reach = bins.size() / kParts;
  std::vector<SmoothStep> means;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    // At the beginning, which is steep, no further to the right than to the left. The end is flat, and one noisy step
    // is not to stand for it.
    const std::size_t before = std::min(reach, i);
    const std::size_t last = std::min(i + before, bins.size() - 1);
    StepBin all = bins[i - before];
    for (std::size_t k = i - before + 1; k <= last; ++k) all = joined(all, bins[k]);
    means.push_back({.nats = all.nats(), .norm = all.norm()});
    if (all.seconds > 0) means.back().tokens_per_s = all.tokens / all.seconds;
  }
  return means;
}

}  // namespace unroll
