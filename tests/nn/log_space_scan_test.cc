// The published scan in log space of minGRU and minLSTM, as a second opinion on their sweep over time.
#include "nn/ref/log_space_scan.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/recurrent_layer.h"
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

// Unit j of row b over the window by the scan in log space, from the reference's gates.
std::vector<double> unit_by_scan(const RecurrentPoint& point, const ref::Tape<double>& tape, std::int64_t b,
                                 std::int64_t j) {
  const RecurrentShape& s = point.shape;
  std::vector<double> log_a;
  std::vector<double> log_b;
  for (std::int64_t t = 0; t < s.T; ++t) {
    const ref::UnitGates<const double> gates{tape.gates.row(t * s.B + b) + j, s.H};
    if (point.cell == Cell::kMinGru) {
      log_a.push_back(-ref::softplus(gates[0]));
      log_b.push_back(-ref::softplus(-gates[0]) + std::log(ref::positive(gates[1])));
    } else {
      const double log_ratio = ref::softplus(-gates[0]) - ref::softplus(-gates[1]);  // of i to f
      log_a.push_back(-ref::softplus(log_ratio));
      log_b.push_back(-ref::softplus(-log_ratio) + std::log(ref::positive(gates[2])));
    }
  }
  const auto h0 = point.values[static_cast<std::size_t>(point.slice("h0").offset + b * s.H + j)];
  return ref::log_space_scan(log_a, log_b, std::log(static_cast<double>(h0)));
}

// A possible state after a window, or the initial state.
void make_states(RecurrentPoint& point, bool zero) {
  const Slice& h0 = point.slice("h0");
  for (std::int64_t i = 0; i < h0.size; ++i) {
    float& h = point.values[static_cast<std::size_t>(h0.offset + i)];
    h = zero ? 0.0F : std::fabs(h) + 0.01F;
  }
}

void expect_the_scan_agrees(Cell cell) {
  Workers workers(2);
  for (const bool from_zero : {false, true}) {
    std::uint64_t seed = 7000;
    for (const RecurrentShape& shape : awkward_shapes()) {
      RecurrentPoint point = random_point(cell, shape, seed++, Resets::kNone);
      make_states(point, from_zero);
      const ReferenceRun<double> reference = reference_run(point);
      std::vector<double> scanned(reference.tape.h.values.size());
      for (std::int64_t b = 0; b < shape.B; ++b) {
        for (std::int64_t j = 0; j < shape.H; ++j) {
          const std::vector<double> unit = unit_by_scan(point, reference.tape, b, j);
          for (std::int64_t t = 0; t < shape.T; ++t) {
            scanned[static_cast<std::size_t>((t * shape.B + b) * shape.H + j)] = unit[static_cast<std::size_t>(t)];
          }
        }
      }
      LayerRun run(point, workers);
      run.forward();
      const std::vector<float> h = run.outputs();
      EXPECT_LE(ref::relative_error(std::span<const double>(reference.tape.h.values), std::span<const double>(scanned)),
                1e-13)
          << describe(point);
      EXPECT_LE(ref::relative_error(std::span(h), std::span<const double>(scanned)), kForwardTolerance)
          << describe(point);
    }
  }
}

TEST(LogSpaceScan, AgreesWithTheSweepOfMinGru) { expect_the_scan_agrees(Cell::kMinGru); }
TEST(LogSpaceScan, AgreesWithTheSweepOfMinLstm) { expect_the_scan_agrees(Cell::kMinLstm); }

TEST(LogSpaceScan, IsTheRecurrenceWorkedOutByHand) {
  const std::vector<double> log_a = {std::log(0.5), std::log(0.25)};
  const std::vector<double> log_b = {std::log(3.0), std::log(2.0)};
  const std::vector<double> h = ref::log_space_scan(log_a, log_b, std::log(4.0));
  EXPECT_NEAR(h[0], 0.5 * 4 + 3, 1e-14);
  EXPECT_NEAR(h[1], 0.25 * 5 + 2, 1e-14);
  EXPECT_NEAR(ref::log_space_scan(log_a, log_b, -std::numeric_limits<double>::infinity())[0], 3, 1e-14);
}

// The reason for logarithms: the product of all a underflows in float and double, the result does not.
TEST(LogSpaceScan, HoldsWhereTheProductOfAllCoefficientsVanishes) {
  const std::vector<double> log_a(2000, -10);
  const std::vector<double> log_b(2000, 0);
  EXPECT_NEAR(ref::log_space_scan(log_a, log_b, 0).back(), 1 / (1 - std::exp(-10.0)), 1e-11);
}

}  // namespace
}  // namespace unroll
