// A test of the tests: typical mistakes in the backward of two directions, in plain loops, must not pass the comparison
// with the complex step. Each is one changed line of the correct backward.
#include <gtest/gtest.h>

#include <complex>
#include <span>
#include <vector>

#include "network/random_windows.h"
#include "network/ref/levels.h"
#include "nn/ref/complex_step.h"

namespace unroll {
namespace {

using Mat = ref::Matrix<double>;
using Complex = std::complex<double>;

enum class DirectionMistake {
  kNone,
  kInputNotReversed,   // dx += d of the reversed input       for its rows brought back from reversed time
  kOutputNotReversed,  // the backward layer gets dk          for dk in reversed time
  kSwappedHalves,      // dh and dk are exchanged
  kOneDirection,       // dx without the backward layer's part
};

constexpr std::int64_t kInputs = 3;
constexpr std::int64_t kUnits = 2;

// One level of both directions over two rows of texts: all parameters, then x.
struct LevelPoint {
  LevelPoint() {
    RandomNumbers random(3);
    const NetworkConfig config{.vocabulary = 2, .embed = 1, .hidden = 1, .outputs = 2, .bidirectional = true};
    window = random_window(config, 7, 2, random);
    shape = {.cell = Cell::kGru,
             .T = window.T,
             .B = window.B,
             .H = kUnits,
             .levels = 1,
             .bidirectional = true,
             .residual = false,
             .reset = window.reset};
    for (std::int64_t i = 0; i < 2 * layer_size() + window.T * window.B * kInputs; ++i) {
      values.push_back(static_cast<double>(random.next()));
    }
    for (std::int64_t i = 0; i < window.T * window.B * 2 * kUnits; ++i) {
      wanted.push_back(static_cast<double>(random.next()));
    }
  }

  static std::int64_t layer_size() { return 3 * kUnits * (kInputs + kUnits + 2); }

  template <class S>
  static RecurrentParams<S> layer(S* first) {
    constexpr std::int64_t kRows = 3 * kUnits;
    S* const biases = first + kRows * (kInputs + kUnits);
    return {.U = {first, kRows, kInputs},
            .W = {first + kRows * kInputs, kRows, kUnits},
            .b_input = {biases, static_cast<std::size_t>(kRows)},
            .b_hidden = {biases + kRows, static_cast<std::size_t>(kRows)}};
  }
  template <class S>
  static std::vector<RecurrentParams<S>> layers(S* first) {
    return {layer(first), layer(first + layer_size())};
  }

  // The sum of outputs times `wanted`.
  template <class S>
  S loss(const std::vector<S>& at, ref::LevelsTape<S>& tape) const {
    ref::Matrix<S> x(shape.T * shape.B, kInputs);
    std::copy(at.begin() + 2 * layer_size(), at.end(), x.values.begin());
    const std::vector<RecurrentParams<const S>> p = layers(at.data());
    const std::vector<ref::State<S>> zero(2, ref::zero_state<S>(shape.cell, shape.B, kUnits));
    std::vector<ref::State<S>> after;
    const ref::Matrix<S> y = ref::levels_forward<S>(shape, p, x, {}, zero, tape, after);
    S sum(0);
    for (std::size_t i = 0; i < wanted.size(); ++i) sum += S(wanted[i]) * y.values[i];
    return sum;
  }

  Window window;
  ref::LevelsShape shape;
  std::vector<double> values;
  std::vector<double> wanted;
};

std::vector<double> gradient_with(DirectionMistake mistake, const LevelPoint& point) {
  ref::LevelsTape<double> tape;
  static_cast<void>(point.loss(point.values, tape));
  const ref::LevelsShape& s = point.shape;
  const std::int64_t rows = s.T * s.B;
  Mat dh(rows, kUnits);
  Mat dk(rows, kUnits);
  const bool swapped = mistake == DirectionMistake::kSwappedHalves;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < kUnits; ++j) {
      (swapped ? dk : dh)(r, j) = point.wanted[static_cast<std::size_t>(r * 2 * kUnits + j)];
      (swapped ? dh : dk)(r, j) = point.wanted[static_cast<std::size_t>(r * 2 * kUnits + kUnits + j)];
    }
  }
  std::vector<double> gradient(point.values.size());
  const std::vector<RecurrentParams<const double>> p = LevelPoint::layers(point.values.data());
  const std::vector<RecurrentParams<double>> dp = LevelPoint::layers(gradient.data());
  const RecurrentShape shape{s.T, s.B, kInputs, kUnits};
  const ref::State<double> zero = ref::zero_state<double>(s.cell, s.B, kUnits);
  ref::State<double> before;
  Mat dx;
  Mat dreversed;
  ref::recurrent_backward(s.cell, shape, p[0], tape.layers[0], dh, zero, dp[0], dx, before);
  const bool output = mistake == DirectionMistake::kOutputNotReversed;
  ref::recurrent_backward(s.cell, shape, p[1], tape.layers[1], output ? dk : ref::reversed_steps(s, dk), zero, dp[1],
                          dreversed, before);
  const bool input = mistake == DirectionMistake::kInputNotReversed;
  if (mistake != DirectionMistake::kOneDirection) ref::add(input ? dreversed : ref::reversed_steps(s, dreversed), dx);
  std::copy(dx.values.begin(), dx.values.end(), gradient.begin() + 2 * LevelPoint::layer_size());
  return gradient;
}

bool passes(DirectionMistake mistake) {
  const LevelPoint point;
  std::vector<Complex> values(point.values.begin(), point.values.end());
  ref::LevelsTape<Complex> tape;
  const std::vector<double> expected =
      ref::complex_step_gradient(std::span(values), [&] { return point.loss(values, tape); });
  const std::vector<double> gradient = gradient_with(mistake, point);
  return ref::relative_error(std::span<const double>(gradient), std::span<const double>(expected)) < 1e-12;
}

TEST(PlantedDirectionMistakes, TheCorrectBackwardPasses) { EXPECT_TRUE(passes(DirectionMistake::kNone)); }

TEST(PlantedDirectionMistakes, EachMistakeIsFound) {
  using enum DirectionMistake;
  for (const DirectionMistake mistake : {kInputNotReversed, kOutputNotReversed, kSwappedHalves, kOneDirection}) {
    EXPECT_FALSE(passes(mistake)) << static_cast<int>(mistake);
  }
}

}  // namespace
}  // namespace unroll
