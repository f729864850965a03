// Finds language models in files in which a layer has one matrix for inputs and state, whose columns are gates: of
// torch-rnn, and of TensorFlow's cells (checkpoints, folders of ml5). And the network of U, V and W in arrays of NumPy.
#pragma once

#include <optional>

#include "checkpoints/foreign_file.h"
#include "exchange/found_network.h"

namespace unroll {

// The network of a file of Torch 7. Gates there are in the order i f o g. Throws Error{kFormat} with the reason where
// there is no nn.LanguageModel of a lookup table, layers and a linear layer: other modules between, batch
// normalisation, other cells.
[[nodiscard]] FoundNetwork find_torch7_network(const ForeignFile& file);

// The network of TensorFlow's tensors: `embedding`, `.../cell_K/.../kernel` (or `weights`) and `bias` (`biases`),
// `softmax_w`, `softmax_b`. Gates are in the order i j f o, and the forget gate's bias is 1 more than what is stored,
// which BasicLSTMCell adds when it runs. Tensors of optimizers are left out. Throws Error{kFormat} with the reason.
[[nodiscard]] FoundNetwork find_tensorflow_network(const ForeignFile& file);

// s_t = tanh(U[:, x_t] + W s_{t-1}), o_t = softmax(V s_t): arrays U (H, N), V (N, H) and W (H, H), as in D. Britz's
// tutorial of 2015. Its words are "0", "1", ... Nothing for other arrays.
[[nodiscard]] std::optional<FoundNetwork> find_uvw_network(const ForeignFile& file);

}  // namespace unroll
