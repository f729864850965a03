// Vectors of words from their characters: one level of both directions over the characters of each distinct word.
#pragma once

#include <optional>

#include "base/workers.h"
#include "network/gradients.h"
#include "network/levels.h"
#include "network/network_weights.h"
#include "text/window.h"

namespace unroll {

// For a word of characters z_1 .. z_m, of one network for all words:
//
//   [h_m, k_1], the last output of each direction over the embeddings of z_1 .. z_m
//
// Source   Lample et al. 2016, section 4.1; Ling et al. 2015.
class WordCharacters {
 public:
  // Views `planned` memory for windows of words of `shape_of_words`. Requires a config with characters.
  WordCharacters(const ActivationShape& shape_of_words, CharacterActivations& planned, Workers& workers);

  // Sets x (T*B, 2 character_hidden) to the vectors of the words of a window's steps, 0 where there is no word.
  void forward(const NetworkWeights& weights, const CharacterWindow& window, MatView<float> x);

  // Its backward, given dx. Adds to the character network's part of `gradients`.
  void backward(const NetworkWeights& weights, const CharacterWindow& window, MatView<const float> dx,
                Gradients& gradients);

 private:
  [[nodiscard]] PoolingShape pooled(const CharacterWindow& window) const;

  ActivationShape shape_;
  CharacterActivations& planned_;
  Workers& workers_;
  Levels levels_;
  std::optional<NetworkState> state_;  // of as many rows as the last window; never read
  MatView<float> outputs_;
};

}  // namespace unroll
