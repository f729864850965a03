// Predicts a text in order, adapting the model to it on the way.
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
#include "infer/window_predictions.h"
#include "network/network.h"
#include "text/reading.h"
#include "text/window.h"
#include "unroll/adapt/adaptation.h"
#include "unroll/model.h"

namespace unroll {

// Goes through one text from its beginning. The predictions depend neither on how the text is cut into calls nor on the
// number of workers. With StatePolicy::kReset the hidden state starts from zero on each line; what the adaptation has
// gathered is kept from line to line. An id that the reading does not predict has a prediction of 0 nats, is not in the
// cache, and is not learned from.
//
// Numerics where the adaptation changes nothing (temperature 1, a cache of weight 0, a rate of 0), the bits are
//          those of Network::predictions().
// Threads  not for two at once.
class AdaptiveStream {
 public:
  // With `mixture`, which is viewed, the predictions are those of the adapted network mixed with the n-grams. Throws
  // what check(adaptation) and DynamicWeights throw.
  AdaptiveStream(const Model& model, const Adaptation& adaptation, const Reading& reading, Workers& workers,
                 const NgramMixture* mixture = nullptr);

  // Predicts `next`, each id from all before it, and appends the predictions to `out`.
  void predict(std::span<const std::int32_t> next, Detail detail, std::vector<SymbolPrediction>& out);

  // Predicts `next`; returns ln p of each.
  [[nodiscard]] std::vector<double> log_probs(std::span<const std::int32_t> next, const EvaluationProgress& progress);

  // Calls `observer` after each further window with the states of its predicted steps, the input of the output layer:
  // (predictions, H).
  void observe(std::function<void(MatView<const float> h)> observer) { observer_ = std::move(observer); }

 private:
  [[nodiscard]] const NetworkWeights& weights() const noexcept { return dynamic_ ? dynamic_->packed() : *plain_; }
  // How many ids the next window may take.
  [[nodiscard]] std::size_t room() const noexcept;
  // Adds the window to the segment that dynamic evaluation learns from, and learns when that is full.
  void learn();
  // Sets `predicted_` and gives its steps to cache and observer.
  void gather_predicted();
  // Whether the cache changes any prediction of the window.
  [[nodiscard]] bool cache_takes_part() const;
  // The prediction of step t of the window, number `seen` of those that predict, by the network and the cache, mixed
  // with n-grams where there are some.
  [[nodiscard]] SymbolPrediction prediction(std::int64_t t, std::int64_t seen, std::span<float> logits,
                                            Detail detail) const;

  Adaptation adaptation_;
  SequenceSteps steps_;
  Workers& workers_;
  std::optional<NetworkWeights> plain_;
  std::optional<DynamicWeights> dynamic_;  // instead of plain_
  Network network_;
  NetworkState state_;
  Window window_;
  std::vector<std::int64_t> predicted_;  // the number of each step among those that predict; -1: it does not
  std::vector<std::int32_t> segment_;    // ids since the last update
  SequenceSteps segment_steps_;          // before them
  NetworkState segment_state_;           // before them
  std::optional<NeuralCache> cache_;
  std::optional<NgramRows> ngram_;
  std::function<void(MatView<const float> h)> observer_;
};

}  // namespace unroll
