#include "nn/adaptive_softmax.h"

#include <algorithm>
#include <cassert>

#include "kernels/arrays.h"
#include "nn/recurrent_steps.h"

namespace unroll {
namespace {

// The rows and targets of one cluster.
struct ClusterRows {
  std::vector<std::int64_t> rows;     // of h, in order
  std::vector<std::int32_t> targets;  // within the cluster
};

// The targets of the head and of the clusters.
struct Places {
  std::vector<std::int32_t> head;
  std::vector<ClusterRows> tails;

  Places(const AdaptiveShape& shape, std::span<const std::int32_t> targets)
      : head(targets.begin(), targets.end()), tails(shape.cutoffs.size()) {
    for (std::size_t r = 0; r < head.size(); ++r) {
      const std::int32_t target = head[r];
      if (target < shape.head_symbols()) continue;
      const auto above = std::ranges::upper_bound(shape.cutoffs, static_cast<std::int64_t>(target));
      const std::int64_t i = above - shape.cutoffs.begin() - 1;
      ClusterRows& tail = tails[static_cast<std::size_t>(i)];
      tail.rows.push_back(static_cast<std::int64_t>(r));
      tail.targets.push_back(target - static_cast<std::int32_t>(shape.cluster(i).first));
      head[r] = static_cast<std::int32_t>(shape.head_symbols() + i);
    }
  }
};

template <class T>
MatView<T> fit(MatView<T> room, std::int64_t rows, std::int64_t cols) {
  assert(rows * cols <= room.size());
  return {room.data, rows, cols};
}

MatView<float> logits_of(const AdaptiveScratch& scratch, const SoftmaxShape& shape) {
  const std::int64_t rows = softmax_block_rows(shape);
  assert(rows * shape.V <= static_cast<std::int64_t>(scratch.logits.size()));
  return {scratch.logits.data(), rows, shape.V};
}

void gather(Workers& workers, MatView<const float> from, std::span<const std::int64_t> rows, MatView<float> to) {
  workers.run_ranges(to.rows, kCopiedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      std::copy_n(from.row(rows[static_cast<std::size_t>(r)]), from.cols, to.row(r));
    }
  });
}

void add_to_rows(Workers& workers, MatView<const float> from, std::span<const std::int64_t> rows, MatView<float> to) {
  const auto cols = static_cast<std::size_t>(from.cols);
  workers.run_ranges(from.rows, kCopiedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      add({from.row(r), cols}, {to.row(rows[static_cast<std::size_t>(r)]), cols});
    }
  });
}

// Calls tail(i, its rows, their h, their z = P h) for each cluster with targets.
template <class Tail>
void for_each_tail(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights, const Places& places,
                   MatView<const float> h, const AdaptiveScratch& scratch, const Tail& tail) {
  for (std::size_t i = 0; i < places.tails.size(); ++i) {
    const ClusterRows& part = places.tails[i];
    const auto count = static_cast<std::int64_t>(part.rows.size());
    if (count == 0) continue;
    const MatView<float> tail_h = fit(scratch.h, count, shape.H);
    const MatView<float> z = fit(scratch.z, count, shape.cluster(static_cast<std::int64_t>(i)).width);
    gather(workers, h, part.rows, tail_h);
    multiply_rows(workers, tail_h, weights.tails[i].P, {}, z);
    tail(i, part, tail_h, z);
  }
}

void add_to(std::span<const double> tail, const ClusterRows& part, std::span<double> log_probs) {
  for (std::size_t j = 0; j < part.rows.size(); ++j) log_probs[static_cast<std::size_t>(part.rows[j])] += tail[j];
}

SoftmaxShape head_shape(const AdaptiveShape& shape, std::int64_t rows) {
  return {.rows = rows, .H = shape.H, .V = shape.head_size()};
}
SoftmaxShape tail_shape(const TailCluster& cluster, std::int64_t rows) {
  return {.rows = rows, .H = cluster.width, .V = cluster.size};
}

// The logits of a block of rows: of the clusters in the columns of their symbols, and of the head.
struct WholeBlock {
  MatView<float> symbols;  // (block, V)
  MatView<float> head;     // (block, head_size)

  WholeBlock(const AdaptiveShape& shape, std::int64_t rows, const AdaptiveScratch& scratch)
      : symbols(scratch.logits.data(), rows, shape.V),
        head(scratch.logits.data() + rows * shape.V, rows, shape.head_size()) {}
};

std::span<float> row_part(MatView<float> x, std::int64_t r, std::int64_t first, std::int64_t size) {
  return {x.row(r) + first, static_cast<std::size_t>(size)};
}

// Runs on a worker.
void whole_logits(const AdaptiveShape& shape, const AdaptiveWeights& weights, MatView<const float> h,
                  std::int64_t first_row, MatView<float> z_room, const WholeBlock& block) {
  weights.head.V_out.multiply(h, weights.head.bias, block.head.row_range(first_row, h.rows));
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const TailCluster cluster = shape.cluster(i);
    const TailWeights& tail = weights.tails[static_cast<std::size_t>(i)];
    const MatView<float> z = fit(z_room, h.rows, cluster.width);
    tail.P.multiply(h, {}, z);
    tail.symbols.V_out.multiply(z, {},
                                block.symbols.row_range(first_row, h.rows).col_range(cluster.first, cluster.size));
  }
}

// ln p(target) from the logits of a row, by the same sums as adaptive_softmax_loss.
double log_prob_at(const AdaptiveShape& shape, const WholeBlock& block, std::int64_t r, std::int32_t target) {
  const std::span<const float> head = row_part(block.head, r, 0, shape.head_size());
  const Places places(shape, std::span(&target, 1));
  double log_prob = log_softmax_at(head, places.head.front());
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const ClusterRows& part = places.tails[static_cast<std::size_t>(i)];
    if (part.rows.empty()) continue;
    const TailCluster cluster = shape.cluster(i);
    log_prob += log_softmax_at(row_part(block.symbols, r, cluster.first, cluster.size), part.targets.front());
  }
  return log_prob;
}

// Replaces the logits by ln p of all symbols.
void logits_to_log_probs(const AdaptiveShape& shape, const WholeBlock& block, std::int64_t r) {
  const std::span<const float> head = row_part(block.head, r, 0, shape.head_size());
  const double normalizer = log_sum_exp(head);
  subtract(head.first(static_cast<std::size_t>(shape.head_symbols())), normalizer,
           row_part(block.symbols, r, 0, shape.head_symbols()));
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const TailCluster cluster = shape.cluster(i);
    const std::span<float> tail = row_part(block.symbols, r, cluster.first, cluster.size);
    const auto entry = static_cast<std::size_t>(shape.head_symbols() + i);
    subtract(tail, log_sum_exp(tail) + normalizer - static_cast<double>(head[entry]), tail);
  }
}

// Calls each_row(r of h, the block, r of the block) with the logits of each row, from several workers at once.
template <class EachRow>
void for_each_whole_row(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                        MatView<const float> h, const AdaptiveScratch& scratch, const EachRow& each_row) {
  const std::int64_t room = static_cast<std::int64_t>(scratch.logits.size()) / (shape.V + shape.head_size());
  const std::int64_t most = std::min(room, h.rows);
  const WholeBlock block(shape, most, scratch);
  const MatView<float> z_room = fit(scratch.z, h.rows, shape.cluster(0).width);
  for (std::int64_t at = 0; at < h.rows; at += most) {
    workers.run_balanced(std::min(most, h.rows - at), kLogitRows, kProductRows,
                         [&](std::int64_t first, std::int64_t last) {
                           const std::int64_t count = last - first;
                           whole_logits(shape, weights, h.row_range(at + first, count), first,
                                        z_room.row_range(at + first, count), block);
                           for (std::int64_t r = first; r < last; ++r) each_row(at + r, block, r);
                         });
  }
}

}  // namespace

TailCluster AdaptiveShape::cluster(std::int64_t i) const noexcept {
  const auto at = static_cast<std::size_t>(i);
  const std::int64_t end = at + 1 < cutoffs.size() ? cutoffs[at + 1] : V;
  return {.first = cutoffs[at], .size = end - cutoffs[at], .width = H >> (2 * (i + 1))};
}

TailWeights::TailWeights(std::int64_t H, const TailCluster& cluster, Precision precision, bool with_backward)
    : P(H, cluster.width, precision) {
  symbols.V_out = PackedMatrix(cluster.width, cluster.size, precision);
  if (!with_backward) return;
  P_back = PackedMatrix(cluster.width, H, precision);
  symbols.V_out_back = PackedMatrix(cluster.size, cluster.width, precision);
}

std::vector<PackingTask> TailWeights::packing_tasks(const TailView& params) {
  const bool with_backward = P_back.bytes() > 0;
  return {{params.P, &P, with_backward ? &P_back : nullptr},
          {params.Q, &symbols.V_out, with_backward ? &symbols.V_out_back : nullptr}};
}

std::int64_t TailWeights::bytes() const noexcept {
  return P.bytes() + P_back.bytes() + symbols.V_out.bytes() + symbols.V_out_back.bytes();
}

std::int64_t adaptive_logits_size(const AdaptiveShape& shape, std::int64_t R, bool whole_rows) noexcept {
  const std::int64_t rows = whole_rows ? softmax_block_rows({.rows = R, .H = shape.H, .V = shape.V}) : 1;
  const auto floats = [](const SoftmaxShape& part) { return softmax_block_rows(part) * part.V; };
  std::int64_t most = std::max(rows * (shape.V + shape.head_size()), floats(head_shape(shape, R)));
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    most = std::max(most, floats(tail_shape(shape.cluster(i), R)));
  }
  return most;
}

void adaptive_softmax_loss(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                           MatView<const float> h, std::span<const std::int32_t> targets,
                           const AdaptiveScratch& scratch, std::span<double> log_probs) {
  const Places places(shape, targets);
  const SoftmaxShape head = head_shape(shape, h.rows);
  softmax_loss(workers, head, weights.head, h, places.head, logits_of(scratch, head), log_probs);
  const auto tail = [&](std::size_t i, const ClusterRows& part, MatView<const float> /*h*/, MatView<const float> z) {
    const SoftmaxShape symbols = tail_shape(shape.cluster(static_cast<std::int64_t>(i)), z.rows);
    std::vector<double> within(part.rows.size());
    softmax_loss(workers, symbols, weights.tails[i].symbols, z, part.targets, logits_of(scratch, symbols), within);
    add_to(within, part, log_probs);
  };
  for_each_tail(workers, shape, weights, places, h, scratch, tail);
}

void adaptive_softmax_loss_and_gradient(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                                        MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                                        const AdaptiveScratch& scratch, std::span<double> log_probs,
                                        const AdaptiveGradients& gradients, MatView<float> dh) {
  const Places places(shape, targets);
  const SoftmaxShape head = head_shape(shape, h.rows);
  softmax_loss_and_gradient(workers, head, weights.head, h, places.head, scale, logits_of(scratch, head), log_probs,
                            gradients.dhead, gradients.dbias, dh);
  const auto tail = [&](std::size_t i, const ClusterRows& part, MatView<float> tail_h, MatView<const float> z) {
    const SoftmaxShape symbols = tail_shape(shape.cluster(static_cast<std::int64_t>(i)), z.rows);
    const MatView<float> dz = fit(scratch.dz, z.rows, z.cols);
    std::vector<double> within(part.rows.size());
    softmax_loss_and_gradient(workers, symbols, weights.tails[i].symbols, z, part.targets, scale,
                              logits_of(scratch, symbols), within, gradients.dtails[i].Q, {}, dz);
    add_to(within, part, log_probs);
    add_weight_gradients(workers, weights.tails[i].P.precision(), dz, {{tail_h, gradients.dtails[i].P}});
    const MatView<float> tail_dh = tail_h;  // h of these rows is no longer needed
    multiply_rows(workers, dz, weights.tails[i].P_back, {}, tail_dh);
    add_to_rows(workers, tail_dh, part.rows, dh);
  };
  for_each_tail(workers, shape, weights, places, h, scratch, tail);
}

void adaptive_softmax_predictions(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                                  MatView<const float> h, std::span<const std::int32_t> targets,
                                  const AdaptiveScratch& scratch, std::span<SymbolPrediction> predictions) {
  const auto each_row = [&](std::int64_t r, const WholeBlock& block, std::int64_t at) {
    const std::int32_t target = targets[static_cast<std::size_t>(r)];
    SymbolPrediction& prediction = predictions[static_cast<std::size_t>(r)];
    prediction = {};
    if (target < 0) return;
    const double log_prob = log_prob_at(shape, block, at, target);
    logits_to_log_probs(shape, block, at);
    prediction = predict_symbol(row_part(block.symbols, at, 0, shape.V), target);
    prediction.log_prob = log_prob;
  };
  for_each_whole_row(workers, shape, weights, h, scratch, each_row);
}

void adaptive_log_probs(Workers& workers, const AdaptiveShape& shape, const AdaptiveWeights& weights,
                        MatView<const float> h, const AdaptiveScratch& scratch, const LogitsReader& read) {
  const auto each_row = [&](std::int64_t r, const WholeBlock& block, std::int64_t at) {
    logits_to_log_probs(shape, block, at);
    read(r, row_part(block.symbols, at, 0, shape.V));
  };
  for_each_whole_row(workers, shape, weights, h, scratch, each_row);
}

}  // namespace unroll
