// The reference layers are the definition, so they are compared with derivatives computed without backpropagation, and
// with values worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "support/recurrent_point.h"

namespace unroll {
namespace {

constexpr double kExact = 1e-12;

// Every cell at every small shape, with and without resets, each at its own point.
void for_each_point(const std::function<void(const RecurrentPoint&)>& check) {
  std::uint64_t seed = 1;
  for (const Cell cell : all_cells()) {
    for (const RecurrentShape& shape : small_shapes()) {
      for (const Resets resets : {Resets::kNone, Resets::kSome}) {
        const RecurrentPoint point = random_point(cell, shape, seed++, resets);
        SCOPED_TRACE(describe(point));
        check(point);
      }
    }
  }
}

// The ids, targets and masks of a window, shared by the complex and the double run.
struct NetworkPoint {
  NetworkConfig config;
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> targets;
  std::vector<std::uint8_t> reset;
  std::vector<std::vector<float>> masks;
  std::vector<std::vector<float>> weight_masks;
  double ar = 0;
  double tar = 0;
  std::vector<float> values;      // parameters, then h0 (and c0) of each layer
  std::vector<float> from_after;  // gradient with respect to the state after the window, laid out as that state

  template <class S>
  [[nodiscard]] ref::Window<S> window() const {
    ref::Window<S> w{.T = T,
                     .B = B,
                     .inputs = inputs,
                     .targets = targets,
                     .reset = reset,
                     .masks = {},
                     .weight_masks = {},
                     .ar = ar,
                     .tar = tar};
    const auto matrix = [](const std::vector<float>& numbers, std::int64_t rows) {
      return matrix_of<S>(std::span<const float>(numbers), rows, std::ssize(numbers) / rows);
    };
    for (const std::vector<float>& mask : masks) w.masks.push_back(matrix(mask, T * B));
    const std::int64_t units = gate_count(config.cell) * config.hidden;
    for (const std::vector<float>& mask : weight_masks) w.weight_masks.push_back(matrix(mask, units));
    return w;
  }
};

std::int64_t state_size(const NetworkPoint& p) {
  return p.config.layers * p.B * p.config.hidden * (has_cell_state(p.config.cell) ? 2 : 1);
}

template <class S, class From>
std::vector<ref::State<S>> states_of(const NetworkPoint& p, std::span<const From> numbers) {
  std::vector<ref::State<S>> states;
  const auto size = static_cast<std::size_t>(p.B * p.config.hidden);
  const auto take = [&] {
    const auto matrix = matrix_of<S>(numbers, p.B, p.config.hidden);
    numbers = numbers.subspan(size);
    return matrix;
  };
  for (std::int64_t l = 0; l < p.config.layers; ++l) {
    ref::State<S> state{take(), {}};
    if (has_cell_state(p.config.cell)) state.c = take();
    states.push_back(std::move(state));
  }
  return states;
}

NetworkPoint random_network_point(const NetworkConfig& config, std::int64_t T, std::int64_t B, std::uint64_t seed) {
  NetworkPoint p{.config = config,
                 .T = T,
                 .B = B,
                 .inputs = {},
                 .targets = {},
                 .reset = random_resets(seed, T, B),
                 .masks = {},
                 .weight_masks = {},
                 .values = {},
                 .from_after = {}};
  const auto id = [&](float number) {
    return static_cast<std::int32_t>((number + 1) / 2 * static_cast<float>(config.vocabulary));
  };
  for (const float number : random_numbers(seed, 30, T * B, 1)) p.inputs.push_back(id(number));
  for (const float number : random_numbers(seed, 31, T * B, 1)) p.targets.push_back(number < -0.7F ? -1 : id(number));
  p.targets.front() = 0;
  p.values = random_numbers(seed, 32, parameter_count(config) + state_size(p), 0.8F);
  p.from_after = random_numbers(seed, 33, state_size(p), 1);
  return p;
}

// Zeros and twos.
std::vector<float> random_mask(std::uint64_t seed, std::uint32_t stream, std::int64_t size) {
  std::vector<float> mask = random_numbers(seed, stream, size, 1);
  for (float& m : mask) m = m < 0 ? 0.0F : 2.0F;
  return mask;
}

// The point with masks on every connection and every W, and with penalties.
NetworkPoint regularized(NetworkPoint p, std::uint64_t seed) {
  const std::int64_t H = p.config.hidden;
  std::uint32_t stream = 40;
  for (std::int64_t l = 0; l <= p.config.layers; ++l) {
    p.masks.push_back(random_mask(seed, stream++, p.T * p.B * (l == 0 ? p.config.embed : H)));
  }
  for (std::int64_t l = 0; l < p.config.layers; ++l) {
    p.weight_masks.push_back(random_mask(seed, stream++, gate_count(p.config.cell) * H * H));
  }
  p.ar = 2;
  p.tar = 3;
  return p;
}

// The loss plus the terms from after the window.
template <class S>
S network_objective(const NetworkPoint& p, std::span<const S> values) {
  ref::NetworkTape<S> tape;
  std::vector<ref::State<S>> state1;
  const auto state0 = states_of<S>(p, values.subspan(static_cast<std::size_t>(parameter_count(p.config))));
  S sum =
      ref::network_forward(p.config, ref::network_params(p.config, values.data()), p.window<S>(), state0, tape, state1);
  std::size_t i = 0;
  for (const ref::State<S>& state : state1) {
    for (const S& h : state.h.values) sum += S(p.from_after[i++]) * h;
    for (const S& c : state.c.values) sum += S(p.from_after[i++]) * c;
  }
  return sum;
}

std::vector<double> network_reference_gradient(const NetworkPoint& p) {
  const std::vector<double> values(p.values.begin(), p.values.end());
  const auto parameters = static_cast<std::size_t>(parameter_count(p.config));
  ref::NetworkTape<double> tape;
  std::vector<ref::State<double>> state1;
  std::vector<ref::State<double>> dstate0;
  const auto params = ref::network_params(p.config, values.data());
  const auto state0 = states_of<double>(p, std::span(values).subspan(parameters));
  ref::network_forward(p.config, params, p.window<double>(), state0, tape, state1);
  std::vector<double> gradient(parameters);
  ref::network_backward(p.config, params, p.window<double>(), tape,
                        states_of<double>(p, std::span<const float>(p.from_after)),
                        ref::network_params(p.config, gradient.data()), dstate0);
  for (const ref::State<double>& state : dstate0) {
    gradient.insert(gradient.end(), state.h.values.begin(), state.h.values.end());
    gradient.insert(gradient.end(), state.c.values.begin(), state.c.values.end());
  }
  return gradient;
}

std::vector<Slice> network_slices(const NetworkPoint& p) {
  std::vector<Slice> slices;
  for_each_tensor(
      p.config,
      [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
        slices.push_back({name, 0, rows * cols});
      },
      [&](const std::string& name, std::int64_t size) {
        slices.push_back({name, 0, size});
      });
  for (std::int64_t l = 0; l < p.config.layers; ++l) {
    slices.push_back({"h0 of layer " + std::to_string(l), 0, p.B * p.config.hidden});
    if (has_cell_state(p.config.cell)) slices.push_back({"c0 of layer " + std::to_string(l), 0, p.B * p.config.hidden});
  }
  for (std::size_t i = 1; i < slices.size(); ++i) slices[i].offset = slices[i - 1].offset + slices[i - 1].size;
  return slices;
}

testing::AssertionResult network_gradient_is_exact(const NetworkPoint& p) {
  std::vector<Complex> values(p.values.begin(), p.values.end());
  const std::vector<double> expected = ref::complex_step_gradient(
      std::span(values), [&] { return network_objective(p, std::span<const Complex>(values)); });
  return agree(network_slices(p), network_reference_gradient(p), expected, kExact);
}

TEST(ReferenceCell, BackwardMatchesComplexStepAtARandomPoint) {
  for_each_point([](const RecurrentPoint& point) {
    EXPECT_TRUE(agree(point.slices, reference_gradient(point), complex_step_gradient(point), kExact));
  });
}

TEST(ReferenceCell, BackwardMatchesCentralDifferencesAwayFromKinks) {
  for_each_point([](const RecurrentPoint& point) {
    std::vector<double> values(point.values.begin(), point.values.end());
    const auto objective = [&] {
      return ReferenceRun<double>(point, std::span<const double>(values)).objective(point);
    };
    const std::vector<double> differences = ref::central_difference_gradient(std::span(values), 1e-6, objective);
    EXPECT_TRUE(agree(point.slices, reference_gradient(point), differences, 1e-7));
  });
}

TEST(ReferenceCell, BackwardAddsToParameterGradientsAndSetsTheOthers) {
  for_each_point([](const RecurrentPoint& point) {
    const std::vector<float> initial = random_numbers(77, 0, static_cast<std::int64_t>(point.values.size()), 1);
    std::vector<double> expected = reference_gradient(point);
    const auto parameters = static_cast<std::size_t>(point.slice("x").offset);
    for (std::size_t i = 0; i < parameters; ++i) expected[i] += static_cast<double>(initial[i]);
    EXPECT_TRUE(agree(point.slices, reference_gradient(point, reference_backward(point), initial), expected, 1e-14));
  });
}

TEST(ReferenceCell, InFloatLiesWithinRoundingOfDouble) {
  for_each_point([](const RecurrentPoint& point) {
    const ReferenceRun<float> run(point, std::span<const float>(point.values));
    const ReferenceRun<double> expected = reference_run(point);
    EXPECT_LE(ref::relative_error(std::span<const float>(run.tape.h.values), std::span(expected.tape.h.values)), 2e-6);
  });
}

TEST(ReferenceCell, AResetStepIsTheFirstStepOfASequenceThatStartsFromZero) {
  for (const Cell cell : all_cells()) {
    RecurrentPoint whole = random_point(cell, {5, 2, 3, 4}, 5, Resets::kNone);
    whole.reset.assign(10, 0);
    whole.reset[4] = whole.reset[5] = 1;  // before step 2, both rows
    RecurrentPoint tail = random_point(cell, {3, 2, 3, 4}, 5, Resets::kNone);
    const auto place = [](const RecurrentPoint& p, const char* name) {
      return p.values.begin() + p.slice(name).offset;
    };
    const auto place_in_tail = [&](const char* name) { return tail.values.begin() + tail.slice(name).offset; };
    std::copy(whole.values.cbegin(), place(whole, "x"), tail.values.begin());
    std::copy(place(whole, "x") + 2 * 2 * 3, place(whole, "h0"), place_in_tail("x"));
    std::fill(place_in_tail("h0"), tail.values.end(), 0.0F);
    const std::vector<double> h_whole = reference_run(whole).tape.h.values;
    const std::vector<double> h_tail = reference_run(tail).tape.h.values;
    EXPECT_TRUE(std::equal(h_tail.begin(), h_tail.end(), h_whole.begin() + 2 * 2 * 4)) << cell_name(cell);
  }
}

TEST(ReferenceCell, AResetPassesNoGradientToThePreviousState) {
  for (const Cell cell : all_cells()) {
    RecurrentPoint point = random_point(cell, {3, 2, 5, 4}, 6, Resets::kNone);
    point.reset = {0, 1, 0, 0, 0, 0};  // row 1 starts from zero
    const std::vector<double> gradient = reference_gradient(point);
    for (std::size_t i = static_cast<std::size_t>(point.slice("h0").offset); i < gradient.size(); ++i) {
      const bool in_row_1 = (i - static_cast<std::size_t>(point.slice("h0").offset)) / 4 % 2 == 1;
      EXPECT_EQ(gradient[i] == 0, in_row_1) << cell_name(cell) << " element " << i;
    }
  }
}

// One unit, one step, with numbers that can be checked by hand: the anchor of the definition.
TEST(ReferenceCell, OneStepOfOneUnitComputesTheEquationsWorkedOutByHand) {
  const auto sigma = [](double a) { return 1 / (1 + std::exp(-a)); };
  const auto output = [](Cell cell, const std::vector<float>& values) {
    RecurrentPoint point = random_point(cell, {1, 1, 1, 1}, 1, Resets::kNone);
    point.values = values;
    return reference_run(point);
  };
  // One gate: U, W, b, b', x = 2, h0 = 0.5.
  EXPECT_NEAR(output(Cell::kRnnTanh, {0.5F, -1, 0.25F, 0.125F, 2, 0.5F}).state1.h(0, 0), std::tanh(0.875), 1e-15);
  EXPECT_NEAR(output(Cell::kRnnRelu, {0.5F, -1, 0.25F, 0.125F, 2, 0.5F}).state1.h(0, 0), 0.875, 1e-15);
  EXPECT_EQ(output(Cell::kRnnRelu, {-0.5F, -1, 0.25F, 0.125F, 2, 0.5F}).state1.h(0, 0), 0);
  // r,z,n: U = 1,2,3 and W = 4,5,6 (quarters); b = 0; b' = 0,0,1; x = 1, h0 = 2.
  const std::vector<float> gru = {0.25F, 0.5F, 0.75F, 1, 1.25F, 1.5F, 0, 0, 0, 0, 0, 1, 1, 2};
  const double r = sigma(0.25 + 2);
  const double z = sigma(0.5 + 2.5);
  const double after = std::tanh(0.75 + r * (3 + 1));
  const double before = std::tanh(0.75 + 1.5 * (r * 2) + 1);
  EXPECT_NEAR(output(Cell::kGru, gru).state1.h(0, 0), (1 - z) * after + z * 2, 1e-15);
  EXPECT_NEAR(output(Cell::kGruResetBefore, gru).state1.h(0, 0), (1 - z) * before + z * 2, 1e-15);
  // i,f,g,o: U = 1,2,3,4 (quarters), W = -1,1,0,2 (quarters), b = 0, b' = 0; x = 1, h0 = 1, c0 = 2.
  const auto lstm =
      output(Cell::kLstm, {0.25F, 0.5F, 0.75F, 1, -0.25F, 0.25F, 0, 0.5F, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2});
  const double c = sigma(0.75) * 2 + sigma(0.0) * std::tanh(0.75);
  EXPECT_NEAR(lstm.state1.c(0, 0), c, 1e-15);
  EXPECT_NEAR(lstm.state1.h(0, 0), sigma(1.5) * std::tanh(c), 1e-15);
}

TEST(ReferenceCell, OneStepOfOneUnitOfTheMinimalCellsComputesTheEquationsWorkedOutByHand) {
  const auto sigma = [](double a) { return 1 / (1 + std::exp(-a)); };
  const auto output = [](Cell cell, const std::vector<float>& values) {
    RecurrentPoint point = random_point(cell, {1, 1, 1, 1}, 1, Resets::kNone);
    point.values = values;
    return reference_run(point).state1.h(0, 0);
  };
  // z,n: U = 1,-3 (quarters), b = 0,1; x = 1, h0 = 2. Then with a candidate below zero.
  const double keep = 1 - sigma(0.25);
  EXPECT_NEAR(output(Cell::kMinGru, {0.25F, -0.75F, 0, 1, 1, 2}), keep * 2 + (1 - keep) * 0.75, 1e-15);
  EXPECT_NEAR(output(Cell::kMinGru, {0.25F, -0.75F, 0, 0, 1, 2}), keep * 2 + (1 - keep) * sigma(-0.75), 1e-15);
  // f,i,n: U = 1,-2,-3 (quarters), b = 0,0,1; x = 1, h0 = 2.
  const double f = sigma(0.25);
  const double i = sigma(-0.5);
  EXPECT_NEAR(output(Cell::kMinLstm, {0.25F, -0.5F, -0.75F, 0, 0, 1, 1, 2}), (f * 2 + i * 0.75) / (f + i), 1e-15);
}

TEST(ReferenceNetwork, BackwardMatchesComplexStepForEveryCellAndDepth) {
  std::uint64_t seed = 100;
  for (const Cell cell : all_cells()) {
    for (const std::int64_t layers : {1, 2, 3}) {
      const NetworkConfig config{.cell = cell, .vocabulary = 7, .embed = 5, .hidden = 6, .layers = layers};
      EXPECT_TRUE(network_gradient_is_exact(random_network_point(config, 4, 3, seed++)))
          << cell_name(cell) << ", " << layers << " layers";
    }
  }
}

TEST(ReferenceNetwork, BackwardMatchesComplexStepWithTiedEmbeddings) {
  for (const Cell cell : all_cells()) {
    const NetworkConfig config{.cell = cell, .vocabulary = 7, .embed = 5, .hidden = 5, .layers = 2, .tied = true};
    EXPECT_TRUE(network_gradient_is_exact(random_network_point(config, 4, 3, 200))) << cell_name(cell);
  }
}

TEST(ReferenceNetwork, BackwardMatchesComplexStepThroughEveryRegularization) {
  for (const Cell cell : all_cells()) {
    for (const bool residual : {false, true}) {
      for (const bool tied : {false, true}) {
        const NetworkConfig config{
            .cell = cell, .vocabulary = 7, .embed = 5, .hidden = 6, .layers = 3, .tied = tied, .residual = residual};
        EXPECT_TRUE(network_gradient_is_exact(regularized(random_network_point(config, 4, 3, 300), 301)))
            << cell_name(cell);
      }
    }
  }
}

TEST(ReferenceNetwork, BackwardMatchesComplexStepForOneStepAndOneRow) {
  for (const Cell cell : all_cells()) {
    const NetworkConfig config{.cell = cell, .vocabulary = 3, .embed = 2, .hidden = 4, .layers = 2};
    EXPECT_TRUE(network_gradient_is_exact(random_network_point(config, 1, 4, 400))) << cell_name(cell);
    EXPECT_TRUE(network_gradient_is_exact(random_network_point(config, 5, 1, 401))) << cell_name(cell);
    EXPECT_TRUE(network_gradient_is_exact(random_network_point(config, 1, 1, 402))) << cell_name(cell);
  }
}

TEST(ReferenceSoftmax, LossOfEqualLogitsIsTheLogarithmOfTheirNumber) {
  const std::vector<double> V_out(7 * 2, 0.5);
  const std::vector<double> b(7, -3);
  ref::Matrix<double> h(4, 2);
  h(1, 0) = 5;
  const std::vector<std::int32_t> targets = {0, 6, -1, 3};
  ref::SoftmaxTape<double> tape;
  const double loss = ref::softmax_loss_forward(MatView<const double>(V_out.data(), 7, 2), std::span<const double>(b),
                                                h, std::span<const std::int32_t>(targets), tape);
  EXPECT_NEAR(loss, std::log(7.0), 1e-15);
}

TEST(ReferenceSoftmax, HoldsForLogitsThatOverflowWithoutTheirMaximum) {
  const std::vector<double> V_out = {1000, -1000, 0};
  const std::vector<double> b(3, 0);
  ref::Matrix<double> h(1, 1);
  h(0, 0) = 2;
  ref::SoftmaxTape<double> tape;
  const MatView<const double> view(V_out.data(), 3, 1);
  const std::vector<std::int32_t> likely = {0};
  const std::vector<std::int32_t> unlikely = {1};
  EXPECT_EQ(ref::softmax_loss_forward(view, std::span<const double>(b), h, std::span<const std::int32_t>(likely), tape),
            0);
  EXPECT_EQ(
      ref::softmax_loss_forward(view, std::span<const double>(b), h, std::span<const std::int32_t>(unlikely), tape),
      4000);
}

TEST(ReferenceSigmoid, IsFiniteAndCorrectWhereAnExponentialOverflows) {
  EXPECT_EQ(ref::sigmoid(1000.0), 1);
  EXPECT_EQ(ref::sigmoid(-1000.0), 0);
  EXPECT_NEAR(ref::sigmoid(-40.0), std::exp(-40.0), 1e-32);
  EXPECT_EQ(ref::sigmoid(Complex(-1000, 1e-100)), Complex(0, 0));
}

}  // namespace
}  // namespace unroll
