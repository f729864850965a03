// The gradient of a cell state through the hidden state that it makes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/recurrent.h"

namespace unroll {

// h = o tanh(y), y being c, or its normalisation with gain and bias: the gradient (H) of c through h, given dh (H), of
// row b of a tape of one step and of a cell with a cell state. In double.
[[nodiscard]] std::vector<double> gradient_through_h(const RecurrentWeights& weights, const RecurrentTape& tape,
                                                     std::int64_t b, std::span<const float> dh);

}  // namespace unroll
