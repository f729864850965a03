// Regularization of a network during training.
#pragma once

namespace unroll {

// What training does to a network so that it learns less by heart. Nothing of it is left when it scores or writes.
// Probabilities are those of being dropped, from 0 to below 1; what is kept is divided by 1 - p.
struct Regularization {
  double words = 0;      // of a symbol: all its numbers at the input, wherever it occurs in a window (Gal & Ghahramani)
  double input = 0;      // of numbers of the embedded symbols
  double between = 0;    // of outputs of all layers but the last
  double output = 0;     // of outputs of the last layer
  double recurrent = 0;  // weight-drop: of hidden-to-hidden weights, one mask for a window (Merity et al. 2018)
  bool locked = false;   // input, between, output: one mask for all steps of a row's window (Gal & Ghahramani 2016)
  double ar = 0;         // activation penalty: adds ar times the mean square of the last layer's output after dropout
  double tar = 0;        // temporal one: tar times the mean square of the change of its h from step to step

  friend bool operator==(const Regularization&, const Regularization&) = default;
};

// Throws Error{kUsage} naming the first number that is out of range.
void check(const Regularization& regularization);

}  // namespace unroll
