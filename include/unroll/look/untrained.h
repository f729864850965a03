// Networks before their training, to see what their beginning decides: how far gradients reach with a given radius of W
// and a given bias of the gates that keep the state.
//
//   const unroll::Model lstm = unroll::untrained_model(model.tokenizer(), {.hidden = 128, .forget_bias = 3});
//   const unroll::GradientFlow flow = unroll::gradient_flow({lstm, {bytes, "'test.txt'"}}, {.lags = 20});
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unroll/cell.h"
#include "unroll/model.h"
#include "unroll/tokenizer.h"

namespace unroll {

// A language model of one layer, with an embedding as large as it.
struct UntrainedNetwork {
  Cell cell = Cell::kLstm;
  std::int64_t hidden = 128;  // units

  // W is multiplied by what makes this its spectral radius, in each gate: from 0 to 100. Unset: as training begins.
  std::optional<double> radius = {};

  // The bias of the gate that keeps the state: an LSTM's and min-lstm's f, a GRU's z; min-gru's 1 - z has it with the
  // other sign. From -100 to 100. Unset: as training begins, 1 in an LSTM and else 0.
  std::optional<double> forget_bias = {};

  std::uint64_t seed = 1;
};

// A model with the weights that train() begins with, but for what `network` says. Reads texts with `tokenizer`,
// beginning with the boundary where that has one. Its training record is empty.
//
// Numerics radii to about 0.2%, as recurrent_radii() has them.
// Throws   Error{kUsage} for sizes out of range, for a radius with a cell without W, and for a bias with a cell without
//          gates; Error{kMemory}.
[[nodiscard]] Model untrained_model(const Tokenizer& tokenizer, const UntrainedNetwork& network);

// "untrained lstm, radius 1.2, bias 3".
[[nodiscard]] std::string untrained_name(const UntrainedNetwork& network);

}  // namespace unroll
