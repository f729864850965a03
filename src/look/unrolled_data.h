// What an UnrolledText holds.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/workers.h"
#include "look/label_steps.h"
#include "network/gradients.h"
#include "network/network.h"
#include "network/network_weights.h"
#include "network/parameters.h"
#include "text/window.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

struct UnrolledText::Data {
  Data(Model the_model, const NamedText& text, const UnrolledTextOptions& options);

  [[nodiscard]] const NetworkConfig& config() const noexcept { return model.config(); }
  [[nodiscard]] const RecurrentTape& tape(std::int64_t l) const { return network.tapes()[static_cast<std::size_t>(l)]; }
  [[nodiscard]] bool begins(std::int64_t t) const {
    return t == 0 || (!window.reset.empty() && window.reset[static_cast<std::size_t>(row(t))] != 0);
  }
  [[nodiscard]] bool is_backward(std::int64_t l) const noexcept { return config().bidirectional && l % 2 == 1; }
  [[nodiscard]] std::int64_t steps() const noexcept { return labels.rows.empty() ? window.T : std::ssize(labels.rows); }

  // The row of the window that step t is; of a layer's tape, which is in the order that the layer reads.
  [[nodiscard]] std::int64_t row(std::int64_t t) const {
    return labels.rows.empty() ? t : labels.rows[static_cast<std::size_t>(t)];
  }
  [[nodiscard]] std::int64_t row(std::int64_t l, std::int64_t t) const {
    return is_backward(l) ? window.T - 1 - row(t) : row(t);
  }

  Model model;
  StatePolicy policy;
  std::int64_t unread = 0;
  LabelSteps labels;
  Window window;  // one row, which has all steps
  Workers workers;
  Parameters parameters;  // the model's, as floats
  NetworkWeights weights;
  Network network;
  std::vector<double> log_probs;
  std::vector<float> outputs;  // (T, D) of a model that labels texts: what is read out

  // A model in bf16 or int8 as it is run, for what it predicts; null for one in f32, which `network` is to the bit.
  struct AsRun {
    AsRun(const Model& model, const Window& window, Workers& workers);
    NetworkWeights weights;
    Network network;
  };
  std::unique_ptr<AsRun> as_run;
};

// Throws Error{kUsage} unless steps predict symbols.
void expect_predictions(const UnrolledText::Data& text);

}  // namespace unroll
