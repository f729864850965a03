// Where training starts.
#pragma once

#include <cstdint>

#include "model/parameters.h"
#include "unroll/train.h"

namespace unroll {

// Random weights for a network, equal for equal seed.
//
//   encoder.weight   uniform in +-sqrt(3 / E), so that an embedded symbol has length about 1; tied: +-1 / sqrt(H)
//   U                uniform in +-1 / sqrt(H)
//   W                the same; with kIdentity the identity matrix (Le, Jaitly & Hinton 2015)
//   decoder.weight   uniform in +-1 / sqrt(H)
//   biases           0; the LSTM's forget gate starts open with b_input = 1 (Gers et al. 2000; Jozefowicz et al. 2015)
//   gains            1
//
// With small outputs at the start the first loss is close to ln V. Sets all of `parameters`.
void set_initial_weights(const NetworkConfig& config, Init init, std::uint64_t seed, Parameters& parameters);

}  // namespace unroll
