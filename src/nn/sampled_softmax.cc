#include "nn/sampled_softmax.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/philox.h"
#include "kernels/arrays.h"
#include "kernels/softmax.h"
#include "nn/recurrent_steps.h"
#include "nn/softmax_loss.h"

namespace unroll {
namespace {

// Its exponential is zero, and its sum with a logit does not overflow.
constexpr float kNegligible = -1e30F;

std::span<const float> row_of(MatView<const float> x, std::int64_t r) {
  return {x.row(r), static_cast<std::size_t>(x.cols)};
}

// Places the logit of a row's target after those of the samples, and excludes the target among these.
void place_target(const SampledOutput& output, std::span<const float> h, std::int32_t target, std::span<float> logits) {
  const std::span<const float> weights(output.V_out.f32_row(target), h.size());
  const double bias = static_cast<double>(output.bias[static_cast<std::size_t>(target)]);
  logits.back() = static_cast<float>(dot(weights, h) + bias - output.samples.log_expected_count(target));
  const std::int64_t place = output.samples.place(target);
  if (place >= 0) logits[static_cast<std::size_t>(place)] = kNegligible;
}

}  // namespace

SymbolSampler::SymbolSampler(std::int64_t V, std::int64_t N)
    : count_(static_cast<std::size_t>(N)),
      log_range_(std::log1p(static_cast<double>(V))),
      places_(static_cast<std::size_t>(V), -1) {
  assert(N >= 1 && 2 * N <= V);
}

void SymbolSampler::draw(NoiseKey key) {
  for (const std::int32_t id : ids_) places_[static_cast<std::size_t>(id)] = -1;
  ids_.clear();
  const auto last = static_cast<std::int64_t>(places_.size()) - 1;
  for (draws_ = 0; ids_.size() < count_; ++draws_) {
    const auto words =
        random_words(key.seed, key.step, RandomPurpose::kNegativeSamples, 0, 0, static_cast<std::uint32_t>(draws_ / 2));
    const std::size_t at = draws_ % 2 == 0 ? 0 : 2;
    const double u = uniform_double(words[at], words[at + 1]);
    const auto id = static_cast<std::int64_t>(std::exp(u * log_range_)) - 1;
    std::int32_t& place = places_[static_cast<std::size_t>(std::clamp<std::int64_t>(id, 0, last))];
    if (place >= 0) continue;
    place = static_cast<std::int32_t>(ids_.size());
    ids_.push_back(static_cast<std::int32_t>(&place - places_.data()));
  }
}

double SymbolSampler::probability(std::int32_t id) const noexcept {
  return std::log1p(1 / (static_cast<double>(id) + 1)) / log_range_;
}

double SymbolSampler::log_expected_count(std::int32_t id) const noexcept {
  return std::log(-std::expm1(static_cast<double>(draws_) * std::log1p(-probability(id))));
}

SampledWeights::SampledWeights(std::int64_t H, std::int64_t N, Precision precision)
    : V_out(H, N, precision), V_out_back(N, H, precision), bias(static_cast<std::size_t>(N)) {}

void SampledWeights::pack(Workers& workers, const SymbolSampler& samples, const WeightView& all,
                          std::span<const float> all_bias, MatView<float> rows) {
  const std::span<const std::int32_t> ids = samples.ids();
  workers.run_ranges(rows.rows, kCopiedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const auto at = static_cast<std::size_t>(r);
      std::copy_n(all.f32_row(ids[at]), rows.cols, rows.row(r));
      bias[at] = static_cast<float>(static_cast<double>(all_bias[static_cast<std::size_t>(ids[at])]) -
                                    samples.log_expected_count(ids[at]));
    }
  });
  pack_all(workers, std::vector<PackingTask>{{rows, &V_out, &V_out_back}});
}

std::int64_t sampled_block_rows(std::int64_t R, std::int64_t N) noexcept {
  return softmax_block_rows({.rows = R, .H = 0, .V = N + 1});
}

void sampled_softmax_loss_and_gradient(Workers& workers, const SampledOutput& output, MatView<const float> h,
                                       std::span<const std::int32_t> targets, float scale,
                                       const SampledScratch& scratch, std::span<double> log_probs,
                                       EmbeddingGradient& dV_out, std::span<float> dbias, MatView<float> dh) {
  const std::span<const std::int32_t> ids = output.samples.ids();
  const std::int64_t N = std::ssize(ids);
  const std::int64_t most = sampled_block_rows(h.rows, N);
  const MatView<float> dsamples = scratch.dV_rows.row_range(0, N);
  std::ranges::fill(dsamples.flat(), 0.0F);
  std::vector<float> dsample_bias(ids.size());
  std::vector<float> dtarget(targets.size());

  const auto one_row = [&](std::int64_t r, std::span<float> logits) {
    const auto at = static_cast<std::size_t>(r);
    log_probs[at] = 0;
    if (targets[at] < 0) {
      std::ranges::fill(logits, 0.0F);
      return;
    }
    place_target(output, row_of(h, r), targets[at], logits);
    log_probs[at] = log_softmax_and_gradient_at(logits, static_cast<std::int32_t>(N), scale);
    dtarget[at] = logits.back();
  };
  for (std::int64_t block = 0; block < h.rows; block += most) {
    const MatView<float> logits = scratch.logits.row_range(0, std::min(most, h.rows - block));
    workers.run_balanced(logits.rows, kLogitRows, kProductRows, [&](std::int64_t first, std::int64_t last) {
      const MatView<float> range = logits.row_range(first, last - first).col_range(0, N);
      output.sampled.V_out.multiply(h.row_range(block + first, last - first), output.sampled.bias, range);
      for (std::int64_t r = first; r < last; ++r) {
        one_row(block + r, {logits.row(r), static_cast<std::size_t>(logits.cols)});
      }
      output.sampled.V_out_back.multiply(range, {}, dh.row_range(block + first, last - first));
    });
    add_weight_gradients(workers, output.sampled.V_out.precision(), logits.col_range(0, N),
                         {{h.row_range(block, logits.rows), dsamples}}, dsample_bias);
  }

  // Rows of the gradient: those of the samples, then one for each row with a target.
  std::vector<std::int32_t> gradient_ids(ids.begin(), ids.end());
  std::vector<std::int64_t> rows;
  for (std::size_t s = 0; s < ids.size(); ++s) dbias[static_cast<std::size_t>(ids[s])] += dsample_bias[s];
  for (std::size_t r = 0; r < targets.size(); ++r) {
    if (targets[r] < 0) continue;
    rows.push_back(static_cast<std::int64_t>(r));
    gradient_ids.push_back(targets[r]);
    dbias[static_cast<std::size_t>(targets[r])] += dtarget[r];
  }
  const auto H = static_cast<std::size_t>(h.cols);
  workers.run_ranges(std::ssize(rows), kCopiedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t r = rows[static_cast<std::size_t>(i)];
      const float d = dtarget[static_cast<std::size_t>(r)];
      const std::int32_t target = targets[static_cast<std::size_t>(r)];
      const std::span<float> dV(scratch.dV_rows.row(N + i), H);
      std::ranges::fill(dV, 0.0F);
      add_scaled(d, row_of(h, r), dV);
      add_scaled(d, {output.V_out.f32_row(target), H}, {dh.row(r), H});
    }
  });
  embedding_backward(workers, dV_out, gradient_ids, scratch.dV_rows.row_range(0, std::ssize(gradient_ids)));
}

}  // namespace unroll
