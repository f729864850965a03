#include "adapt/cache_sweep.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "adapt/neural_cache.h"
#include "infer/prediction.h"
#include "infer/sequence.h"

namespace unroll {
namespace {

// ln p_cache(target) at one theta for every size: the steps are taken from the newest on, and the sums so far are those
// of a smaller cache. They are kept relative to the largest exponent so far.
void log_shares(const NeuralCache::Seen& seen, std::int32_t target, double theta, std::span<const std::int64_t> sizes,
                std::span<double> out) {
  double most = -std::numeric_limits<double>::infinity();
  double total = 0;
  double sum = 0;
  std::size_t taken = 0;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    const std::size_t end = std::min(seen.next.size(), static_cast<std::size_t>(sizes[n]));
    for (; taken < end; ++taken) {
      const std::size_t i = seen.next.size() - 1 - taken;
      const double exponent = theta * static_cast<double>(seen.products[i]);
      if (exponent > most) {
        const double shrink = std::exp(most - exponent);
        total *= shrink;
        sum *= shrink;
        most = exponent;
      }
      const double e = std::exp(exponent - most);
      total += e;
      if (seen.next[i] == target) sum += e;
    }
    out[n] = std::log(sum / total);
  }
}

// -ln p of one target for every combination.
void sweep_step(const NeuralCache::Seen& seen, std::int32_t target, double network, const CacheGrid& grid,
                std::span<double> nats) {
  if (seen.next.empty()) {
    std::ranges::fill(nats, -network);
    return;
  }
  std::vector<double> shares(grid.sizes.size());
  for (std::size_t i = 0; i < grid.thetas.size(); ++i) {
    log_shares(seen, target, grid.thetas[i], grid.sizes, shares);
    for (std::size_t n = 0; n < grid.sizes.size(); ++n) {
      for (std::size_t k = 0; k < grid.weights.size(); ++k) {
        const double weight = grid.weights[k];
        nats[(n * grid.thetas.size() + i) * grid.weights.size() + k] =
            -log_of_sum(std::log1p(-weight) + network, std::log(weight) + shares[n]);
      }
    }
  }
}

}  // namespace

std::vector<double> sweep_cache(Workers& workers, const RecordedText& text, const CacheGrid& grid) {
  const std::size_t combinations = grid.sizes.size() * grid.thetas.size() * grid.weights.size();
  const auto tokens = std::ssize(text.ids);
  const MatView<const float> states(text.states.data(), tokens, std::ssize(text.states) / tokens);
  NeuralCache cache({.size = grid.sizes.back()});
  std::vector<double> sums(combinations);
  std::vector<double> nats(static_cast<std::size_t>(kSequenceSteps) * combinations);
  for (std::int64_t first = 0; first < tokens; first += kSequenceSteps) {
    const std::int64_t T = std::min(kSequenceSteps, tokens - first);
    const auto next = text.ids.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(T));
    cache.attend(workers, states.row_range(first, T), next);
    workers.run(T, [&](std::int64_t t) {
      const auto step = static_cast<std::size_t>(t);
      sweep_step(cache.seen(t), next[step], text.log_probs[static_cast<std::size_t>(first + t)], grid,
                 std::span(nats).subspan(step * combinations, combinations));
    });
    for (std::size_t t = 0; t < static_cast<std::size_t>(T); ++t) {
      for (std::size_t c = 0; c < combinations; ++c) sums[c] += nats[t * combinations + c];
    }
  }
  return sums;
}

}  // namespace unroll
