// The loss of a full softmax, estimated in training from a few sampled symbols, so that the cost of a step depends on
// their number and not on the size of the vocabulary.
//
// A step's rows share N different symbols S, drawn at random. For a row with target y, over S and y:
//
//   l'_v = V_out_v h + b_v - ln E_v    E_v: expected count of v among the N; y, if in S, is not counted twice
//   loss = -ln softmax(l')_y
//
// Source: Jean, Cho, Memisevic & Bengio 2015, "On using very large target vocabulary for neural machine translation",
//         section 3; the correction by ln E for the target too as in Bengio & Senecal 2008 and TensorFlow's
//         sampled_softmax_loss.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"
#include "nn/dropout.h"
#include "nn/embedding.h"

namespace unroll {

// Draws the symbols of a step, frequent ones more often: ids are in order of falling frequency, and id k has
// p_k = ln((k+2)/(k+1)) / ln(V+1), Zipf's law. Draws until N are different, after D draws; then
// E_k = 1 - (1 - p_k)^D.
class SymbolSampler {
 public:
  // Requires 1 <= N <= V / 2: beyond that, the last symbols would take many draws.
  SymbolSampler(std::int64_t V, std::int64_t N);

  // Sets ids(), which depend on the key alone.
  void draw(NoiseKey key);

  // (N), different, in the order in which they came; empty before the first draw().
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_; }
  // Place of a symbol in ids(); -1: not among them.
  [[nodiscard]] std::int64_t place(std::int32_t id) const noexcept { return places_[static_cast<std::size_t>(id)]; }
  // ln E of any symbol.
  [[nodiscard]] double log_expected_count(std::int32_t id) const noexcept;

 private:
  [[nodiscard]] double probability(std::int32_t id) const noexcept;

  std::size_t count_;  // N
  double log_range_;   // ln(V + 1)
  std::int64_t draws_ = 0;
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> places_;  // (V)
};

// The output layer's rows of the sampled symbols, packed for products.
struct SampledWeights {
  PackedMatrix V_out;       // (H, N)
  PackedMatrix V_out_back;  // (N, H)
  std::vector<float> bias;  // (N) b_v - ln E_v

  SampledWeights(std::int64_t H, std::int64_t N, Precision precision);

  // Packs the rows of `samples` from V_out (V, H) f32 and bias (V); `rows` (N, H) is scratch.
  void pack(Workers& workers, const SymbolSampler& samples, const WeightView& V_out, std::span<const float> bias,
            MatView<float> rows);
};

struct SampledScratch {
  MatView<float> logits;   // (sampled_block_rows, N + 1): of the samples, then of the target
  MatView<float> rows;     // (N, H)
  MatView<float> dV_rows;  // (N + R, H): gradients of the samples' rows, then of each target's row
};

// The most rows of logits that exist at once.
[[nodiscard]] std::int64_t sampled_block_rows(std::int64_t R, std::int64_t N) noexcept;

// The output layer of a step: its samples, and their rows packed.
struct SampledOutput {
  const SymbolSampler& samples;
  const SampledWeights& sampled;
  WeightView V_out;             // (V, H) f32
  std::span<const float> bias;  // (V)
};

// The loss and the gradient of  scale * sum over r of -log_probs[r], where log_probs[r] = ln softmax(l')_y, 0 where the
// target is negative (ignored).
//
// Shapes   h (R, H) contiguous, targets (R), log_probs (R).
// Sets     dh (R, H) contiguous; zero where the target is ignored.
// Adds     to the rows of samples and targets in dV_out, and to their elements of dbias (V).
// Requires room in dV_out for N + R different ids.
// Numerics products with samples in the precision of their weights, with a target's row in f32; sums over symbols in
//          double.
// Threads  uses `workers`; the bits do not depend on their number.
// Source   docs/math/sampled_softmax.md.
void sampled_softmax_loss_and_gradient(Workers& workers, const SampledOutput& output, MatView<const float> h,
                                       std::span<const std::int32_t> targets, float scale,
                                       const SampledScratch& scratch, std::span<double> log_probs,
                                       EmbeddingGradient& dV_out, std::span<float> dbias, MatView<float> dh);

}  // namespace unroll
