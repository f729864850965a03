#include "write/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "unroll/error.h"

namespace unroll {
namespace {

void check_share(const std::string& field, double value) {
  // Written so that NaN fails too.
  if (!(value >= 0 && value <= 1)) {
    throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected a number from 0 to 1", field, value), field);
  }
}

}  // namespace

void check(const SamplerOptions& options) {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature)) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("`temperature` is {}: expected a finite number, 0 (always the most probable symbol) or above",
                    options.temperature),
        "temperature");
  }
  if (options.top_k < 0) {
    throw Error(ErrorCode::kUsage, fmt::format("`top_k` is {}: expected 0 (all symbols) or above", options.top_k),
                "top_k");
  }
  check_share("top_p", options.top_p);
  check_share("min_p", options.min_p);
}

Sampler::Sampler(std::int64_t vocabulary, std::int32_t excluded) : excluded_(excluded) {
  candidates_.reserve(static_cast<std::size_t>(vocabulary));
  selection_.reserve(static_cast<std::size_t>(vocabulary));
}

std::int32_t Sampler::sample(const SamplerOptions& options, std::span<const float> logits, double uniform) {
  options_ = options;
  weigh(logits);
  draw_ = {.number = uniform};
  if (options_.temperature == 0) {
    const std::int32_t best = std::min_element(candidates_.begin(), candidates_.end(), more_probable)->id;
    candidates_.assign(1, {.weight = 1, .id = best});
    return best;
  }
  keep_top_k();
  keep_top_p();
  keep_min_p();
  const double all = total();
  const double wanted = uniform * all;
  double reached = 0;
  for (const Candidate& candidate : candidates_) {
    const double before = reached;
    reached += candidate.weight;
    if (reached <= wanted) continue;
    draw_ = {.number = uniform, .from = before / all, .to = reached / all};
    return candidate.id;
  }
  // Rounding may leave the sum slightly below `wanted`; that must not draw a weight of zero.
  const auto last =
      std::find_if(candidates_.rbegin(), candidates_.rend(), [](const Candidate& c) { return c.weight > 0; });
  draw_ = {.number = uniform, .from = 1 - last->weight / all, .to = 1};
  return last->id;
}

std::vector<SymbolShare> Sampler::last_shares() const {
  const double all = total();
  std::vector<SymbolShare> shares;
  shares.reserve(candidates_.size());
  double reached = 0;
  for (const Candidate& candidate : candidates_) {
    const double before = reached;
    reached += candidate.weight;
    shares.push_back({.id = candidate.id, .from = before / all, .to = reached / all});
  }
  return shares;
}

bool Sampler::more_probable(const Candidate& a, const Candidate& b) noexcept {
  return a.weight > b.weight || (a.weight == b.weight && a.id < b.id);
}

double Sampler::largest_logit(std::span<const float> logits) const {
  double largest = -HUGE_VAL;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const double logit = logits[id];
    if (!std::isfinite(logit)) {
      throw Error(
          ErrorCode::kNumeric,
          fmt::format("the network's output for symbol {} is {}: its weights or its state overflowed", id, logit));
    }
    if (static_cast<std::int32_t>(id) != excluded_) largest = std::max(largest, logit);
  }
  return largest;
}

void Sampler::weigh(std::span<const float> logits) {
  const double largest = largest_logit(logits);
  const bool greedy = options_.temperature == 0;
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (id == excluded_) continue;
    const double below = logits[i] - largest;
    candidates_.push_back({greedy ? below : std::exp(below / options_.temperature), id});
  }
}

// Drops what is less probable than `least`; the rest stays in the order of ids.
void Sampler::keep_from(const Candidate& least) {
  std::erase_if(candidates_, [&](const Candidate& candidate) { return more_probable(least, candidate); });
}

void Sampler::keep_top_k() {
  if (options_.top_k == 0 || options_.top_k >= static_cast<std::int64_t>(candidates_.size())) return;
  selection_ = candidates_;
  const auto least = selection_.begin() + (options_.top_k - 1);
  std::nth_element(selection_.begin(), least, selection_.end(), more_probable);
  keep_from(*least);
}

void Sampler::keep_top_p() {
  if (options_.top_p == 1) return;
  const double all = total();
  const double wanted = options_.top_p * all;
  // All symbols that weigh less than this weigh less than (1 - p) of the whole together, so the others reach p without
  // them. Of a peaked distribution few symbols are left to select from, and always the most probable one.
  const double negligible = (1 - options_.top_p) * all / static_cast<double>(candidates_.size());
  selection_.clear();
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight >= negligible) selection_.push_back(candidate);
  }
  // Halving: the symbol at which the sum, from the most probable one on, reaches `wanted` stays between first and last.
  auto first = selection_.begin();
  auto last = selection_.end();
  double before_first = 0;
  while (last - first > 1) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, more_probable);
    const double before_middle = std::accumulate(
        first, middle, before_first, [](double sum, const Candidate& candidate) { return sum + candidate.weight; });
    if (before_middle >= wanted) {
      last = middle;
    } else {
      first = middle;
      before_first = before_middle;
    }
  }
  keep_from(*first);
}

void Sampler::keep_min_p() {
  if (options_.min_p == 0) return;
  // The most probable symbol survives every filter and weighs exactly 1.
  std::erase_if(candidates_, [&](const Candidate& candidate) { return candidate.weight < options_.min_p; });
}

double Sampler::total() const noexcept {
  return std::accumulate(candidates_.begin(), candidates_.end(), 0.0,
                         [](double sum, const Candidate& candidate) { return sum + candidate.weight; });
}

}  // namespace unroll
