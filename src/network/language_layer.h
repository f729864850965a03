// The output layer that predicts the symbols of whole texts, in both directions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/workers.h"
#include "network/activations.h"
#include "network/gradients.h"
#include "network/network_weights.h"
#include "text/window.h"

namespace unroll {

// The language model of a network that predicts_texts(): what its output layer is computed as. Of a task, the embedding
// is its weights.
[[nodiscard]] NetworkConfig language_config(const NetworkConfig& config);

// The parameters of that output layer, as those of a language model.
[[nodiscard]] ParametersView language_view(const ParametersView& parameters);

// Sets `targets` to what each step of a window reads next: (T*B) entries t*B+b of the forward direction, with both
// directions followed by as many of the backward one, which reads a piece from its end. kIgnored at the last step of a
// direction in a piece and at steps of no text. Returns how many count.
std::int64_t set_language_targets(const Window& window, bool bidirectional, std::vector<std::int32_t>& targets);

// That number alone.
[[nodiscard]] std::int64_t language_predictions(const Window& window, bool bidirectional) noexcept;

// With outputs (T*B, D) of the last level, whose first H columns are those of the forward direction:
//
//   p(next symbol of the direction) = softmax(V_out (P h) + bias)      V_out: the embedding of a task
//
// One thread at a time.
class LanguageLayer {
 public:
  // Views `planned` memory.
  LanguageLayer(const ActivationShape& shape, LanguageActivations& planned, Workers& workers);

  // Sets the input of the output layer, and the targets.
  void forward(const NetworkWeights& weights, const Window& window, MatView<float> outputs);

  // The log-probability in nats of each target of the last forward; 0 where it is ignored.
  void set_log_probs(const NetworkWeights& weights, std::vector<double>& log_probs);

  // The same, with the gradient of -scale times their mean over targets that count. Adds to the parts of `gradients`,
  // and to dy (T*B, D), the gradient of the outputs. With samples, the loss is that of a sampled softmax.
  void loss_and_gradient(const NetworkWeights& weights, const Window& window, double scale, NoiseKey noise,
                         std::vector<double>& log_probs, Gradients& gradients, MatView<float> dy);

  // What a mean over the targets of the last forward is divided by; at least 1.
  [[nodiscard]] double divisor() const noexcept;

 private:
  const ActivationShape& shape_;
  NetworkConfig config_;  // of the language model
  LanguageActivations& planned_;
  Workers& workers_;
  std::optional<SampledStep> sampled_;  // made in the first backward with samples
  // Of the last forward.
  MatView<float> h_;       // (R, H)
  MatView<float> inputs_;  // h, or its projection (R, E)
  std::vector<std::int32_t> targets_;
  std::int64_t predictions_ = 0;
};

}  // namespace unroll
