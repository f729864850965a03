// The output layer for a large vocabulary in order of falling frequency: a head for the frequent symbols, a narrow
// cluster for each range of rarer ones. Exact and normalised; a cluster costs time only for the targets that it holds.
//
//   C_0 < C_1 < ... < C_{K-1} < V are the cutoffs, C_K = V; cluster i holds the symbols from C_i to below C_{i+1}.
//   Head    a = softmax(A h + b) over the first C_0 symbols, then one entry per cluster
//   Tail i  o = softmax(Q P h) over the symbols of cluster i, P (D_i, H), Q (C_{i+1} - C_i, D_i), D_i = H / 4^(i+1)
//   p(v)    a_v for v < C_0, else a_{C_0 + i} o_{v - C_i}
//
// Source: Grave, Joulin, Cisse, Grangier & Jegou 2017, "Efficient softmax approximation for GPUs", section 4;
//         the layout and the widths of PyTorch's AdaptiveLogSoftmaxWithLoss with div_value 4 and head_bias.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"
#include "kernels/softmax.h"
#include "nn/softmax_loss.h"

namespace unroll {

// One tail cluster.
struct TailCluster {
  std::int64_t first = 0;  // its most frequent symbol, C_i
  std::int64_t size = 0;   // symbols
  std::int64_t width = 0;  // D_i
};

// The sizes of an adaptive softmax. `cutoffs` is viewed, not copied.
struct AdaptiveShape {
  std::int64_t H = 0;
  std::int64_t V = 0;
  std::span<const std::int64_t> cutoffs;  // at least one; increasing, from 1 to below V

  [[nodiscard]] std::int64_t clusters() const noexcept { return static_cast<std::int64_t>(cutoffs.size()); }
  [[nodiscard]] std::int64_t head_symbols() const noexcept { return cutoffs.front(); }
  [[nodiscard]] std::int64_t head_size() const noexcept { return head_symbols() + clusters(); }
  [[nodiscard]] TailCluster cluster(std::int64_t i) const noexcept;
};

// The two matrices of a tail cluster. T is float or const float, or a reference scalar.
template <class T>
struct TailParams {
  MatView<T> P;  // (D, H)
  MatView<T> Q;  // (size, D)
};

// The same, read-only, in the precision in which they are stored.
struct TailView {
  WeightView P;
  WeightView Q;
};

// A tail cluster packed for products.
struct TailWeights {
  PackedMatrix P;          // (H, D)
  PackedMatrix P_back;     // (D, H); empty for inference
  SoftmaxWeights symbols;  // Q: (D, size), without a bias

  TailWeights(std::int64_t H, const TailCluster& cluster, Precision precision, bool with_backward);
  // The matrices of `params` to be packed into this.
  [[nodiscard]] std::vector<PackingTask> packing_tasks(const TailView& params);
  [[nodiscard]] std::int64_t bytes() const noexcept;
};

struct AdaptiveWeights {
  const SoftmaxWeights& head;  // (H, head_size), with its bias
  std::span<const TailWeights> tails;
};

// Scratch memory of the functions below.
struct AdaptiveScratch {
  std::span<float> logits;  // adaptive_logits_size
  MatView<float> h;         // (R, H) rows whose target is in one cluster
  MatView<float> z;         // (R, D_0): P h of these rows, or of one block of rows
  MatView<float> dz;        // (R, D_0) training
};

// Floats of logits that exist at once for R rows: those of the largest block of the head or a cluster, and of one row
// over the whole vocabulary or, with `whole_rows`, of a block of such rows. Never more for fewer rows.
[[nodiscard]] std::int64_t adaptive_logits_size(const AdaptiveShape& shape, std::int64_t R, bool whole_rows) noexcept;

// log_probs[r] = ln p(targets[r]), 0 where the target is negative (ignored).
//
// Shapes   h (R, H) contiguous, targets (R), log_probs (R).
// Cost     the head for all rows, a cluster for the rows whose target it holds.
// Numerics as softmax_loss; a row's bits do not depend on other rows.
// Threads  uses `workers`.
void adaptive_softmax_loss(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                           MatView<const float> h, std::span<const std::int32_t> targets,
                           const AdaptiveScratch& scratch, std::span<double> log_probs);

struct AdaptiveGradients {
  MatView<float> dhead;                       // (head_size, H)
  std::span<float> dbias;                     // (head_size)
  std::span<const TailParams<float>> dtails;  // one per cluster
};

// The same with the gradient of  scale * sum over r of -log_probs[r].
//
// Sets     dh (R, H) contiguous; zero where the target is ignored.
// Adds     to `gradients`.
// Source   docs/math/adaptive_softmax.md.
void adaptive_softmax_loss_and_gradient(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                                        MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                                        const AdaptiveScratch& scratch, std::span<double> log_probs,
                                        const AdaptiveGradients& gradients, MatView<float> dh);

// adaptive_softmax_loss with rank and entropy of each prediction; these are of the distribution over all V symbols,
// which costs all clusters for all rows.
void adaptive_softmax_predictions(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                                  MatView<const float> h, std::span<const std::int32_t> targets,
                                  const AdaptiveScratch& scratch, std::span<SymbolPrediction> predictions);

// Passes ln p of all V symbols, in floats, to `read` for every row of h; from several workers at once, in any order.
void adaptive_log_probs(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                        MatView<const float> h, const AdaptiveScratch& scratch, const LogitsReader& read);

}  // namespace unroll
