// What a network is made of: the cell and the sizes. Everything else about a network follows from these.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The recurrent cell. x is the input of a step, h the state that it carries; f is the name's function.
//
//   kRnnTanh, kRnnRelu   h' = f(U x + b + W h + b')   (Elman 1990)
//   kLstm                i,f,o = sigmoid(.)  g = tanh(.)  c' = f c + i g  h' = o tanh(c')
//                        (Hochreiter & Schmidhuber 1997; Gers et al. 2000)
//   kGru                 r,z = sigmoid(.)  n = tanh(U x + b + r (W h + b'))  h' = (1-z) n + z h   (PyTorch's nn.GRU)
//   kGruResetBefore      the same with n = tanh(U x + b + W (r h) + b')   (Cho et al. 2014)
//   kMinGru              z = sigmoid(U x + b)  n = g(the same)  h' = (1-z) h + z n
//   kMinLstm             f,i = sigmoid(U x + b)  n = g(the same)  h' = f/(f+i) h + i/(f+i) n
//                        g(a) = a + 1/2 for a >= 0, else sigmoid(a)   (Feng et al. 2024, in the form for log space)
enum class Cell { kRnnTanh, kRnnRelu, kLstm, kGru, kGruResetBefore, kMinGru, kMinLstm };

// "rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm".
[[nodiscard]] std::string_view cell_name(Cell cell) noexcept;

// The cell of that name. Throws Error{kUsage} naming the known cells.
[[nodiscard]] Cell parse_cell(std::string_view name);

// How many blocks of H rows U, W and b have: 1, 4 (order i,f,g,o), 3 (order r,z,n; min-lstm f,i,n) or 2 (order z,n).
[[nodiscard]] int gate_count(Cell cell) noexcept;

// Whether the state is multiplied by a matrix: whether the cell has W and b'.
[[nodiscard]] bool has_recurrent_weights(Cell cell) noexcept;

// The numbers that the products of a network multiply. Sums are f32 everywhere but in int8, where they are exact
// 32-bit integers; what is no weight matrix (biases, states, loss) is f32 always.
//
//   kF32   weights and inputs as they are
//   kBf16  both rounded to bfloat16, to nearest even
//   kInt8  each row of a weight matrix as 8-bit integers times a scale; each row of inputs likewise, when it is used
enum class Precision { kF32, kBf16, kInt8 };

// "f32", "bf16", "int8".
[[nodiscard]] std::string_view precision_name(Precision precision) noexcept;

// The precision of that name. Throws Error{kUsage} naming the known ones.
[[nodiscard]] Precision parse_precision(std::string_view name);

// What happens to the hidden state at the end of a line of text.
enum class StatePolicy {
  kCarry,  // it goes on into the next line: the text is one long sequence
  kReset,  // it returns to zero: each line stands alone
};

// "carry", "reset".
[[nodiscard]] std::string_view state_policy_name(StatePolicy policy) noexcept;

// The sizes of a recurrent language model: embedding, a stack of equal recurrent layers, softmax at every step.
struct NetworkConfig {
  Cell cell = Cell::kLstm;
  std::int64_t vocabulary = 0;  // V: number of symbols, special ones included
  std::int64_t embed = 0;       // E: numbers per embedded symbol
  std::int64_t hidden = 0;      // H: units per recurrent layer
  std::int64_t layers = 1;      // L: recurrent layers
  // The output layer's weights are the embedding; where embed and hidden differ, a matrix P (E, H) without bias, the
  // projection, stands before it: logits = encoder (P h) + b (Inan et al. 2017; Press & Wolf 2017).
  bool tied = false;
  bool residual = false;  // a layer above the first adds its input to its output: x + h
  // Layer normalisation inside the cells (Ba, Kiros & Hinton 2016): each gate sees U x and W h shifted and scaled to
  // mean 0 and variance 1 over its H units, times gains that are learned; an LSTM's h sees c so.
  bool layer_norm = false;
  // Adaptive softmax (Grave et al. 2017) for symbols in falling order of frequency: those below the first cutoff are
  // predicted by the head, those from one to the next by a cluster each, which is a quarter as wide as the one before
  // it; increasing, from 1 to below vocabulary. Empty: full softmax. Exact either way.
  std::vector<std::int64_t> cutoffs = {};

  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

// Whether there is a projection: tied weights with embed != hidden.
[[nodiscard]] bool has_projection(const NetworkConfig& config) noexcept;

// Numbers that enter the output layer: hidden, or embed where the weights are tied.
[[nodiscard]] std::int64_t decoder_inputs(const NetworkConfig& config) noexcept;

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

// Cutoffs that suit a vocabulary of V words: a fifth of V, 4000 at most, then each four times the one before while that
// is below half of V. Requires V > 1.
[[nodiscard]] std::vector<std::int64_t> default_cutoffs(std::int64_t V);

// Throws Error{kUsage} naming the first size that is out of range (sizes from 1 to 2^24, layers to 1024, all
// parameters together below 2^40) or that contradicts another (tied with cutoffs; a cluster of no
// width; layer_norm with one unit, or with a cell that has no recurrent weights).
void check(const NetworkConfig& config);

// The same for a network whose products are in `precision`: int8 sums are exact in 32 bits for embed and hidden up to
// 65536.
void check(const NetworkConfig& config, Precision precision);

// Number of trained numbers: V E + sum over layers of G H (E_l + H + 2), without W and b' G H (E_l + 1), + V H + V;
// where tied without V H, but with E H of a projection; with cutoffs head and clusters (nn/adaptive_softmax.h) instead.
// Layer normalisation adds 2 G H gains of each layer, and 2 H more of an LSTM's.
[[nodiscard]] std::int64_t parameter_count(const NetworkConfig& config) noexcept;

// Weights that take part in products for each token (embedding rows are looked up, not multiplied). A forward
// pass costs 2, a training step 6 floating-point operations per such weight and token.
[[nodiscard]] std::int64_t multiplied_weights(const NetworkConfig& config) noexcept;

}  // namespace unroll
