#include "dist/owners.h"

#include <algorithm>
#include <cstddef>

#include "dist/collect.h"

namespace unroll {

Owners::Owners(Ranks& ranks, const Gradients& gradients)
    : ranks_(ranks),
      floats_(std::ssize(gradients.dense())),
      shifts_{gradients.dense_offset(), gradients.dense_offset() + gradients.left_out().size},
      cut_(gradients.left_out().at) {}

void Owners::gather(const Parameters& parameters) const {
  if (ranks_.size() == 1) return;
  start_gather(ranks_, parameters.all(), [&](int rank) {
    const ShareRange range = part(rank);
    const std::int64_t last = std::min(range.last, cut_);
    return ShareRange{shifts_[0] + std::min(range.first, last), shifts_[0] + last};
  });
  start_gather(ranks_, parameters.all(), [&](int rank) {
    const ShareRange range = part(rank);
    const std::int64_t first = std::max(range.first, cut_);
    return ShareRange{shifts_[1] + first, shifts_[1] + std::max(range.last, first)};
  });
  ranks_.wait();
}

}  // namespace unroll
