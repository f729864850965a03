// A test of the tests: gradients with typical mistakes, in plain loops, must not pass the comparison used by the
// layers' own tests. Each mistake is one changed line of a correct backward, as shown next to it.
#include <gtest/gtest.h>

#include "support/recurrent_point.h"

namespace unroll {
namespace {

using Params = RecurrentParams<const double>;
using Gradients = RecurrentParams<double>;
using Mat = ref::Matrix<double>;
using State = ref::State<double>;
using Tape = ref::Tape<double>;

RecurrentPoint point_of(Cell cell, Resets resets = Resets::kNone) {
  return random_point(cell, {4, 3, 5, 6}, 7, resets);
}

bool passes(const RecurrentPoint& point, const ReferenceBackward& backward) {
  return static_cast<bool>(
      agree(point.slices, reference_gradient(point, backward), complex_step_gradient(point), kLoosest));
}

// The cell's own backward with one of its inputs or outputs spoilt.
struct Spoilt {
  std::function<void(Params&)> params = [](Params&) {};
  std::function<void(Tape&)> tape = [](Tape&) {};
  std::function<void(Mat& dout, State& dstate1)> incoming = [](Mat&, State&) {};
  std::function<void(const Gradients&, Mat& dx, State& dstate0)> outgoing = [](const Gradients&, Mat&, State&) {};
};

ReferenceBackward spoilt(const RecurrentPoint& point, const Spoilt& by) {
  return [&point, by](const Params& params, const Tape& tape, const Mat& dout, const State& dstate1,
                      const Gradients& dparams, Mat& dx, State& dstate0) {
    Params bad_params = params;
    Tape bad_tape = tape;
    Mat bad_dout = dout;
    State bad_dstate1 = dstate1;
    by.params(bad_params);
    by.tape(bad_tape);
    by.incoming(bad_dout, bad_dstate1);
    reference_backward(point)(bad_params, bad_tape, bad_dout, bad_dstate1, dparams, dx, dstate0);
    by.outgoing(dparams, dx, dstate0);
  };
}

// Mistakes of one line in a GRU's backward.
enum class GruMistake {
  kNone,
  kCandidateThroughUpdateGate,  // dx = ... + dn U_z        for dn U_n: swapped matrix, as in a published toolkit
  kMissingResetOnCandidate,     // dq = dn                  for dn r
  kBiasOfInputForHidden,        // db'_n += dn              for dn r: forgets that r multiplies b'
  kMissingHiddenBias,           // db'_n += nothing
  kSignOfUpdateGate,            // dz = dh (n - h_{t-1})    for dh (h_{t-1} - n)
  kMissingDirectPath,           // dh_{t-1} = W^T da        without dh z
  kTransposedW,                 // dh_{t-1} = dh z + W da   for W^T da, block by block
  kForgottenReset,              // dh_{t-1} passes through a reset
  kTruncated,                   // dh_{t-1} = 0: no gradient between steps
};

void gru_backward_with(GruMistake mistake, const RecurrentShape& s, const Params& p, const Tape& tape, const Mat& dout,
                       const State& dstate1, const Gradients& dp, Mat& dx, State& dstate0) {
  dx = Mat(s.T * s.B, s.E);
  dstate0 = dstate1;
  const std::int64_t H = s.H;
  for (std::int64_t row = s.T * s.B - 1; row >= 0; --row) {
    const std::int64_t b = row % s.B;
    std::vector<double> dh_before(static_cast<std::size_t>(H));
    for (std::int64_t j = 0; j < H; ++j) {
      const double r = tape.gates(row, j);
      const double z = tape.gates(row, H + j);
      const double n = tape.gates(row, 2 * H + j);
      const double dh = dout(row, j) + dstate0.h(b, j);
      const double dn = dh * (1 - z) * (1 - n * n);
      const double sign = mistake == GruMistake::kSignOfUpdateGate ? -1 : 1;
      const double dz = sign * dh * (tape.h_before(row, j) - n) * z * (1 - z);
      const double dr = dn * tape.candidate(row, j) * r * (1 - r);
      const double dq = mistake == GruMistake::kMissingResetOnCandidate ? dn : dn * r;
      const double bias = mistake == GruMistake::kBiasOfInputForHidden ? dn : dn * r;
      const double da_input[] = {dr, dz, dn};
      const double da_hidden[] = {dr, dz, dq};
      const double da_bias[] = {dr, dz, mistake == GruMistake::kMissingHiddenBias ? 0 : bias};
      for (std::int64_t gate = 0; gate < 3; ++gate) {
        const std::int64_t k = gate * H + j;
        const bool swapped = mistake == GruMistake::kCandidateThroughUpdateGate && gate == 2;
        dp.b_input[static_cast<std::size_t>(k)] += da_input[gate];
        dp.b_hidden[static_cast<std::size_t>(k)] += da_bias[gate];
        for (std::int64_t e = 0; e < s.E; ++e) {
          dp.U(k, e) += da_input[gate] * tape.x(row, e);
          dx(row, e) += da_input[gate] * p.U(swapped ? H + j : k, e);
        }
        for (std::int64_t i = 0; i < H; ++i) {
          const bool transposed = mistake == GruMistake::kTransposedW;
          dp.W(k, i) += da_hidden[gate] * tape.h_before(row, i);
          dh_before[static_cast<std::size_t>(i)] += da_hidden[gate] * (transposed ? p.W(gate * H + i, j) : p.W(k, i));
        }
      }
      if (mistake != GruMistake::kMissingDirectPath) dh_before[static_cast<std::size_t>(j)] += dh * z;
    }
    const bool stops = mistake == GruMistake::kTruncated ||
                       (mistake != GruMistake::kForgottenReset && ref::starts_from_zero(tape, row));
    for (std::int64_t j = 0; j < H; ++j) dstate0.h(b, j) = stops ? 0 : dh_before[static_cast<std::size_t>(j)];
  }
}

ReferenceBackward gru_with(GruMistake mistake, const RecurrentPoint& point) {
  return [mistake, shape = point.shape](const auto& params, const auto& tape, const auto& dout, const auto& dstate1,
                                        const auto& dparams, auto& dx, auto& dstate0) {
    gru_backward_with(mistake, shape, params, tape, dout, dstate1, dparams, dx, dstate0);
  };
}

bool gru_passes(GruMistake mistake, const RecurrentPoint& point) { return passes(point, gru_with(mistake, point)); }

TEST(PlantedMistake, WithoutAMistakeTheChecksPass) {
  for (const Resets resets : {Resets::kNone, Resets::kSome}) {
    for (const Cell cell : all_cells()) {
      const RecurrentPoint point = point_of(cell, resets);
      EXPECT_TRUE(passes(point, reference_backward(point)));
      EXPECT_TRUE(passes(point, spoilt(point, {})));
    }
    EXPECT_TRUE(gru_passes(GruMistake::kNone, point_of(Cell::kGru, resets)));
  }
}

TEST(PlantedMistake, TheCandidateThroughTheUpdateGatesMatrixIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kCandidateThroughUpdateGate, point_of(Cell::kGru)));
}

// The reason for random points: if all input matrices are equal, such as the identity, the same mistake is invisible.
TEST(PlantedMistake, TheCandidateThroughTheUpdateGatesMatrixIsNotCaughtAtTheIdentity) {
  RecurrentPoint point = random_point(Cell::kGru, {4, 3, 6, 6}, 7, Resets::kNone);
  for (const char* name : {"U", "W"}) {
    for (std::int64_t k = 0; k < 3 * 6; ++k) {
      for (std::int64_t e = 0; e < 6; ++e) {
        point.values[static_cast<std::size_t>(point.slice(name).offset + k * 6 + e)] = k % 6 == e ? 1.0F : 0.0F;
      }
    }
  }
  EXPECT_TRUE(gru_passes(GruMistake::kCandidateThroughUpdateGate, point));
  EXPECT_TRUE(gru_passes(GruMistake::kTransposedW, point)) << "a transposed identity is the identity too";
}

TEST(PlantedMistake, AMissingResetGateOnTheCandidateIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kMissingResetOnCandidate, point_of(Cell::kGru)));
}

TEST(PlantedMistake, TheInputBiasGradientForTheHiddenOneIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kBiasOfInputForHidden, point_of(Cell::kGru)));
}

TEST(PlantedMistake, AMissingHiddenBiasGradientIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kMissingHiddenBias, point_of(Cell::kGru)));
}

TEST(PlantedMistake, AWrongSignIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kSignOfUpdateGate, point_of(Cell::kGru)));
}

TEST(PlantedMistake, AMissingDirectPathIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kMissingDirectPath, point_of(Cell::kGru)));
}

TEST(PlantedMistake, ATransposedRecurrentMatrixIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kTransposedW, point_of(Cell::kGru)));
}

TEST(PlantedMistake, AForgottenResetIsCaughtAndOnlyWithResets) {
  EXPECT_FALSE(gru_passes(GruMistake::kForgottenReset, point_of(Cell::kGru, Resets::kSome)));
  EXPECT_TRUE(gru_passes(GruMistake::kForgottenReset, point_of(Cell::kGru, Resets::kNone)));
}

TEST(PlantedMistake, BackpropagationThatStopsAfterOneStepIsCaught) {
  EXPECT_FALSE(gru_passes(GruMistake::kTruncated, point_of(Cell::kGru)));
}

TEST(PlantedMistake, ADroppedCellGradientFromAfterTheWindowIsCaught) {
  const RecurrentPoint point = point_of(Cell::kLstm);
  EXPECT_FALSE(passes(point, spoilt(point, {.incoming = [](Mat&, State& d) { d.c = Mat(d.c.rows, d.c.cols); }})));
}

TEST(PlantedMistake, ADroppedHiddenGradientFromAfterTheWindowIsCaught) {
  for (const Cell cell : all_cells()) {
    const RecurrentPoint point = point_of(cell);
    EXPECT_FALSE(passes(point, spoilt(point, {.incoming = [](Mat&, State& d) { d.h = Mat(d.h.rows, d.h.cols); }})))
        << cell_name(cell);
  }
}

// One step at a time, which is correct, unless what the next step says about c_t is dropped: then
// dc_t = dh o (1 - tanh^2 c) with dc_{t+1} f_{t+1} left out, as if the forget gates were closed on the way back.
void lstm_backward_by_steps(bool drops_dc, const RecurrentShape& s, const Params& params, const Tape& tape,
                            const Mat& dout, const State& dstate1, const Gradients& dparams, Mat& dx, State& dstate0) {
  const RecurrentShape one{1, s.B, s.E, s.H};
  dx = Mat(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    const auto rows = [&](const Mat& all) {
      Mat step(s.B, all.cols);
      std::copy(all.row(t * s.B), all.row((t + 1) * s.B), step.row(0));
      return step;
    };
    const Tape step{rows(tape.x),     {}, rows(tape.h_before), rows(tape.c_before),
                    rows(tape.gates), {}, rows(tape.c),        rows(tape.h)};
    if (drops_dc && t + 1 < s.T) dstate0.c = Mat(s.B, s.H);
    Mat step_dx;
    State before;
    ref::lstm_backward(one, params, step, rows(dout), dstate0, dparams, step_dx, before);
    std::copy(step_dx.values.begin(), step_dx.values.end(), dx.row(t * s.B));
    dstate0 = before;
  }
}

TEST(PlantedMistake, AnLstmThatForgetsToCarryTheCellGradientIsCaught) {
  const RecurrentPoint point = point_of(Cell::kLstm);
  for (const bool drops_dc : {false, true}) {
    const auto backward = [&](const auto& params, const auto& tape, const auto& dout, const auto& dstate1,
                              const auto& dparams, auto& dx, auto& dstate0) {
      lstm_backward_by_steps(drops_dc, point.shape, params, tape, dout, dstate1, dparams, dx, dstate0);
    };
    EXPECT_EQ(passes(point, backward), !drops_dc);
  }
}

TEST(PlantedMistake, AnLstmWithTwoGatesInTheWrongOrderIsCaught) {
  const RecurrentPoint point = point_of(Cell::kLstm);
  const auto swap_f_and_g = [H = point.shape.H](Tape& tape) {
    for (std::int64_t row = 0; row < tape.gates.rows; ++row) {
      std::swap_ranges(tape.gates.row(row) + H, tape.gates.row(row) + 2 * H, tape.gates.row(row) + 2 * H);
    }
  };
  EXPECT_FALSE(passes(point, spoilt(point, {.tape = swap_f_and_g})));
}

// Mistakes of one line in the backward of a normalised product.
enum class NormMistake {
  kNone,
  kMeanAsConstant,      // dz = inverse (dn - n mean(dn n))    without - mean dn
  kVarianceAsConstant,  // dz = inverse (dn - mean dn)         without - n mean(dn n)
  kMissingGain,         // dn = dy                             for gain dy
  kGainOfTheProduct,    // dgain += dy z                       for dy n
  kOneProductForBoth,   // dW from dU's statistics
};

std::vector<double> norm_back_with(NormMistake mistake, const std::vector<double>& z, std::span<const double> gain,
                                   const std::vector<double>& dy, std::span<double> dgain) {
  const ref::NormalizedBlock<double> block{std::span<const double>(z)};
  const auto count = static_cast<double>(z.size());
  std::vector<double> dn = dy;
  double mean = 0;
  double mean_with_n = 0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    if (mistake != NormMistake::kMissingGain) dn[j] *= gain[j];
    mean += dn[j] / count;
    mean_with_n += dn[j] * block.n[j] / count;
    dgain[j] += dy[j] * (mistake == NormMistake::kGainOfTheProduct ? z[j] : block.n[j]);
  }
  if (mistake == NormMistake::kMeanAsConstant) mean = 0;
  if (mistake == NormMistake::kVarianceAsConstant) mean_with_n = 0;
  for (std::size_t j = 0; j < z.size(); ++j) dn[j] = block.inverse * (dn[j] - mean - block.n[j] * mean_with_n);
  return dn;
}

// The simple network's, both of whose products are normalised.
void rnn_backward_with(NormMistake mistake, const RecurrentShape& s, const Params& p, const Tape& tape, const Mat& dout,
                       const State& dstate1, const Gradients& dp, Mat& dx, State& dstate0) {
  dx = Mat(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t row = s.T * s.B - 1; row >= 0; --row) {
    const std::int64_t b = row % s.B;
    std::vector<double> da(static_cast<std::size_t>(s.H));
    std::vector<double> dh_before(static_cast<std::size_t>(s.H));
    for (std::int64_t j = 0; j < s.H; ++j) {
      const auto i = static_cast<std::size_t>(j);
      da[i] = (dout(row, j) + dstate0.h(b, j)) * (1 - tape.h(row, j) * tape.h(row, j));
      dp.b_input[i] += da[i];
      dp.b_hidden[i] += da[i];
    }
    const std::vector<double> Ux = ref::products_of(p.U, {}, s.H, tape.x.row(row));
    const std::vector<double> Wh = ref::products_of(p.W, {}, s.H, tape.h_before.row(row));
    const std::vector<double> dUx = norm_back_with(mistake, Ux, p.norm_input, da, dp.norm_input);
    std::vector<double> dWh = norm_back_with(mistake, Wh, p.norm_hidden, da, dp.norm_hidden);
    if (mistake == NormMistake::kOneProductForBoth) dWh = dUx;
    ref::products_back(p.U, {}, s.H, tape.x.row(row), dUx, dp.U, {}, dx.row(row));
    ref::products_back(p.W, {}, s.H, tape.h_before.row(row), dWh, dp.W, {}, dh_before.data());
    ref::take_state_back(tape, row, b, dh_before, dstate0.h);
  }
}

TEST(PlantedMistake, AWrongLineInLayerNormalisationIsCaught) {
  const RecurrentPoint point = random_point({Cell::kRnnTanh, true}, {4, 3, 5, 6}, 7, Resets::kNone);
  for (const NormMistake mistake :
       {NormMistake::kNone, NormMistake::kMeanAsConstant, NormMistake::kVarianceAsConstant, NormMistake::kMissingGain,
        NormMistake::kGainOfTheProduct, NormMistake::kOneProductForBoth}) {
    const auto backward = [&](const auto& params, const auto& tape, const auto& dout, const auto& dstate1,
                              const auto& dparams, auto& dx, auto& dstate0) {
      rnn_backward_with(mistake, point.shape, params, tape, dout, dstate1, dparams, dx, dstate0);
    };
    EXPECT_EQ(passes(point, backward), mistake == NormMistake::kNone) << static_cast<int>(mistake);
  }
}

TEST(PlantedMistake, AForgottenResetIsCaughtInEveryCell) {
  for (const Cell cell : all_cells()) {
    const RecurrentPoint point = point_of(cell, Resets::kSome);
    EXPECT_FALSE(passes(point, spoilt(point, {.tape = [](Tape& tape) { tape.reset.clear(); }}))) << cell_name(cell);
  }
}

// dW += da h_t^T for da h_{t-1}^T: one row off in the buffer of states.
TEST(PlantedMistake, AWeightGradientWithTheStateAfterTheStepIsCaughtInEveryCell) {
  for (const Cell cell : all_cells()) {
    const RecurrentPoint point = point_of(cell);
    EXPECT_FALSE(passes(point, spoilt(point, {.tape = [](Tape& tape) { tape.h_before = tape.h; }}))) << cell_name(cell);
  }
}

// The state that a reset hides still enters the weight gradient: dW is one product over all rows, hidden ones too.
TEST(PlantedMistake, AWeightGradientThatSeesAStateHiddenByAResetIsCaughtInEveryCell) {
  for (const Cell cell : all_cells()) {
    const RecurrentPoint point = point_of(cell, Resets::kSome);
    const auto uncover = [&point](Tape& tape) {
      const std::int64_t B = point.shape.B;
      std::copy(tape.h.row(0), tape.h.row(tape.h.rows - B), tape.h_before.row(B));
    };
    EXPECT_FALSE(passes(point, spoilt(point, {.tape = uncover}))) << cell_name(cell);
  }
}

TEST(PlantedMistake, AnElementThatIsNeverWrittenIsCaughtInEveryTensor) {
  for (const Cell cell : all_cells()) {
    const RecurrentPoint point = point_of(cell);
    const std::vector<double> expected = complex_step_gradient(point);
    for (const Slice& slice : point.slices) {
      std::vector<double> wrong = reference_gradient(point);
      const auto first = wrong.begin() + slice.offset;
      *std::max_element(first, first + slice.size, [](double a, double b) { return std::fabs(a) < std::fabs(b); }) = 0;
      EXPECT_FALSE(agree(point.slices, wrong, expected, kLoosest)) << cell_name(cell) << " " << slice.name;
    }
  }
}

// Mistakes of one line in a minGRU's backward.
enum class MinGruMistake {
  kNone,
  kSignOfUpdateGate,  // dz = dh (h_{t-1} - n)   for dh (n - h_{t-1})
  kSlopeOfSigmoid,    // dn = dh z s (1 - s)     also where the candidate is linear
  kMissingGate,       // dn = dh g'              for dh z g'
  kWrongPath,         // dh_{t-1} = dh z         for dh (1 - z): the two shares exchanged
  kTruncated,         // dh_{t-1} = 0
};

ReferenceBackward min_gru_with(MinGruMistake mistake, const RecurrentPoint& point) {
  return [mistake, shape = point.shape](const auto& params, const auto& tape, const auto& dout, const auto& dstate1,
                                        const auto& dparams, auto& dx, auto& dstate0) {
    using Gates = ref::UnitGates<const double>;
    const auto step_back = [mistake](const Gates& a, double h_before, double dh, const ref::UnitGates<double>& da) {
      const double z = ref::sigmoid(a[0]);
      const double s = ref::sigmoid(a[1]);
      const double sign = mistake == MinGruMistake::kSignOfUpdateGate ? -1 : 1;
      const double slope = mistake == MinGruMistake::kSlopeOfSigmoid ? s * (1 - s) : ref::positive_slope(a[1]);
      da[0] = sign * dh * (ref::positive(a[1]) - h_before) * z * (1 - z);
      da[1] = dh * (mistake == MinGruMistake::kMissingGate ? 1 : z) * slope;
      if (mistake == MinGruMistake::kTruncated) return 0.0;
      return dh * (mistake == MinGruMistake::kWrongPath ? z : 1 - z);
    };
    ref::scan_backward(shape, 2, params, tape, dout, dstate1, step_back, dparams, dx, dstate0);
  };
}

TEST(PlantedMistake, EachMistakeInAMinGruIsCaught) {
  const RecurrentPoint point = point_of(Cell::kMinGru);
  EXPECT_TRUE(passes(point, min_gru_with(MinGruMistake::kNone, point)));
  for (const MinGruMistake mistake :
       {MinGruMistake::kSignOfUpdateGate, MinGruMistake::kSlopeOfSigmoid, MinGruMistake::kMissingGate,
        MinGruMistake::kWrongPath, MinGruMistake::kTruncated}) {
    EXPECT_FALSE(passes(point, min_gru_with(mistake, point))) << static_cast<int>(mistake);
  }
}

// d(f / (f + i)) for df alone, as if the shares were independent.
TEST(PlantedMistake, AMinLstmThatForgetsTheSharesDivisorIsCaught) {
  const RecurrentPoint point = point_of(Cell::kMinLstm);
  for (const bool forgets : {false, true}) {
    const auto backward = [&](const auto& params, const auto& tape, const auto& dout, const auto& dstate1,
                              const auto& dparams, auto& dx, auto& dstate0) {
      const auto step_back = [forgets](const ref::UnitGates<const double>& a, double h_before, double dh,
                                       const ref::UnitGates<double>& da) {
        const double f = ref::sigmoid(a[0]);
        const double i = ref::sigmoid(a[1]);
        const double n = ref::positive(a[2]);
        const double total = f + i;
        da[0] = dh * (forgets ? h_before / total : (h_before - n) * i / (total * total)) * f * (1 - f);
        da[1] = dh * (forgets ? n / total : (n - h_before) * f / (total * total)) * i * (1 - i);
        da[2] = dh * i / total * ref::positive_slope(a[2]);
        return dh * f / total;
      };
      ref::scan_backward(point.shape, 3, params, tape, dout, dstate1, step_back, dparams, dx, dstate0);
    };
    EXPECT_EQ(passes(point, backward), !forgets);
  }
}

TEST(PlantedMistake, NanAndWrongSizesAreCaught) {
  const RecurrentPoint point = point_of(Cell::kGru);
  const std::vector<double> expected = complex_step_gradient(point);
  std::vector<double> wrong = expected;
  wrong[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(agree(point.slices, wrong, expected, kLoosest));
  EXPECT_FALSE(agree(point.slices, expected, wrong, kLoosest));
  EXPECT_FALSE(agree(point.slices, std::vector<double>(expected.begin() + 1, expected.end()), expected, kLoosest));
  EXPECT_FALSE(agree(point.slices, expected, std::vector<double>(expected.size(), 0.0), kLoosest));
}

}  // namespace
}  // namespace unroll
