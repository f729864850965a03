// What the output layer of a network reads.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace unroll {

// The input of the output layer, made from the last layer's outputs h_1 .. h_n of a text. With both directions, h_t is
// the output of the forward layer and that of the backward layer, one after the other: D = 2 H numbers, else D = H.
//
//   kSteps      h_t, at every step
//   kLast       the last output of each direction: h_n of the forward layer, h_1 of the backward layer (D)
//   kMax        the largest value of each unit over the steps (D)
//   kMean       the mean of each unit over the steps (D)
//   kConcat     the last output, the maximum and the mean, one after the other (3 D)  (Howard & Ruder 2018)
//   kAttention  sum of a_t h_t with a = softmax over t of w . tanh(h_t), w learned (D)  (Zhou et al. 2016)
//
// All but kSteps give one vector per text.
enum class Readout { kSteps, kLast, kMax, kMean, kConcat, kAttention };

// "steps", "last", "max", "mean", "concat", "attention".
[[nodiscard]] std::string_view readout_name(Readout readout) noexcept;

// The readout with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] Readout parse_readout(std::string_view text);

// All of them, in the order of the enumerators.
[[nodiscard]] std::span<const Readout> all_readouts() noexcept;

// The size of one vector that is read out of outputs of D numbers: D, or 3 D.
[[nodiscard]] std::int64_t readout_size(Readout readout, std::int64_t D) noexcept;

}  // namespace unroll
