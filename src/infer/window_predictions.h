// The predictions of a window that a network has run over: by the network alone, or mixed with n-grams.
#pragma once

#include <span>

#include "infer/ngram_mixture.h"
#include "infer/prediction.h"
#include "network/network.h"
#include "text/window.h"

namespace unroll {

// How a window is predicted.
struct PredictionForm {
  double temperature = 1;  // divides the logits; above 0
  Detail detail = Detail::kLogProb;
  NgramRows* ngram = nullptr;  // reads the window; the predictions are then those of the mixture with it
};

// Sets out (T*B) to the predictions of the targets of `window`, over which `network` has just run with `weights`; zeros
// where a target is ignored.
void predict_window(Network& network, const NetworkWeights& weights, const Window& window, const PredictionForm& form,
                    std::span<SymbolPrediction> out);

}  // namespace unroll
