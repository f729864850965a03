// Initial weights.
#pragma once

#include <cstdint>

#include "network/parameters.h"
#include "unroll/train.h"

namespace unroll {

struct InitialWeights {
  Init init = Init::kUniform;
  double range = 0;               // 0: by the sizes of the layers
  std::int64_t chrono_steps = 2;  // kChrono: the longest memory of a unit; at least 2
  std::uint64_t seed = 0;
};

// Sets all of `parameters` to random weights, equal for equal seed.
//
//   encoder.weight   uniform in +-sqrt(3 / E), so that an embedded symbol has length about 1; tied: +-1 / sqrt(E)
//   U                uniform in +-1 / sqrt(H)
//   W                the same; with kIdentity the identity matrix (Le, Jaitly & Hinton 2015)
//   projection, decoder.weight   uniform in +-1 / sqrt(H)
//   decoder.tail.*   uniform in +-1 / sqrt(number of inputs)
//   biases           0; the LSTM's forget gate starts open with b_input = 1 (Gers et al. 2000; Jozefowicz et al. 2015)
//   kChrono          for each unit u = log(uniform in [1, chrono_steps - 1]); b_input of the gate that keeps the state
//                    is u, that of the gate that writes is -u (Tallec & Ollivier 2018). So about sigmoid(u) = 1 - 1/s
//                    is kept for an s in [2, chrono_steps], and 1/e after s steps. Not in layers over characters
//                      lstm, min-lstm  b_f = u, b_i = -u; for min-lstm f/(f+i) is sigmoid(u) exactly
//                      gru*            b_z = u
//                      min-gru         b_z = -u: its z multiplies the candidate
//   gains            1
//
// With how.range all matrices but that identity are uniform in +-range.
// Outputs are small at the start, so that the first loss is close to ln V.
void set_initial_weights(const NetworkConfig& config, const InitialWeights& how, Parameters& parameters);

}  // namespace unroll
