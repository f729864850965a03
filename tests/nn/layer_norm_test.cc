// Layer normalisation by itself, and in every cell that has it.
#include "kernels/layer_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/ref/layer_norm.h"
#include "support/random_matrix.h"
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

constexpr std::int64_t kWidths[] = {1, 2, 5, 15, 16, 17, 33, 64, 200, 1009};
constexpr Cell kTaking[] = {Cell::kRnnTanh, Cell::kRnnRelu, Cell::kLstm, Cell::kGru, Cell::kGruResetBefore};
constexpr std::int64_t kNormalizedRows = 5;
constexpr std::int64_t kGroups = 3;

// A matrix between columns that must not be touched.
struct Framed {
  Framed(std::int64_t rows, std::int64_t cols, std::uint64_t seed)
      : all(rows, cols + 7, seed), before(all.values), view(all.view.col_range(3, cols)) {}

  [[nodiscard]] bool frame_is_untouched() const {
    for (std::int64_t r = 0; r < all.view.rows; ++r) {
      for (std::int64_t c = 0; c < all.view.cols; ++c) {
        const bool inside = c >= 3 && c < 3 + view.cols;
        if (!inside && all.view(r, c) != before[static_cast<std::size_t>(r * all.view.cols + c)]) return false;
      }
    }
    return true;
  }

  RandomMatrix all;
  std::vector<float> before;
  MatView<float> view;
};

template <class S>
std::vector<S> row_of(MatView<const float> matrix, std::int64_t r) {
  return {matrix.row(r), matrix.row(r) + matrix.cols};
}

std::vector<double> reference(const std::vector<double>& z, const std::vector<float>& gain, std::int64_t units) {
  const std::vector<double> gains(gain.begin(), gain.end());
  std::vector<double> y;
  ref::layer_norm_forward(static_cast<std::size_t>(units), z, std::span<const double>(gains), y);
  return y;
}

TEST(LayerNorm, ForwardMatchesTheReferenceWithAndWithoutABias) {
  for (const std::int64_t units : kWidths) {
    const std::int64_t cols = kGroups * units;
    Framed z(kNormalizedRows, cols, 1);
    const RandomMatrix gain(1, cols, 2);
    const RandomMatrix bias(1, cols, 3);
    Framed with(kNormalizedRows, cols, 4);
    Framed without(kNormalizedRows, cols, 5);
    Framed normalized(kNormalizedRows, cols, 6);
    Framed inverse(kNormalizedRows, kGroups, 7);
    layer_norm_forward(units, {}, z.view, gain.values, bias.values, with.view, {});
    layer_norm_forward(units, {}, z.view, gain.values, {}, without.view, {normalized.view, inverse.view});
    for (std::int64_t r = 0; r < kNormalizedRows; ++r) {
      const std::vector<double> expected = reference(row_of<double>(z.view, r), gain.values, units);
      for (std::int64_t c = 0; c < cols; ++c) {
        const auto i = static_cast<std::size_t>(c);
        const double b = static_cast<double>(bias.values[i]);
        EXPECT_NEAR(without.view(r, c), expected[i], 3e-6) << units << " units";
        EXPECT_NEAR(with.view(r, c), expected[i] + b, 3e-6) << units << " units";
        EXPECT_EQ(without.view(r, c), gain.values[i] * normalized.view(r, c));
      }
    }
    EXPECT_TRUE(with.frame_is_untouched() && without.frame_is_untouched());
    EXPECT_TRUE(normalized.frame_is_untouched() && inverse.frame_is_untouched());
  }
}

TEST(LayerNorm, KeepingATapeAndWorkingInPlaceChangeNoBit) {
  for (const std::int64_t units : kWidths) {
    RandomMatrix z(kNormalizedRows, kGroups * units, 1);
    const RandomMatrix gain(1, kGroups * units, 2);
    const RandomMatrix bias(1, kGroups * units, 3);
    RandomMatrix y(kNormalizedRows, kGroups * units, 4);
    RandomMatrix normalized(kNormalizedRows, kGroups * units, 5);
    RandomMatrix inverse(kNormalizedRows, kGroups, 6);
    layer_norm_forward(units, {}, z.view, gain.values, bias.values, y.view, {normalized.view, inverse.view});
    layer_norm_forward(units, {}, z.view, gain.values, bias.values, z.view, {});
    EXPECT_EQ(z.values, y.values);
  }
}

TEST(LayerNorm, EachBlockHasMeanZeroAndVarianceOneUpToEpsilon) {
  for (const std::int64_t units : {2, 5, 16, 33, 200}) {
    RandomMatrix z(1, 2 * units, 8);
    for (float& value : z.values) value = 40 + 10 * value;
    const std::vector<float> gain(z.values.size(), 1.0F);
    layer_norm_forward(units, {}, z.view, gain, {}, z.view, {});
    for (std::int64_t block = 0; block < 2; ++block) {
      double sum = 0;
      double squares = 0;
      for (std::int64_t j = 0; j < units; ++j) {
        const double n = static_cast<double>(z.view(0, block * units + j));
        sum += n;
        squares += n * n;
      }
      EXPECT_NEAR(sum / static_cast<double>(units), 0, 2e-6);
      EXPECT_NEAR(squares / static_cast<double>(units), 1, 2e-4);  // epsilon against the variance of two numbers
    }
  }
}

TEST(LayerNorm, EqualNumbersBecomeTheBias) {
  for (const std::int64_t units : kWidths) {
    std::vector<float> z(static_cast<std::size_t>(units), 0.125F);
    const RandomMatrix gain(1, units, 2);
    const RandomMatrix bias(1, units, 3);
    const MatView<float> view(z.data(), 1, units);
    layer_norm_forward(units, {}, view, gain.values, bias.values, view, {});
    EXPECT_EQ(z, bias.values) << units << " units";
  }
}

TEST(LayerNorm, ALargeMeanCostsNoMoreThanItsOwnRounding) {
  constexpr std::int64_t kWidth = 200;
  RandomMatrix z(1, kWidth, 9);
  for (float& value : z.values) value += 1e4F;
  const std::vector<float> gain(z.values.size(), 1.0F);
  const std::vector<double> expected = reference(row_of<double>(z.view, 0), gain, kWidth);
  layer_norm_forward(kWidth, {}, z.view, gain, {}, z.view, {});
  EXPECT_LE(ref::relative_error(std::span<const float>(z.values), std::span(expected)), 2e-3);
}

TEST(LayerNorm, BackwardMatchesComplexStepOfTheReference) {
  for (const std::int64_t units : {4, 5, 17, 33}) {
    const auto cols = static_cast<std::size_t>(kGroups * units);
    const RandomMatrix z(kNormalizedRows, kGroups * units, 1);
    const RandomMatrix gain(1, kGroups * units, 2);
    RandomMatrix y(kNormalizedRows, kGroups * units, 3);
    const RandomMatrix dy(kNormalizedRows, kGroups * units, 4);
    RandomMatrix dz(kNormalizedRows, kGroups * units, 5);
    RandomMatrix inverse(kNormalizedRows, kGroups, 6);
    RandomMatrix dgain(kNormalizedRows, kGroups * units, 7);
    const std::vector<float> before = dgain.values;
    layer_norm_forward(units, {}, z.view, gain.values, {}, y.view, {dz.view, inverse.view});
    layer_norm_backward(units, {}, dy.view, gain.values, {dz.view, inverse.view}, dgain.view);
    for (std::int64_t r = 0; r < kNormalizedRows; ++r) {
      std::vector<Complex> point = row_of<Complex>(z.view, r);
      point.insert(point.end(), gain.values.begin(), gain.values.end());
      const std::vector<double> expected = ref::complex_step_gradient(std::span(point), [&] {
        const std::vector<Complex> at(point.begin(), point.begin() + static_cast<std::ptrdiff_t>(cols));
        std::vector<Complex> out;
        ref::layer_norm_forward(static_cast<std::size_t>(units), at, std::span<const Complex>(point).subspan(cols),
                                out);
        Complex sum = 0;
        for (std::size_t c = 0; c < cols; ++c)
          sum += static_cast<double>(dy.view(r, static_cast<std::int64_t>(c))) * out[c];
        return sum;
      });
      const std::vector<double> reals = row_of<double>(z.view, r);
      const std::vector<double> gains(gain.values.begin(), gain.values.end());
      std::vector<double> ref_dz;
      std::vector<double> ref_dgain(cols);
      ref::layer_norm_backward(static_cast<std::size_t>(units), reals, std::span<const double>(gains),
                               row_of<double>(dy.view, r), std::span(ref_dgain), ref_dz);
      const std::span all(expected);
      EXPECT_LE(ref::relative_error(std::span<const double>(ref_dz), all.first(cols)), 1e-12);
      EXPECT_LE(ref::relative_error(std::span<const double>(ref_dgain), all.subspan(cols)), 1e-12);
      const std::vector<float> row = row_of<float>(dz.view, r);
      std::vector<float> added = row_of<float>(dgain.view, r);
      for (std::size_t c = 0; c < cols; ++c) added[c] -= before[static_cast<std::size_t>(r) * cols + c];
      EXPECT_LE(ref::relative_error(std::span<const float>(row), all.first(cols)), 1e-5) << units << " units";
      EXPECT_LE(ref::relative_error(std::span<const float>(added), all.subspan(cols)), 1e-5) << units << " units";
    }
  }
}

TEST(LayerNorm, RowsThatAreResetAreNeitherReadNorLearnedFrom) {
  constexpr std::int64_t kWidth = 17;
  const std::vector<std::uint8_t> reset = {0, 1, 0, 0, 1};
  RandomMatrix z(kNormalizedRows, kGroups * kWidth, 1);
  for (const std::int64_t r : {1, 4}) std::fill_n(z.view.row(r), kGroups * kWidth, kUnset);
  const RandomMatrix gain(1, kGroups * kWidth, 2);
  RandomMatrix y(kNormalizedRows, kGroups * kWidth, 3);
  const std::vector<float> y_before = y.values;
  RandomMatrix dz(kNormalizedRows, kGroups * kWidth, 4);
  for (float& value : dz.values) value = kUnset;
  RandomMatrix inverse(kNormalizedRows, kGroups, 5);
  const RandomMatrix dy(kNormalizedRows, kGroups * kWidth, 6);
  RandomMatrix dgain(kNormalizedRows, kGroups * kWidth, 7);
  const std::vector<float> dgain_before = dgain.values;
  layer_norm_forward(kWidth, reset, z.view, gain.values, {}, y.view, {dz.view, inverse.view});
  layer_norm_backward(kWidth, reset, dy.view, gain.values, {dz.view, inverse.view}, dgain.view);
  const auto row = [](const std::vector<float>& all, std::int64_t r) {
    return std::span(all).subspan(static_cast<std::size_t>(r * kGroups * kWidth), kGroups * kWidth);
  };
  for (std::int64_t r = 0; r < kNormalizedRows; ++r) {
    const bool is_reset = reset[static_cast<std::size_t>(r)] != 0;
    EXPECT_EQ(same_bits(row(y.values, r), row(y_before, r)), is_reset);
    EXPECT_EQ(same_bits(row(dgain.values, r), row(dgain_before, r)), is_reset);
    EXPECT_EQ(std::ranges::all_of(row(dz.values, r), [](float d) { return d == 0; }), is_reset);
  }
}

TEST(LayerNorm, ARowsBitsDoNotDependOnItsNeighbours) {
  for (const std::int64_t units : kWidths) {
    const std::int64_t cols = kGroups * units;
    const RandomMatrix z(kNormalizedRows, cols, 1);
    const RandomMatrix gain(1, cols, 2);
    const RandomMatrix dy(kNormalizedRows, cols, 3);
    const auto run = [&](std::int64_t first, std::int64_t count) {
      RandomMatrix y(count, cols, 4);
      RandomMatrix dz(count, cols, 5);
      RandomMatrix inverse(count, kGroups, 6);
      RandomMatrix dgain(count, cols, 7);
      std::ranges::fill(dgain.values, 0.0F);
      const NormTape tape{dz.view, inverse.view};
      layer_norm_forward(units, {}, z.view.row_range(first, count), gain.values, {}, y.view, tape);
      layer_norm_backward(units, {}, dy.view.row_range(first, count), gain.values, tape, dgain.view);
      std::vector<float> all = y.values;
      all.insert(all.end(), dz.values.begin(), dz.values.end());
      all.insert(all.end(), dgain.values.begin(), dgain.values.end());
      return all;
    };
    const std::vector<float> whole = run(0, kNormalizedRows);
    const auto size = static_cast<std::size_t>(cols);
    for (std::int64_t r = 0; r < kNormalizedRows; ++r) {
      const std::vector<float> alone = run(r, 1);
      for (std::size_t part = 0; part < 3; ++part) {
        const std::size_t at = part * kNormalizedRows * size + static_cast<std::size_t>(r) * size;
        EXPECT_TRUE(same_bits(std::span(alone).subspan(part * size, size), std::span(whole).subspan(at, size)));
      }
    }
  }
}

class NormalizedCell : public testing::TestWithParam<Cell> {
 protected:
  [[nodiscard]] static LayerKind layer() { return {GetParam(), true}; }
};

TEST_P(NormalizedCell, ReferenceBackwardMatchesComplexStepAtARandomPoint) {
  std::uint64_t seed = 1;
  for (const RecurrentShape& shape : small_shapes()) {
    for (const Resets resets : {Resets::kNone, Resets::kSome}) {
      const RecurrentPoint point = random_point(layer(), shape, seed++, resets);
      EXPECT_TRUE(agree(point.slices, reference_gradient(point), complex_step_gradient(point), 1e-12))
          << describe(point);
    }
  }
}

TEST_P(NormalizedCell, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(layer()); }
TEST_P(NormalizedCell, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(layer()); }
TEST_P(NormalizedCell, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(layer()); }
TEST_P(NormalizedCell, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(layer()); }
TEST_P(NormalizedCell, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(layer());
}
TEST_P(NormalizedCell, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(layer()); }
TEST_P(NormalizedCell, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(layer()); }
TEST_P(NormalizedCell, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(layer()); }
TEST_P(NormalizedCell, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(layer());
}
TEST_P(NormalizedCell, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(layer()); }
TEST_P(NormalizedCell, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(layer()); }

// The purpose of normalisation: the scale of the weights has no effect.
TEST_P(NormalizedCell, ScalingTheWeightsChangesNothing) {
  Workers workers(1);
  RecurrentPoint point = random_point(layer(), {4, 3, 5, 33}, 21, Resets::kNone);
  const std::vector<double> expected = reference_run(point).tape.h.values;
  for (const char* name : {"U", "W"}) {
    for (std::int64_t i = 0; i < point.slice(name).size; ++i) {
      point.values[static_cast<std::size_t>(point.slice(name).offset + i)] *= 1024;
    }
  }
  LayerRun run(point, workers);
  run.forward();
  const std::vector<float> h = run.outputs();
  EXPECT_LE(ref::relative_error(std::span(h), std::span(expected)), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(EveryCell, NormalizedCell, testing::ValuesIn(kTaking), [](const auto& cell) {
  std::string name(cell_name(cell.param));
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace unroll
