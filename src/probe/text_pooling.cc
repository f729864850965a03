#include "probe/text_pooling.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/arrays.h"

namespace unroll {

TextPooling::TextPooling(Readout readout, std::int64_t D, std::int64_t forward)
    : readout_(readout),
      forward_(static_cast<std::size_t>(forward)),
      last_(static_cast<std::size_t>(D)),
      max_(last_.size()),
      sum_(last_.size()) {
  assert(readout != Readout::kSteps && readout != Readout::kAttention);
}

void TextPooling::add(std::span<const float> step) {
  if (steps_++ == 0) {
    std::ranges::copy(step, last_.begin());
    std::ranges::copy(step, max_.begin());
    std::ranges::fill(sum_, 0.0F);
  }
  std::copy_n(step.begin(), forward_, last_.begin());
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] > max_[i] || std::isnan(step[i])) max_[i] = step[i];
  }
  unroll::add(step, sum_);
}

std::span<const float> TextPooling::finish() {
  assert(steps_ > 0);
  const auto n = static_cast<float>(steps_);
  for (float& value : sum_) value /= n;
  steps_ = 0;
  if (readout_ == Readout::kLast) return last_;
  if (readout_ == Readout::kMax) return max_;
  if (readout_ == Readout::kMean) return sum_;
  out_.clear();
  for (const std::vector<float>* part : {&last_, &max_, &sum_}) out_.insert(out_.end(), part->begin(), part->end());
  return out_;
}

}  // namespace unroll
