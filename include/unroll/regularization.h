// Regularization of a network during training.
#pragma once

namespace unroll {

// Regularization against overfitting, applied in training only; scoring and writing are not affected. Probabilities are
// those of being dropped, from 0 to below 1; kept values are divided by 1 - p.
struct Regularization {
  double words = 0;      // of a symbol: its whole embedding, wherever it occurs in a window (Gal & Ghahramani)
  double input = 0;      // of components of the embedded symbols
  double between = 0;    // of outputs of all layers except the last
  double output = 0;     // of outputs of the last layer; with a vector per text, of that
  double recurrent = 0;  // weight-drop: of recurrent weights W, one mask per window (Merity et al. 2018)
  bool locked = false;   // input, between, output: one mask for all steps of a row in a window (Gal & Ghahramani 2016)
  double ar = 0;         // activation penalty: adds ar times the mean square of the last layer's output after dropout
  double tar = 0;        // temporal penalty: adds tar times the mean square of the change of its h between steps

  // Of networks with labels.
  double label_smoothing = 0;  // of the loss softmax: this share of each target is spread over all labels
  double language = 0;         // of a network with language: its loss gets so many times that of the language model

  friend bool operator==(const Regularization&, const Regularization&) = default;
};

// Throws Error{kUsage} naming the first value that is out of range.
void check(const Regularization& regularization);

}  // namespace unroll
