#include "look/through_h.h"

#include <cmath>
#include <cstddef>

namespace unroll {
namespace {

// The gradient of z, of which normalized = (z - mean) inverse is the layer normalisation, given dz of normalized.
void undo_normalisation(std::span<const float> normalized, float inverse, std::vector<double>& d) {
  const auto H = static_cast<double>(d.size());
  double mean = 0;
  double along = 0;
  for (std::size_t j = 0; j < d.size(); ++j) {
    mean += d[j] / H;
    along += d[j] * static_cast<double>(normalized[j]) / H;
  }
  for (std::size_t j = 0; j < d.size(); ++j) {
    d[j] = static_cast<double>(inverse) * (d[j] - mean - static_cast<double>(normalized[j]) * along);
  }
}

}  // namespace

std::vector<double> gradient_through_h(const RecurrentWeights& weights, const RecurrentTape& tape, std::int64_t b,
                                       std::span<const float> dh) {
  const std::size_t H = dh.size();
  const float* const c = tape.c.row(tape.gates.rows + b);
  const float* const o = tape.gates.row(b) + 3 * H;
  const float* const normalized = weights.normalizes() ? tape.norm.cell.normalized.row(b) : c;
  std::vector<double> d(H);
  for (std::size_t j = 0; j < H; ++j) {
    const double gain = weights.normalizes() ? static_cast<double>(weights.norm_cell[j]) : 1;
    const double bias = weights.normalizes() ? static_cast<double>(weights.b_cell[j]) : 0;
    const double squashed = std::tanh(gain * static_cast<double>(normalized[j]) + bias);
    d[j] = static_cast<double>(dh[j]) * static_cast<double>(o[j]) * (1 - squashed * squashed) * gain;
  }
  if (weights.normalizes()) undo_normalisation({normalized, H}, tape.norm.cell.inverse(b, 0), d);
  return d;
}

}  // namespace unroll
