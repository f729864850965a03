// A recurrent layer of any cell: the only place that distinguishes the cells' sweeps over time.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// One layer over a window; see the header of the cell.
void recurrent_forward(Cell cell, Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                       RecurrentTape& tape);

// Its backward.
void recurrent_backward(Cell cell, Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                        RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                        const RecurrentGradientState& dstate, MatView<float> dx);

}  // namespace unroll
