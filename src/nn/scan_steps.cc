#include "nn/scan_steps.h"

#include <functional>

#include "nn/recurrent_steps.h"

namespace unroll {
namespace {

// Calls scan(range of units) for ranges of whole vectors, wide enough to be read as streams.
void share_units(Workers& workers, const RecurrentShape& s, std::span<const std::uint8_t> reset,
                 const std::function<void(const ScanShape&)>& scan) {
  constexpr std::int64_t kTypicalUnits = 4096;
  constexpr std::int64_t kUnitsOfVector = 16;
  workers.run_balanced(s.B * s.H, kTypicalUnits, kUnitsOfVector, [&](std::int64_t first, std::int64_t last) {
    scan({.T = s.T, .B = s.B, .H = s.H, .reset = reset.empty() ? nullptr : reset.data(), .first = first, .last = last});
  });
}

}  // namespace

void scan_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                  ScanForward scan) {
  multiply_rows(workers, tape.x, weights.U, weights.bias, tape.gates);
  share_units(workers, shape, tape.reset, [&](const ScanShape& s) { scan(s, tape.gates.data, tape.h.data); });
}

void scan_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                   MatView<const float> dout, const RecurrentParams<float>& dparams,
                   const RecurrentGradientState& dstate, MatView<float> dx, ScanBackward scan) {
  share_units(workers, shape, tape.reset,
              [&](const ScanShape& s) { scan(s, tape.gates.data, tape.h.data, dout.data, dstate.dh.data); });
  if (dx.data != nullptr) multiply_rows(workers, tape.gates, weights.U_back, {}, dx);
  add_weight_gradients(workers, weights.U.precision(), tape.gates, {{tape.x, dparams.U}}, dparams.b_input);
}

}  // namespace unroll
