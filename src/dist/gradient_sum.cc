#include "dist/gradient_sum.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "dist/collect.h"
#include "kernels/arrays.h"
#include "nn/embedding.h"

namespace unroll {
namespace {

std::span<float> floats_of(std::span<float> all, const ShareRange& range) {
  return all.subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.size()));
}

void add_parallel(Workers& workers, std::span<const float> x, std::span<float> y) {
  constexpr std::int64_t kGrain = 1 << 14;
  workers.run_ranges(std::ssize(y), kGrain, [&](std::int64_t first, std::int64_t last) {
    const auto at = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(last - first);
    add(x.subspan(at, count), y.subspan(at, count));
  });
}

// With more than one replica, sums have the rows of several.
std::int64_t rows_of_sums(const GradientShape& shape) { return shape.replica_rows * shape.replicas; }

std::unique_ptr<Gradients> made(const GradientShape& shape) {
  return std::make_unique<Gradients>(shape.config, rows_of_sums(shape), shape.samples);
}

}  // namespace

GradientSum::GradientSum(const GradientShape& shape, Workers& workers, Ranks& ranks)
    : workers_(workers),
      ranks_(ranks),
      replicas_(shape.replicas),
      mine_(replicas_of_rank(shape.replicas, ranks.size(), ranks.rank())),
      levels_(shape.config.layers),
      last_level_(shape.levels_stay ? 0 : shape.config.layers),
      owners_(ranks, *free_.emplace_back(made(shape))) {
  while (std::ssize(free_) < most_at_once(mine_)) free_.push_back(made(shape));
  std::size_t nodes_in_all = 0;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    nodes_in_all += nodes(rank).size();
    if (rank == ranks.rank()) continue;
    for (const SumNode& node : nodes(rank)) {
      arrivals_.push_back({.rank = rank, .node = node, .dense = FloatBuffer(owners_.mine().size()), .rows = {}});
      arrivals_.back().rows.resize(free_.front()->rows().size());
    }
  }
  row_counts_.resize(nodes_in_all * free_.front()->rows().size());
  spare_rows_.resize(free_.front()->rows().size());
}

std::int64_t GradientSum::bytes(const GradientShape& shape, int P, int rank) {
  const ShareRange replicas = replicas_of_rank(shape.replicas, P, rank);
  return most_at_once(replicas) * Gradients::bytes(shape.config, rows_of_sums(shape), shape.samples);
}

std::vector<SumNode> GradientSum::nodes(int rank) const {
  return nodes_of(replicas_of_rank(replicas_, ranks_.size(), rank));
}

Gradients& GradientSum::next() {
  assert(open_ == nullptr);
  // After a finished sum all are free again.
  auto& entries = tree_.entries();
  if (!entries.empty() && entries.back().node.first + entries.back().node.count == mine_.last) {
    for (auto& entry : entries) free_.push_back(std::move(entry.value));
    entries.clear();
  }
  open_ = std::move(free_.back());
  free_.pop_back();
  open_->set_zero(workers_);
  started_ = std::ssize(open_->dense());
  next_level_ = levels_;
  return *open_;
}

std::int64_t GradientSum::open_replica() const noexcept {
  const auto& entries = tree_.entries();
  return entries.empty() ? mine_.first : entries.back().node.first + entries.back().node.count;
}

// While the last replica is open: what the tree will hold of this rank.
std::vector<Gradients*> GradientSum::final_nodes() const {
  std::vector<Gradients*> all;
  for (const auto& entry : tree_.entries()) all.push_back(entry.value.get());
  if (open_ == nullptr) return all;
  const std::size_t sums = tree_.sums_with({open_replica(), 1});
  if (sums == 0) {
    all.push_back(open_.get());
  } else {
    all.resize(all.size() + 1 - sums);
  }
  return all;
}

void GradientSum::ready(std::int64_t level) {
  if (ranks_.size() == 1 || open_replica() + 1 < mine_.last) return;
  for (; next_level_ >= level; --next_level_) {
    const std::int64_t first = open_->first_of_level(next_level_);
    if (first >= started_) continue;
    merge_dense(first, started_);
    start_dense(first, started_);
    started_ = first;
  }
  ranks_.progress();
}

// Adds that part as add() would.
void GradientSum::merge_dense(std::int64_t first, std::int64_t last) {
  const auto& entries = tree_.entries();
  const Gradients* right = open_.get();
  for (std::size_t sum = 0; sum < tree_.sums_with({open_replica(), 1}); ++sum) {
    Gradients& left = *entries[entries.size() - 1 - sum].value;
    left.add_dense(workers_, *right, first, last);
    right = &left;
  }
}

void GradientSum::add() {
  ready(last_level_);  // a replica without rows has told of none
  const std::int64_t replica = open_replica();
  tree_.push({replica, 1}, std::move(open_), [&](std::unique_ptr<Gradients>& left, std::unique_ptr<Gradients>& right) {
    left->add_dense(workers_, *right, 0, started_);
    left->add_rows(workers_, *right);
    free_.push_back(std::move(right));
  });
}

Gradients& GradientSum::finish() {
  assert(open_ == nullptr && !tree_.entries().empty());
  Gradients& total = *tree_.entries().front().value;
  if (ranks_.size() == 1) return total;
  start_dense(0, started_);
  start_counts();
  ranks_.wait();
  start_rows();
  sum_dense();
  ranks_.wait();
  sum_rows();
  return total;
}

// Of dense() the part [first, last), of which each owner gets its own.
void GradientSum::start_dense(std::int64_t first, std::int64_t last) {
  const auto part_of = [&](int rank) {
    const ShareRange owned = owners_.part(rank);
    const std::int64_t begin = std::max(owned.first, first);
    return ShareRange{begin, std::max(begin, std::min(owned.last, last))};
  };
  for (int rank = 0; rank < ranks_.size(); ++rank) {
    if (rank == ranks_.rank() || part_of(rank).size() == 0) continue;
    for (const Gradients* node : final_nodes())
      ranks_.send(rank, std::as_bytes(floats_of(node->dense(), part_of(rank))));
  }
  const ShareRange mine = part_of(ranks_.rank());
  if (mine.size() == 0) return;
  const std::int64_t shift = owners_.mine().first;
  for (Arrival& arrival : arrivals_) {
    ranks_.receive(arrival.rank,
                   std::as_writable_bytes(floats_of(arrival.dense.span(), {mine.first - shift, mine.last - shift})));
  }
}

// How many rows there are of each node.
void GradientSum::start_counts() {
  const std::size_t matrices = tree_.entries().front().value->rows().size();
  std::vector<ShareRange> parts;
  for (int rank = 0; rank < ranks_.size(); ++rank) {
    const std::int64_t first = parts.empty() ? 0 : parts.back().last;
    parts.push_back({first, first + static_cast<std::int64_t>(nodes(rank).size() * matrices)});
  }
  auto count = row_counts_.begin() + parts[static_cast<std::size_t>(ranks_.rank())].first;
  for (const auto& entry : tree_.entries()) {
    for (const EmbeddingGradient* rows : entry.value->rows()) *count++ = std::ssize(rows->ids());
  }
  start_gather(ranks_, std::span(row_counts_), [&](int rank) { return parts[static_cast<std::size_t>(rank)]; });
}

void GradientSum::start_rows() {
  for (int rank = 0; rank < ranks_.size(); ++rank) {
    if (rank == ranks_.rank()) continue;
    for (const auto& entry : tree_.entries()) {
      for (const EmbeddingGradient* rows : entry.value->rows()) {
        if (rows->ids().empty()) continue;
        ranks_.send(rank, std::as_bytes(rows->ids()));
        ranks_.send(rank, std::as_bytes(std::span<const float>(rows->rows().flat())));
      }
    }
  }
  auto arrival = arrivals_.begin();
  auto count = row_counts_.begin();
  for (int rank = 0; rank < ranks_.size(); ++rank) {
    const std::vector<EmbeddingGradient*> matrices = tree_.entries().front().value->rows();
    for (std::size_t node = 0; node < nodes(rank).size(); ++node) {
      if (rank == ranks_.rank()) {
        count += std::ssize(matrices);
        continue;
      }
      for (std::size_t m = 0; m < matrices.size(); ++m, ++count) {
        Arrival::Rows& rows = arrival->rows[m];
        rows.ids.resize(static_cast<std::size_t>(*count));
        rows.values.resize(static_cast<std::size_t>(*count * matrices[m]->rows().cols));
        if (*count == 0) continue;
        ranks_.receive(rank, std::as_writable_bytes(std::span(rows.ids)));
        ranks_.receive(rank, std::as_writable_bytes(std::span(rows.values)));
      }
      ++arrival;
    }
  }
}

// Of what this rank owns.
void GradientSum::sum_dense() {
  const ShareRange owned = owners_.mine();
  SumTree<std::span<float>> whole;
  const auto push = [&](const SumNode& node, std::span<float> values) {
    whole.push(node, values,
               [&](std::span<float> left, std::span<float> right) { add_parallel(workers_, right, left); });
  };
  auto arrival = arrivals_.begin();
  for (; arrival != arrivals_.end() && arrival->rank < ranks_.rank(); ++arrival) {
    push(arrival->node, arrival->dense.span());
  }
  for (auto& entry : tree_.entries()) push(entry.node, floats_of(entry.value->dense(), owned));
  for (; arrival != arrivals_.end(); ++arrival) push(arrival->node, arrival->dense.span());
  assert(whole.entries().size() == 1);
  const std::span<float> total = floats_of(tree_.entries().front().value->dense(), owned);
  const std::span<float> sum = whole.entries().front().value;
  if (sum.data() != total.data()) std::ranges::copy(sum, total.begin());
}

void GradientSum::sum_rows() {
  const std::size_t matrices = tree_.entries().front().value->rows().size();
  for (std::size_t matrix = 0; matrix < matrices; ++matrix) sum_rows(matrix);
}

// Every node is copied, so that no sum is made in this rank's own, of which `total` is one.
void GradientSum::sum_rows(std::size_t matrix) {
  EmbeddingGradient& total = *tree_.entries().front().value->rows()[matrix];
  auto& spare = spare_rows_[matrix];
  SumTree<Rows> whole;
  const auto push = [&](const SumNode& node, std::span<const std::int32_t> ids, MatView<const float> rows) {
    if (spare.empty()) {
      spare.push_back(std::make_unique<EmbeddingGradient>(total.ids_in_all(), rows.cols, total.most_rows()));
    }
    Rows copy = std::move(spare.back());
    spare.pop_back();
    copy->set_zero();
    embedding_backward(workers_, *copy, ids, rows);
    whole.push(node, std::move(copy), [&](Rows& left, Rows& right) {
      embedding_backward(workers_, *left, right->ids(), right->rows());
      spare.push_back(std::move(right));
    });
  };
  const auto push_arrival = [&](const Arrival& arrival) {
    const Arrival::Rows& rows = arrival.rows[matrix];
    push(arrival.node, rows.ids, {rows.values.data(), std::ssize(rows.ids), total.rows().cols});
  };
  auto arrival = arrivals_.begin();
  for (; arrival != arrivals_.end() && arrival->rank < ranks_.rank(); ++arrival) push_arrival(*arrival);
  for (const auto& entry : tree_.entries()) {
    const EmbeddingGradient& rows = *entry.value->rows()[matrix];
    push(entry.node, rows.ids(), rows.rows());
  }
  for (; arrival != arrivals_.end(); ++arrival) push_arrival(*arrival);
  assert(whole.entries().size() == 1);
  std::swap(total, *whole.entries().front().value);
  spare.push_back(std::move(whole.entries().front().value));
}

void GradientSum::gather_dense() {
  gather(ranks_, tree_.entries().front().value->dense(), [&](int rank) { return owners_.part(rank); });
}

}  // namespace unroll
