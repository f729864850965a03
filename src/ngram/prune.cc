#include "ngram/prune.h"

#include <cmath>
#include <numbers>
#include <span>
#include <utility>

#include "ngram/backoff.h"

namespace unroll {
namespace {

using Kept = std::vector<std::vector<bool>>;  // by order, by node

// Marks the words to keep after one context.
void mark(const NgramTable& table, std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context,
          double share, double threshold, Kept& kept) {
  const ContextSums sums = sums_after(table, length, node, context);
  const double rest = 1 - sums.listed;
  const double rest_below = 1 - sums.lower;
  const std::vector<std::uint32_t>& extent = table.levels[length - 1].extent;
  const NgramLevel& level = table.levels[length];
  for (std::uint32_t i = extent[node]; i < extent[node + 1]; ++i) {
    if (kept[length][i]) continue;  // a context of n-grams that are kept
    const double log_p = std::numbers::ln10 * static_cast<double>(level.log_probs[i]);
    const double log_below = std::numbers::ln10 * table.log_prob(context.first(length - 1), level.words[i]);
    const double p = std::exp(log_p);
    const double log_weight = std::log((rest + p) / (rest_below + std::exp(log_below)));
    double loss = p * (log_weight + log_below - log_p);
    if (rest > 0 && rest_below > 0) loss += rest * (log_weight - std::log(rest / rest_below));
    // Keeps a word for which D cannot be computed, because no probability was left before.
    kept[length][i] = !(-share * loss < std::log1p(threshold));
  }
}

// The n-grams to keep of each order, including contexts of those that are kept.
Kept marked(const NgramTable& table, const ContextShares& shares, double threshold) {
  Kept kept(table.order());
  for (std::size_t i = 0; i < table.order(); ++i) kept[i].assign(table.levels[i].words.size(), i == 0);
  for (std::size_t length = table.order() - 1; length > 0; --length) {
    visit_contexts(table, length, [&](std::size_t, std::uint32_t node, std::span<const std::uint32_t> context) {
      mark(table, length, node, context, shares[length - 1][node], threshold, kept);
      const std::vector<std::uint32_t>& extent = table.levels[length - 1].extent;
      for (std::uint32_t i = extent[node]; i < extent[node + 1]; ++i) {
        if (kept[length][i]) kept[length - 1][node] = true;
      }
    });
  }
  return kept;
}

}  // namespace

NgramTable pruned(const NgramTable& table, const ContextShares& shares, double threshold, std::uint32_t begin) {
  const Kept kept = marked(table, shares, threshold);
  NgramTable result{.words = table.words, .levels = std::vector<NgramLevel>(table.order())};
  for (std::size_t i = 0; i < table.order(); ++i) {
    const NgramLevel& from = table.levels[i];
    NgramLevel& to = result.levels[i];
    const bool highest = i + 1 == table.order();
    std::uint32_t children = 0;
    if (!highest) to.extent.push_back(0);
    for (std::uint32_t node = 0; node < from.words.size(); ++node) {
      if (!kept[i][node]) continue;
      to.words.push_back(from.words[node]);
      to.log_probs.push_back(from.log_probs[node]);
      if (highest) continue;
      for (std::uint32_t child = from.extent[node]; child < from.extent[node + 1]; ++child) {
        children += kept[i + 1][child] ? 1U : 0U;
      }
      to.extent.push_back(children);
      to.log_backoffs.push_back(0);
    }
  }
  weigh(result, begin);
  return result;
}

}  // namespace unroll
