// The recurrent cells.
#pragma once

#include <span>
#include <string_view>

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
[[nodiscard]] Cell parse_cell(std::string_view text);

// All cells, in the order of the enumeration.
[[nodiscard]] std::span<const Cell> all_cells() noexcept;

// How many blocks of H rows U, W and b have: 1, 4 (order i,f,g,o), 3 (order r,z,n; min-lstm f,i,n) or 2 (order z,n).
[[nodiscard]] int gate_count(Cell cell) noexcept;

// Whether the state is multiplied by a matrix: whether the cell has W and b'.
[[nodiscard]] bool has_recurrent_weights(Cell cell) noexcept;

}  // namespace unroll
