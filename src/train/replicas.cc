#include "train/replicas.h"

#include <algorithm>
#include <span>

#include "base/stopwatch.h"
#include "dist/collect.h"

namespace unroll {
namespace {

// Copies rows of each layer's states.
void copy_states(const NetworkConfig& config, const NetworkState& from, std::int64_t from_row, NetworkState& to,
                 std::int64_t to_row, std::int64_t rows) {
  for (std::int64_t layer = 0; layer < config.layers * directions(config); ++layer) {
    const RecurrentState<float> source = from.layer(layer);
    const RecurrentState<float> target = to.layer(layer);
    std::ranges::copy(source.h.row_range(from_row, rows).flat(), target.h.row(to_row));
    if (source.c.data == nullptr) continue;
    std::ranges::copy(source.c.row_range(from_row, rows).flat(), target.c.row(to_row));
  }
}

}  // namespace

GradientShape gradient_shape(const RunPlan& plan) {
  return {plan.config, plan.window.T * plan.window.B, plan.samples, plan.replicas,
          levels_stay(plan.config, plan.regularization)};
}

Replicas::Replicas(const RunPlan& plan, const TrainingText& text, Workers& workers, Ranks& ranks)
    : plan_(plan),
      ranks_(ranks),
      mine_(replicas_of_rank(plan.replicas, ranks.size(), ranks.rank())),
      windows_(plan, text),
      network_(plan.config, Purpose::kTraining, plan.window.T, plan.window.B, workers, plan.regularization,
               plan.samples),
      sum_(gradient_shape(plan), workers, ranks),
      taken_(static_cast<std::size_t>(mine_.size())),
      parts_(static_cast<std::size_t>(plan.replicas)) {
  for (std::int64_t replica = mine_.first; replica < mine_.last; ++replica) {
    states_.emplace_back(plan.config, rows_of_replica(plan.batch_size, plan.replicas, replica).size());
  }
}

// Sets the windows of this rank, and what they weigh.
void Replicas::take_windows(std::int64_t epoch, std::int64_t index) {
  for (std::int64_t replica = mine_.first; replica < mine_.last; ++replica) {
    Window& window = taken_[static_cast<std::size_t>(replica - mine_.first)];
    windows_.take(epoch, index, replica, window);
    if (state(replica).B != window.B) state(replica) = NetworkState(plan_.config, window.B);
    Part& part = parts_[static_cast<std::size_t>(replica)];
    part = {.weight = loss_weight(plan_.config, window), .nats = 0, .predictions = window.predictions};
  }
}

void Replicas::gather_parts() {
  const Stopwatch watch;
  gather(ranks_, std::span(parts_), [&](int rank) { return replicas_of_rank(plan_.replicas, ranks_.size(), rank); });
  exchange_seconds_ += watch.seconds();
}

StepLoss Replicas::run(std::int64_t epoch, std::int64_t index, const NetworkWeights& weights, NoiseKey noise) {
  exchange_seconds_ = 0;
  take_windows(epoch, index);
  gather_parts();
  double weight = 0;
  for (const Part& part : parts_) weight += part.weight;
  for (std::int64_t replica = mine_.first; replica < mine_.last; ++replica) {
    Window& window = taken_[static_cast<std::size_t>(replica - mine_.first)];
    Part& part = parts_[static_cast<std::size_t>(replica)];
    if (plan_.replicas > 1) window.part.share = weight > 0 ? part.weight / weight : 0;
    Gradients& gradients = sum_.next();
    if (window.B > 0) {
      network_.forward(weights, window, state(replica), noise);
      part.nats =
          network_.backward(weights, window, gradients, noise, nullptr, [&](std::int64_t level) { sum_.ready(level); });
    }
    sum_.add();
  }
  const Stopwatch watch;
  total_ = &sum_.finish();
  exchange_seconds_ += watch.seconds();
  gather_parts();
  StepLoss loss;
  for (const Part& part : parts_) {
    loss.predictions += part.predictions;
    if (part.weight > 0) loss.nats += plan_.replicas > 1 ? part.weight / weight * part.nats : part.nats;
  }
  return loss;
}

void Replicas::set_zero_states() {
  for (NetworkState& state : states_) state.set_zero();
}

NetworkState Replicas::states() {
  const std::int64_t R = plan_.replicas;
  const std::int64_t B = plan_.batch_size;
  NetworkState all(plan_.config, B);
  // Of each rank the states of its replicas, one after the other.
  std::vector<std::int64_t> ends;
  for (std::int64_t replica = 0; replica < R; ++replica) {
    const NetworkState shape(plan_.config, rows_of_replica(B, R, replica).size());
    ends.push_back((ends.empty() ? 0 : ends.back()) + shape.h.size() + shape.c.size());
  }
  const auto begin_of = [&](std::int64_t replica) {
    return replica == 0 ? 0 : ends[static_cast<std::size_t>(replica - 1)];
  };
  std::vector<float> flat(static_cast<std::size_t>(ends.back()));
  for (std::int64_t replica = mine_.first; replica < mine_.last; ++replica) {
    const auto h_end = std::ranges::copy(state(replica).h.span(), flat.begin() + begin_of(replica)).out;
    std::ranges::copy(state(replica).c.span(), h_end);
  }
  gather(ranks_, std::span(flat), [&](int rank) {
    const ShareRange replicas = replicas_of_rank(R, ranks_.size(), rank);
    return ShareRange{begin_of(replicas.first), begin_of(replicas.last)};
  });
  for (std::int64_t replica = 0; replica < R; ++replica) {
    const ShareRange rows = rows_of_replica(B, R, replica);
    NetworkState part(plan_.config, rows.size());
    const auto first = flat.begin() + begin_of(replica);
    std::copy_n(first, part.h.size(), part.h.data());
    std::copy_n(first + part.h.size(), part.c.size(), part.c.data());
    copy_states(plan_.config, part, 0, all, rows.first, rows.size());
  }
  return all;
}

void Replicas::set_states(const NetworkState& all) {
  for (std::int64_t replica = mine_.first; replica < mine_.last; ++replica) {
    const ShareRange rows = rows_of_replica(plan_.batch_size, plan_.replicas, replica);
    copy_states(plan_.config, all, rows.first, state(replica), 0, rows.size());
  }
}

}  // namespace unroll
