#include "unroll/score/loss_sums.h"

#include <cmath>
#include <limits>

namespace unroll {
namespace {

double mean_of_sum(double sum, std::int64_t count) noexcept {
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

}  // namespace

LossSums& LossSums::operator+=(const LossSums& next) noexcept {
  nats += next.nats;
  tokens += next.tokens;
  unknown_nats += next.unknown_nats;
  unknown += next.unknown;
  return *this;
}

LossFigures figures_of(const LossSums& sums) noexcept {
  LossFigures figures;
  figures.nats_per_token = mean_of_sum(sums.nats, sums.tokens);
  figures.perplexity = std::exp(figures.nats_per_token);
  figures.nats_per_known_token = sums.unknown == 0
                                     ? figures.nats_per_token
                                     : mean_of_sum(sums.nats - sums.unknown_nats, sums.tokens - sums.unknown);
  figures.perplexity_without_unknown = std::exp(figures.nats_per_known_token);
  return figures;
}

}  // namespace unroll
