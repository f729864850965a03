// A text that is predicted in order, by a model that is adapted to it on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "adapt/dynamic_weights.h"
#include "adapt/neural_cache.h"
#include "base/workers.h"
#include "infer/evaluate_ids.h"
#include "infer/ngram_mixture.h"
#include "infer/prediction.h"
#include "network/network.h"
#include "text/batcher.h"
#include "unroll/adapt/adaptation.h"
#include "unroll/model.h"

namespace unroll {

// Goes through one text from its beginning on. What it tells depends neither on how the text is cut into calls nor on
// the number of workers. With StatePolicy::kReset the hidden state starts from zero on each line; what the adaptation
// has gathered goes on from line to line.
//
// Numerics where the adaptation changes nothing (temperature 1, a cache of weight 0, a rate of 0), the bits are
//          those of Network::predictions().
// Threads  not for two at once.
class AdaptiveStream {
 public:
  // With a mixture, which is viewed, what is told is that of the adapted network and the n-gram model together. Throws
  // what check(adaptation) and DynamicWeights throw.
  AdaptiveStream(const Model& model, const Adaptation& adaptation, StatePolicy state, Workers& workers,
                 const NgramMixture* mixture = nullptr);

  // Predicts `next`, each of them from all before it, and appends what is to tell about each to `out`.
  void predict(std::span<const std::int32_t> next, Detail detail, std::vector<SymbolPrediction>& out);

  // Predicts `next`, and tells ln p of each. `progress(done, total)`, if not empty, is called after each window.
  [[nodiscard]] std::vector<double> log_probs(std::span<const std::int32_t> next, const EvaluationProgress& progress);

  // From now on calls `observer` with the states of each window, what enters the output layer: (T, H).
  void observe(std::function<void(MatView<const float> h)> observer) { observer_ = std::move(observer); }

 private:
  // Makes window_ the one that reads `input` and then all but the last of `next`.
  void set_window(std::int32_t input, std::span<const std::int32_t> next);
  [[nodiscard]] const NetworkWeights& weights() const noexcept { return dynamic_ ? dynamic_->packed() : *plain_; }
  // How many ids the next window may take.
  [[nodiscard]] std::size_t room() const noexcept;
  // Takes the window into the segment that dynamic evaluation learns from, and learns when that is full.
  void learn();
  // Whether the cache changes any prediction of the window.
  [[nodiscard]] bool cache_takes_part() const;
  // What the network and the cache, and with an n-gram model all three, tell about step t of the window.
  [[nodiscard]] SymbolPrediction prediction(std::int64_t t, std::span<float> logits, Detail detail) const;

  Adaptation adaptation_;
  StatePolicy policy_;
  std::int32_t boundary_;
  std::int32_t input_;  // what the network reads next
  Workers& workers_;
  std::optional<NetworkWeights> plain_;
  std::optional<DynamicWeights> dynamic_;  // instead of plain_
  Network network_;
  NetworkState state_;
  Window window_;
  std::vector<std::int32_t> segment_;  // predicted since the last update
  std::int32_t segment_input_ = 0;     // what was read before them
  NetworkState segment_state_;         // before that was read
  std::optional<NeuralCache> cache_;
  std::optional<NgramRows> ngram_;
  std::function<void(MatView<const float> h)> observer_;
};

}  // namespace unroll
