// What an UnrolledText holds.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/workers.h"
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
    return t == 0 || (!window.reset.empty() && window.reset[static_cast<std::size_t>(t)] != 0);
  }

  Model model;
  StatePolicy policy;
  std::int64_t unread = 0;
  Window window;  // one row, which has all steps
  Workers workers;
  Parameters parameters;  // the model's, as floats
  NetworkWeights weights;
  Network network;
  std::vector<double> log_probs;

  // A model in bf16 or int8 as it is run, for what it predicts; null for one in f32, which `network` is to the bit.
  struct AsRun {
    AsRun(const Model& model, const Window& window, Workers& workers);
    NetworkWeights weights;
    Network network;
  };
  std::unique_ptr<AsRun> as_run;
};

}  // namespace unroll
