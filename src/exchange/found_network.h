// A language model as a file of another program holds it, in our order of gates, before it has a vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoints/value.h"
#include "exchange/found_vocabulary.h"
#include "network/parameters.h"
#include "unroll/cell.h"
#include "unroll/import.h"
#include "unroll/network.h"

namespace unroll {

// Numbers of one tensor, and where they come from, for people.
struct FoundTensor {
  MatrixValue matrix = {};  // a vector is one row
  std::string source = {};  // empty: the file has none, and what is missing is zero
};

// One recurrent layer of any width. Gates as in unroll/cell.h: i f g o, r z n.
struct FoundLayer {
  FoundTensor weight_ih = {};  // (G*H, inputs)
  FoundTensor weight_hh = {};  // (G*H, H)
  FoundTensor bias_ih = {};    // (G*H), or nothing
  FoundTensor bias_hh = {};    // (G*H), or nothing

  [[nodiscard]] std::int64_t inputs() const noexcept { return weight_ih.matrix.cols; }
  [[nodiscard]] std::int64_t width() const noexcept { return weight_hh.matrix.cols; }
};

struct FoundNetwork {
  Cell cell = Cell::kLstm;
  FoundTensor encoder = {};             // (V, E); nothing: inputs are one-hot, and E is V
  std::vector<FoundLayer> layers = {};  // from the input on
  FoundTensor decoder = {};             // (V, width of the last layer); nothing: tied to the encoder
  FoundTensor decoder_bias = {};        // (V), or nothing
  // Of formats in which the vocabulary has its place; without symbols where it is to be looked for.
  FoundVocabulary vocabulary = {};
  std::vector<std::string> notes = {};

  // V: rows of the output layer.
  [[nodiscard]] std::int64_t symbols() const noexcept {
    return decoder.matrix.rows > 0 ? decoder.matrix.rows : encoder.matrix.rows;
  }
};

// Throws Error{kFormat} beginning with `where` unless the shapes fit each other and a network of ours.
void check_found(const FoundNetwork& network, const std::string& where);

// The configuration of the network with the same outputs: layers as wide as the widest, with units that stay zero; the
// identity in place of one-hot inputs; a projection where the weights are tied and the last layer is narrower. Requires
// a network that passes check_found().
[[nodiscard]] NetworkConfig config_of(const FoundNetwork& network);

// Its parameters, and where each comes from.
struct BuiltNetwork {
  NetworkConfig config;
  Parameters parameters;
  std::vector<ImportedTensor> tensors;
};
[[nodiscard]] BuiltNetwork build_network(const FoundNetwork& network);

}  // namespace unroll
