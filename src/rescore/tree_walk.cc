#include "rescore/tree_walk.h"

#include <algorithm>
#include <cstddef>
#include <queue>

#include "infer/state_rows.h"
#include "kernels/softmax.h"
#include "text/window.h"

namespace unroll {
namespace {

// States of single rows, each kept for as long as a row waits to read it.
class StatePool {
 public:
  explicit StatePool(const NetworkConfig& config) : size_(static_cast<std::size_t>(row_size(config))) {}

  // A slot that `users` rows will read.
  std::int32_t take(std::int32_t users) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::int32_t>(users_.size()));
      users_.push_back(0);
      numbers_.resize(numbers_.size() + size_);
    }
    const std::int32_t slot = free_.back();
    free_.pop_back();
    users_[static_cast<std::size_t>(slot)] = users;
    return slot;
  }

  void release(std::int32_t slot) {
    if (--users_[static_cast<std::size_t>(slot)] == 0) free_.push_back(slot);
  }

  // The row in a slot; valid until the next take().
  [[nodiscard]] std::span<float> operator[](std::int32_t slot) {
    return std::span(numbers_).subspan(static_cast<std::size_t>(slot) * size_, size_);
  }

 private:
  std::size_t size_;
  std::vector<float> numbers_;
  std::vector<std::int32_t> users_;
  std::vector<std::int32_t> free_;
};

class TreeWalk {
 public:
  TreeWalk(Inference& inference, const PrefixTree& tree, std::span<double> log_probs)
      : inference_(inference),
        tree_(tree),
        log_probs_(log_probs),
        one_child_(!inference.config().cutoffs.empty()),
        pool_(inference.config()),
        state_(inference.config(), kTreeRows),
        slots_(static_cast<std::size_t>(tree.size()), PrefixTree::kNone) {}

  std::int64_t run(const State& start) {
    if (tree_[0].height == 0) return 0;
    NetworkState first(inference_.config(), 1);
    write_state(start, first);
    const std::int32_t slot = pool_.take(rows_of(0));
    read_row(first, 0, pool_[slot]);
    add(0, slot);
    while (take_rows()) step();
    return rows_run_;
  }

 private:
  // A node that is read, to predict one child or all of them.
  struct Row {
    std::int32_t node = 0;
    std::int32_t child = PrefixTree::kNone;  // none: all
    std::int32_t slot = 0;                   // the state before it
    std::int32_t height = 0;

    friend bool operator<(const Row& a, const Row& b) noexcept { return a.height < b.height; }
  };

  template <class Visit>
  void for_each_child(std::int32_t node, const Visit& visit) const {
    for (std::int32_t child = tree_[node].first_child; child >= 0; child = tree_[child].next_sibling) visit(child);
  }

  // An adaptive softmax computes a cluster for the rows whose target it holds, so there a row has one target.
  [[nodiscard]] std::int32_t rows_of(std::int32_t node) const {
    if (!one_child_) return tree_[node].height > 0 ? 1 : 0;
    std::int32_t count = 0;
    for_each_child(node, [&](std::int32_t) { ++count; });
    return count;
  }

  void add(std::int32_t node, std::int32_t slot) {
    if (one_child_) {
      for_each_child(node, [&](std::int32_t child) { waiting_.push({node, child, slot, tree_[node].height}); });
    } else {
      waiting_.push({node, PrefixTree::kNone, slot, tree_[node].height});
    }
  }

  bool take_rows() {
    rows_.clear();
    while (!waiting_.empty() && std::ssize(rows_) < kTreeRows) {
      rows_.push_back(waiting_.top());
      waiting_.pop();
    }
    return !rows_.empty();
  }

  void step() {
    fill_window();
    inference_.forward(window_, state_);
    if (one_child_) {
      const std::span<const double> found = inference_.network.log_probs(inference_.weights, window_);
      for (std::size_t b = 0; b < rows_.size(); ++b) log_probs_[static_cast<std::size_t>(rows_[b].child)] = found[b];
    } else {
      inference_.network.read_logits(inference_.weights, [this](std::int64_t b, std::span<float> logits) {
        predict_children(rows_[static_cast<std::size_t>(b)].node, logits);
      });
    }
    for (std::size_t b = 0; b < rows_.size(); ++b) leave_state(rows_[b], static_cast<std::int64_t>(b));
    rows_run_ += std::ssize(rows_);
  }

  void fill_window() {
    const std::int64_t B = std::ssize(rows_);
    if (state_.B != B) state_ = NetworkState(inference_.config(), B);
    make_window(1, B, window_, [this](std::int64_t b, std::int64_t) {
      const Row& row = rows_[static_cast<std::size_t>(b)];
      write_row(pool_[row.slot], state_, b);
      const std::int32_t child = row.child < 0 ? tree_[row.node].first_child : row.child;
      return WindowStep{.input = tree_[row.node].id, .target = tree_[child].id};
    });
  }

  void predict_children(std::int32_t node, std::span<const float> logits) const {
    std::vector<std::int32_t> targets;
    for_each_child(node, [&](std::int32_t child) { targets.push_back(tree_[child].id); });
    std::vector<double> found(targets.size());
    log_softmax_at(logits, targets, found);
    std::size_t i = 0;
    for_each_child(node, [&](std::int32_t child) { log_probs_[static_cast<std::size_t>(child)] = found[i++]; });
  }

  // Keeps the state after a row where a child will read it. The rows of one node all leave the same.
  void leave_state(const Row& row, std::int64_t b) {
    pool_.release(row.slot);
    std::int32_t& slot = slots_[static_cast<std::size_t>(row.node)];
    if (slot >= 0) return;
    std::int32_t readers = 0;
    for_each_child(row.node, [&](std::int32_t child) { readers += rows_of(child); });
    if (readers == 0) return;
    slot = pool_.take(readers);
    read_row(state_, b, pool_[slot]);
    for_each_child(row.node, [&](std::int32_t child) {
      if (tree_[child].height > 0) add(child, slot);
    });
  }

  Inference& inference_;
  const PrefixTree& tree_;
  std::span<double> log_probs_;
  bool one_child_;
  StatePool pool_;
  NetworkState state_;
  std::priority_queue<Row> waiting_;
  std::vector<std::int32_t> slots_;  // of the state after a node; none: not run yet, or nobody reads it
  std::vector<Row> rows_;
  Window window_;
  std::int64_t rows_run_ = 0;
};

}  // namespace

std::int64_t walk(Inference& inference, const PrefixTree& tree, const State& start, std::span<double> log_probs) {
  return TreeWalk(inference, tree, log_probs).run(start);
}

}  // namespace unroll
