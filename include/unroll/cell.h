// The recurrent cells.
#pragma once

#include <span>
#include <string_view>

namespace unroll {

// The recurrent cell, with input x, hidden state h and, for kLstm, cell state c; f is the function in the cell's name.
//
//   kRnnTanh, kRnnRelu   h' = f(U x + b + W h + b')   (Elman 1990)
//   kLstm                i,f,o = sigmoid(.)  g = tanh(.)  c' = f c + i g  h' = o tanh(c')
//                        (Hochreiter & Schmidhuber 1997; Gers et al. 2000)
//   kGru                 r,z = sigmoid(.)  n = tanh(U x + b + r (W h + b'))  h' = (1-z) n + z h   (PyTorch's nn.GRU)
//   kGruResetBefore      as kGru, with n = tanh(U x + b + W (r h) + b')   (Cho et al. 2014)
//   kMinGru              z = sigmoid(.)  n = g(.)  (. = U x + b)  h' = (1-z) h + z n
//   kMinLstm             f,i = sigmoid(.)  n = g(.)  (. = U x + b)  h' = f/(f+i) h + i/(f+i) n
//                        g(a) = a + 1/2 for a >= 0, else sigmoid(a)   (Feng et al. 2024, in the form for log space)
enum class Cell { kRnnTanh, kRnnRelu, kLstm, kGru, kGruResetBefore, kMinGru, kMinLstm };

// "rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm".
[[nodiscard]] std::string_view cell_name(Cell cell) noexcept;

// The cell with this name. Throws Error{kUsage} listing the known cells if there is none.
[[nodiscard]] Cell parse_cell(std::string_view text);

// All cells, in the order of the enumerators.
[[nodiscard]] std::span<const Cell> all_cells() noexcept;

// The number of blocks of H rows in U, W and b: 1, 4 (order i,f,g,o), 3 (order r,z,n; min-lstm f,i,n) or 2 (order z,n).
[[nodiscard]] int gate_count(Cell cell) noexcept;

// Whether the cell has W and b', which multiply its state.
[[nodiscard]] bool has_recurrent_weights(Cell cell) noexcept;

// Whether the cell carries a cell state c next to h.
[[nodiscard]] bool has_cell_state(Cell cell) noexcept;

}  // namespace unroll
