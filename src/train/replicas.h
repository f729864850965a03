// A step's forward and backward pass by replicas: each runs its rows of the window, and their gradients are added.
#pragma once

#include <cstdint>
#include <vector>

#include "base/workers.h"
#include "dist/gradient_sum.h"
#include "dist/shares.h"
#include "network/network.h"
#include "text/window.h"
#include "train/run_plan.h"
#include "train/training_text.h"
#include "train/training_windows.h"
#include "unroll/ranks.h"

namespace unroll {

// What a step found, over all replicas of all ranks.
struct StepLoss {
  double nats = 0;  // mean over its predictions
  std::int64_t predictions = 0;
};

// What decides how large the gradients of a run are.
[[nodiscard]] GradientShape gradient_shape(const RunPlan& plan);

// The replicas of this rank. With one replica, the gradient is that of the whole window, to the bit; with R it is the
// sum over replicas of (weight of a replica's predictions / weight of all) times the gradient of its own mean loss,
// rounded otherwise. Units and symbols that dropout drops are those of the whole window for any R.
class Replicas {
 public:
  // All must outlive it. Throws Error{kMemory}.
  Replicas(const RunPlan& plan, const TrainingText& text, Workers& workers, Ranks& ranks);

  // Forward and backward over window `index` of `epoch`, from the states after the window before. Every rank has to
  // call it. Throws Error{kPeer}.
  StepLoss run(std::int64_t epoch, std::int64_t index, const NetworkWeights& weights, NoiseKey noise);

  // The gradient of the last run(); see GradientSum for what a rank has of it.
  [[nodiscard]] Gradients& gradients() noexcept { return *total_; }
  [[nodiscard]] GradientSum& sum() noexcept { return sum_; }

  // What the learning rate of that window's step is multiplied by.
  [[nodiscard]] double rate_share(std::int64_t epoch, std::int64_t index) const {
    return windows_.rate_share(epoch, index);
  }

  void set_zero_states();
  // The states of all rows of a window, with those of other ranks. Every rank has to call it.
  [[nodiscard]] NetworkState states();
  void set_states(const NetworkState& all);

  // Seconds spent in sending and receiving by the last run().
  [[nodiscard]] double exchange_seconds() const noexcept { return exchange_seconds_; }

 private:
  // What a replica has of a step.
  struct Part {
    double weight = 0;  // of its predictions in the loss
    double nats = 0;    // their mean
    std::int64_t predictions = 0;
  };

  void take_windows(std::int64_t epoch, std::int64_t index);
  void gather_parts();
  [[nodiscard]] NetworkState& state(std::int64_t replica) noexcept {
    return states_[static_cast<std::size_t>(replica - mine_.first)];
  }

  const RunPlan& plan_;
  Ranks& ranks_;
  ShareRange mine_;
  TrainingWindows windows_;
  Network network_;
  GradientSum sum_;
  Gradients* total_ = nullptr;
  std::vector<NetworkState> states_;  // of this rank's replicas
  std::vector<Window> taken_;         // likewise
  std::vector<Part> parts_;           // of all replicas
  double exchange_seconds_ = 0;
};

}  // namespace unroll
