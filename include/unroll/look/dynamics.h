// The network as a dynamical system along a text: what one step does to small changes of the state.
//
//   for (const unroll::StepJacobian& J : unroll::step_jacobians(text, {10, 20})) std::cout << J.largest << '\n';
//   std::cout << unroll::largest_lyapunov_exponent(text).value() << " nats per step\n";
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unroll/look/unrolled_text.h"
#include "unroll/model.h"

namespace unroll {

// The Jacobian J = ds_t/ds_{t-1} of one step, s being the state of all layers as the next step reads it: h of every
// layer, and c where cells have it. S numbers.
struct StepJacobian {
  std::int64_t step = 0;
  double largest = 0;    // its largest singular value: how much a step stretches at most
  double frobenius = 0;  // the square root of the sum of squares of its elements
  double radius = 0;     // its spectral radius: the largest magnitude of an eigenvalue
};

// The most numbers of a state whose Jacobians are formed.
inline constexpr std::int64_t kLargestJacobian = 4096;

// The Jacobians (S, S) of these steps, exact, by as many backward steps side by side as the state has numbers. That of
// a step which begins a line from the zero state is zero.
//
// Numerics largest and radius by repeated products; radius to about 0.2% where no eigenvalue stands out.
// Memory   about 4 (S (G + 6) H L) + 8 S^2 bytes.
// Throws   Error{kUsage} for a step that the text does not have, for a state of more than kLargestJacobian numbers, and
//          of a model that labels texts, as largest_lyapunov_exponent() does.
[[nodiscard]] std::vector<StepJacobian> step_jacobians(const UnrolledText& text,
                                                       const std::vector<std::int64_t>& steps);

// The spectral radius of the block of W that one gate has.
struct RecurrentRadius {
  std::int64_t layer = 0;
  char gate = 0;  // a letter of gate_letters(); 0: the cell has no gates
  double radius = 0;
};

// Of every layer and gate of a language model of one direction, in order; empty for cells without W. The numerics are
// those of StepJacobian.
[[nodiscard]] std::vector<RecurrentRadius> recurrent_radii(const Model& model);

// The largest Lyapunov exponent along the text: the mean per step of ln of what the product of all Jacobians does to a
// vector of no particular direction. Below 0 nearby states approach each other, above 0 they part. A text that begins
// anew at its lines is taken line by line. The first tenth of each part is left out, while the vector turns; parts of
// fewer than 20 steps are, too. Nothing where no part is left, minus infinity where the product is zero.
[[nodiscard]] std::optional<double> largest_lyapunov_exponent(const UnrolledText& text);

// How much of a unit's own state of k steps before is in its state after step t: ds_t/ds_{t-k} of one number, through
// all that reads it; s is c where the cell has it, as the next step reads it with h held, else h. For k = 0 (1), 1, ...
// up to `lags`, as far as the line or the text goes back; of a layer that reads backwards k steps further on. Throws
// Error{kUsage} for a step, a layer or a unit that there is not.
[[nodiscard]] std::vector<double> unit_memory(const UnrolledText& text, std::int64_t layer, std::int64_t unit,
                                              std::int64_t t, std::int64_t lags);

// How often a gate is near its ends, over all units and steps of a text.
struct GateSaturation {
  std::int64_t layer = 0;
  char gate = 0;    // a letter of gate_letters(); 'h': of a cell without gates its output
  double low = 0;   // the share below 0.1, of what a tanh makes below -0.9; of relu's output exactly 0
  double high = 0;  // the share above 0.9; of relu 0
};

// Of every layer and gate, in order; candidates of minimal cells, which have no upper end, are left out.
[[nodiscard]] std::vector<GateSaturation> gate_saturation(const UnrolledText& text);

}  // namespace unroll
