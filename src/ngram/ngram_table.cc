#include "ngram/ngram_table.h"

#include <algorithm>

namespace unroll {

std::uint32_t NgramTable::find(std::size_t length, std::uint32_t context, std::uint32_t word) const {
  const std::vector<std::uint32_t>& extent = levels[length - 1].extent;
  const std::vector<std::uint32_t>& listed = levels[length].words;
  const auto first = listed.begin() + extent[context];
  const auto last = listed.begin() + extent[context + 1];
  const auto at = std::lower_bound(first, last, word);
  return at != last && *at == word ? static_cast<std::uint32_t>(at - listed.begin()) : kNoNode;
}

std::vector<std::uint32_t> NgramTable::after(std::span<const std::uint32_t> context, std::uint32_t word) const {
  std::vector<std::uint32_t> next;
  if (order() == 1) return next;
  next.reserve(order() - 1);
  next.push_back(word);
  for (std::size_t length = 1; length <= context.size() && length + 1 < order(); ++length) {
    const std::uint32_t node = context[length - 1];
    next.push_back(node == kNoNode ? kNoNode : find(length, node, word));
  }
  // A context that is not listed has no effect: dropping it makes states that predict alike equal.
  while (next.back() == kNoNode) next.pop_back();
  return next;
}

double NgramTable::log_prob(std::span<const std::uint32_t> context, std::uint32_t word) const {
  double backoff = 0;
  for (std::size_t length = context.size(); length > 0; --length) {
    const std::uint32_t node = context[length - 1];
    if (node == kNoNode) continue;
    const std::uint32_t listed = find(length, node, word);
    if (listed != kNoNode) return backoff + static_cast<double>(levels[length].log_probs[listed]);
    backoff += static_cast<double>(levels[length - 1].log_backoffs[node]);
  }
  return backoff + static_cast<double>(levels[0].log_probs[word]);
}

}  // namespace unroll
