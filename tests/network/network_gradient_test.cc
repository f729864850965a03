// The fast network compared with the reference network and with the complex step: every cell, depth and option.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/philox.h"
#include "network/network.h"
#include "network/ref/network.h"
#include "nn/ref/complex_step.h"
#include "support/all_gradients.h"
#include "support/error_of.h"
#include "unroll/gradcheck.h"

namespace unroll {
namespace {

void expect_exact(const GradientCheckOptions& options) {
  for (const TensorGradientError& tensor : check_gradients(options)) {
    EXPECT_LE(tensor.reference, 1e-12) << cell_name(options.config.cell) << " " << tensor.name;
    EXPECT_LE(tensor.production, 1e-5) << cell_name(options.config.cell) << " " << tensor.name;
    EXPECT_GT(tensor.elements, 0);
  }
}

NetworkConfig config_of(Cell cell, std::int64_t layers = 2) {
  return {.cell = cell, .vocabulary = 7, .embed = 5, .hidden = 6, .layers = layers};
}

TEST(NetworkGradient, MatchesComplexStepForEveryCellDepthAndSeed) {
  for (const Cell cell : all_cells()) {
    for (const std::int64_t layers : {1, 2, 3}) {
      for (const std::uint64_t seed : {1U, 2U}) {
        expect_exact({.config = config_of(cell, layers), .steps = 4, .rows = 3, .seed = seed});
      }
    }
  }
}

TEST(NetworkGradient, MatchesComplexStepWithTiedEmbeddings) {
  for (const Cell cell : all_cells()) {
    NetworkConfig config = config_of(cell);
    config.embed = config.hidden;
    config.tied = true;
    expect_exact({.config = config, .steps = 4, .rows = 3, .seed = 3});
  }
}

TEST(NetworkGradient, MatchesComplexStepThroughAnAdaptiveSoftmax) {
  for (const Cell cell : all_cells()) {
    NetworkConfig config = config_of(cell, 1);
    config.vocabulary = 19;
    config.hidden = 17;
    config.cutoffs = {5, 9};
    expect_exact({.config = config, .steps = 4, .rows = 3, .seed = 13});
  }
}

TEST(NetworkGradient, MatchesComplexStepThroughDropout) {
  for (const Cell cell : all_cells()) {
    for (const bool locked : {false, true}) {
      const Regularization dropout{.words = 0.2, .input = 0.4, .between = 0.3, .output = 0.5, .locked = locked};
      expect_exact({.config = config_of(cell), .regularization = dropout, .steps = 4, .rows = 3, .seed = 4});
    }
  }
}

TEST(NetworkGradient, MatchesComplexStepThroughWeightDropAndPenalties) {
  for (const Cell cell : all_cells()) {
    expect_exact({.config = config_of(cell), .regularization = {.recurrent = 0.4}, .steps = 4, .rows = 3, .seed = 5});
    expect_exact({.config = config_of(cell), .regularization = {.ar = 2}, .steps = 4, .rows = 3, .seed = 6});
    expect_exact({.config = config_of(cell), .regularization = {.tar = 3}, .steps = 4, .rows = 3, .seed = 7});
    expect_exact({.config = config_of(cell), .regularization = {.ar = 1, .tar = 2}, .steps = 1, .rows = 3, .seed = 8});
  }
}

TEST(NetworkGradient, MatchesComplexStepThroughResidualConnectionsAndAProjection) {
  for (const Cell cell : all_cells()) {
    for (const std::int64_t layers : {1, 2, 4}) {
      for (const bool tied : {false, true}) {
        NetworkConfig config = config_of(cell, layers);
        config.residual = true;
        config.tied = tied;
        expect_exact({.config = config, .steps = 4, .rows = 3, .seed = 9});
        config.embed = 8;
        const Regularization all{.words = 0.1,
                                 .input = 0.2,
                                 .between = 0.3,
                                 .output = 0.2,
                                 .recurrent = 0.3,
                                 .locked = true,
                                 .ar = 1,
                                 .tar = 2};
        expect_exact({.config = config, .regularization = all, .steps = 4, .rows = 3, .seed = 10});
      }
    }
  }
}

TEST(NetworkGradient, MatchesComplexStepThroughLayerNormalisation) {
  for (const Cell cell : all_cells()) {
    if (!has_recurrent_weights(cell)) continue;
    for (const std::int64_t layers : {1, 3}) {
      NetworkConfig config = config_of(cell, layers);
      config.layer_norm = true;
      config.hidden = 11;
      expect_exact({.config = config, .steps = 4, .rows = 3, .seed = 10});
      const Regularization noise{.input = 0.3, .output = 0.3, .recurrent = 0.3};
      expect_exact({.config = config, .regularization = noise, .steps = 1, .rows = 1, .seed = 11});
    }
  }
}

// Behind two normalised units derivatives nearly cancel: the errors are those of rounding, and no mistake.
TEST(NetworkGradient, PassesWhereDerivativesCancel) {
  int rounded = 0;
  for (const Cell cell : {Cell::kRnnTanh, Cell::kRnnRelu, Cell::kLstm, Cell::kGru, Cell::kGruResetBefore}) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      NetworkConfig config = config_of(cell);
      config.hidden = 2;
      config.layer_norm = true;
      for (const TensorGradientError& tensor : check_gradients({.config = config, .seed = seed})) {
        EXPECT_TRUE(is_within_bounds(tensor)) << cell_name(cell) << " " << tensor.name << " " << tensor.production;
        if (tensor.production > GradientErrorBounds::kProduction) ++rounded;
      }
    }
  }
  EXPECT_GT(rounded, 0) << "the bounds were never needed";
}

// The bounds that rounding raises stay below the errors of wrong terms: 1e-2 at the usual sizes, and where derivatives
// cancel those of a tensor's gradient that is 0, doubled or of the wrong sign.
TEST(NetworkGradient, BoundsStayBelowTheErrorsOfWrongTerms) {
  for (const Cell cell : {Cell::kRnnTanh, Cell::kLstm, Cell::kGruResetBefore}) {
    NetworkConfig config = config_of(cell);
    config.layer_norm = true;
    for (const TensorGradientError& tensor : check_gradients({.config = config})) {
      EXPECT_LE(error_bounds(tensor).production, 1e-3) << cell_name(cell) << " " << tensor.name;
      EXPECT_LE(error_bounds(tensor).reference, 1e-11) << cell_name(cell) << " " << tensor.name;
    }
    config.hidden = 2;
    std::vector<double> bounds;
    for (const TensorGradientError& tensor : check_gradients({.config = config})) {
      EXPECT_LE(error_bounds(tensor).reference, 1e-6) << cell_name(cell) << " " << tensor.name;
      bounds.push_back(error_bounds(tensor).production);
    }
    std::ranges::sort(bounds);
    EXPECT_LE(bounds[bounds.size() * 9 / 10], 0.9) << cell_name(cell);
  }
}

TEST(GradientErrorBounds, AreTheUsualOnesWhereRoundingIsSmallOrUnknown) {
  for (const double rounding : {0.0, 1e-7, std::numeric_limits<double>::infinity(), std::nan("")}) {
    const TensorGradientError tensor{.name = "w", .reference = 1e-13, .production = 1e-5, .rounding = rounding};
    EXPECT_EQ(error_bounds(tensor).reference, GradientErrorBounds::kReference);
    EXPECT_EQ(error_bounds(tensor).production, GradientErrorBounds::kProduction);
    EXPECT_TRUE(is_within_bounds(tensor));
  }
  EXPECT_FALSE(is_within_bounds({.name = "w", .reference = 1e-11}));
  EXPECT_FALSE(is_within_bounds({.name = "w", .production = 1e-3}));
  EXPECT_FALSE(is_within_bounds({.name = "w", .production = std::nan("")}));
  EXPECT_TRUE(is_within_bounds({.name = "w", .reference = 1e-11, .production = 1e-2, .rounding = 1e-3}));
  EXPECT_FALSE(is_within_bounds({.name = "w", .production = 1, .rounding = 1e-3}));
}

TEST(NetworkGradient, MatchesComplexStepForOneStepOneRowAndLongWindows) {
  for (const Cell cell : all_cells()) {
    expect_exact({.config = config_of(cell), .steps = 1, .rows = 3, .seed = 5});
    expect_exact({.config = config_of(cell), .steps = 4, .rows = 1, .seed = 6});
    expect_exact({.config = config_of(cell), .steps = 1, .rows = 1, .seed = 7});
    expect_exact({.config = config_of(cell, 1), .steps = 23, .rows = 2, .seed = 8});
  }
}

TEST(NetworkGradient, MatchesComplexStepOnePastAVector) {
  for (const Cell cell : all_cells()) {
    NetworkConfig config = config_of(cell, 1);
    config.vocabulary = 19;
    config.embed = 9;
    config.hidden = 17;
    expect_exact({.config = config, .steps = 3, .rows = 2, .seed = 9});
  }
}

TEST(NetworkGradient, NamesEveryTensorAndChecksEveryElement) {
  const GradientCheckOptions options;
  std::int64_t elements = 0;
  std::vector<std::string> names;
  for (const TensorGradientError& tensor : check_gradients(options)) {
    elements += tensor.elements;
    names.push_back(tensor.name);
  }
  const std::int64_t states = 2 * options.config.layers * options.rows * options.config.hidden;
  EXPECT_EQ(elements, parameter_count(options.config) + states);
  EXPECT_EQ(names.front(), "encoder.weight");
  EXPECT_EQ(names.back(), "c_0 of layer 1");
  EXPECT_TRUE(std::ranges::count(names, "rnn.bias_hh_l1") == 1);
}

TEST(NetworkGradient, TheSameSeedChecksTheSamePoint) {
  const auto reference_errors = [](std::uint64_t seed) {
    std::vector<double> errors;
    for (const TensorGradientError& tensor : check_gradients({.config = config_of(Cell::kGru), .seed = seed})) {
      errors.push_back(tensor.production);
    }
    return errors;
  };
  EXPECT_EQ(reference_errors(11), reference_errors(11));
  EXPECT_NE(reference_errors(11), reference_errors(12));
}

TEST(NetworkGradient, RefusesSizesThatAreZeroOrTooLarge) {
  const auto refuses = [](const GradientCheckOptions& options, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { static_cast<void>(check_gradients(options)); });
  };
  GradientCheckOptions no_steps;
  no_steps.steps = 0;
  EXPECT_TRUE(refuses(no_steps, "steps is 0"));
  GradientCheckOptions no_rows;
  no_rows.rows = -1;
  EXPECT_TRUE(refuses(no_rows, "rows is -1"));
  GradientCheckOptions huge;
  huge.config.hidden = 2000;
  EXPECT_TRUE(refuses(huge, "make the network or the window smaller"));
  GradientCheckOptions impossible;
  impossible.regularization.tar = -1;
  EXPECT_TRUE(refuses(impossible, "tar is -1"));
}

constexpr NoiseKey kNoise{.seed = 3, .step = 9};

// A network at a random point, with room for windows that are larger than the one it reads.
struct Trained {
  Trained(const NetworkConfig& network, std::int64_t most_steps, std::int64_t most_rows, Workers& team,
          const Regularization& regularization = {})
      : config(network),
        workers(team),
        parameters(network),
        gradients(network, most_steps * most_rows),
        weights(network, Purpose::kTraining, Precision::kF32, regularization.recurrent),
        net(network, Purpose::kTraining, most_steps, most_rows, team, regularization) {
    std::uint32_t row = 0;
    for (const ParameterTensor& tensor : parameters.tensors()) {
      std::uint32_t i = 0;
      for (float& value : parameters.values(tensor)) {
        value = 0.7F * (2 * uniform_float(random_words(5, 0, RandomPurpose::kTestPoint, 1, row, i++)[0]) - 1);
      }
      ++row;
    }
    weights.pack(parameters, team, kNoise);
  }

  double step(const Window& window, NetworkState& state, NetworkState* dstate0 = nullptr) {
    net.forward(weights, window, state, kNoise);
    return net.backward(weights, window, gradients, kNoise, dstate0);
  }

  [[nodiscard]] Parameters all() const { return all_gradients(config, gradients); }

  NetworkConfig config;
  Workers& workers;
  Parameters parameters;
  Gradients gradients;
  NetworkWeights weights;
  Network net;
};

Window window_of(std::int64_t T, std::int64_t B, std::int64_t vocabulary, std::uint64_t seed) {
  Window window{.T = T, .B = B, .inputs = {}, .targets = {}, .reset = {}, .predictions = 0};
  for (std::int64_t row = 0; row < T * B; ++row) {
    const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 2, static_cast<std::uint32_t>(row), 0);
    const auto id = [&](std::uint32_t word) {
      return static_cast<std::int32_t>(word % static_cast<std::uint32_t>(vocabulary));
    };
    window.inputs.push_back(id(words[0]));
    window.targets.push_back(words[1] % 5 == 0 && row > 0 ? kIgnored : id(words[2]));
    window.reset.push_back(words[3] % 4 == 0 ? 1 : 0);
    if (window.targets.back() != kIgnored) ++window.predictions;
  }
  return window;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// The same network in double.
double reference_loss(const Trained& trained, const Window& window) {
  std::vector<double> values;
  for (const ParameterTensor& tensor : trained.parameters.tensors()) {
    const auto numbers = trained.parameters.values(tensor);
    values.insert(values.end(), numbers.begin(), numbers.end());
  }
  std::vector<ref::State<double>> state0(static_cast<std::size_t>(trained.config.layers),
                                         ref::zero_state<double>(trained.config.cell, window.B, trained.config.hidden));
  std::vector<ref::State<double>> state1;
  ref::NetworkTape<double> tape;
  return ref::network_forward(trained.config, ref::network_params(trained.config, std::as_const(values).data()),
                              {.T = window.T,
                               .B = window.B,
                               .inputs = window.inputs,
                               .targets = window.targets,
                               .reset = window.reset,
                               .masks = {},
                               .weight_masks = {}},
                              state0, tape, state1);
}

TEST(Network, BackwardReturnsTheReferencesLoss) {
  Workers workers(2);
  for (const Cell cell : all_cells()) {
    Trained trained(config_of(cell, 3), 9, 5, workers);
    const Window window = window_of(9, 5, 7, 1);
    NetworkState state(trained.config, 5);
    const double loss = trained.step(window, state);
    EXPECT_NEAR(loss, reference_loss(trained, window), 1e-6 * loss) << cell_name(cell);
    double sum = 0;
    for (const double log_prob : trained.net.log_probs(trained.weights, window)) sum -= log_prob;
    EXPECT_EQ(loss, sum / static_cast<double>(window.predictions));
  }
}

void expect_a_smaller_window_to_have_the_bits_of_a_plan_of_its_size(bool layer_norm) {
  Workers workers(2);
  for (const Cell cell : all_cells()) {
    if (layer_norm && !has_recurrent_weights(cell)) continue;
    NetworkConfig config = config_of(cell, 3);
    config.layer_norm = layer_norm;
    config.residual = true;
    config.tied = true;
    const Regularization all{.words = 0.1, .input = 0.3, .between = 0.3, .recurrent = 0.2, .locked = true, .tar = 1};
    Trained exact(config, 4, 3, workers, all);
    Trained roomy(config, 11, 8, workers, all);
    NetworkState big(config, 8);
    roomy.step(window_of(11, 8, 7, 2), big);
    roomy.gradients.set_zero(workers);
    const Window window = window_of(4, 3, 7, 3);
    NetworkState state_a(config, 3);
    NetworkState state_b(config, 3);
    EXPECT_EQ(exact.step(window, state_a), roomy.step(window, state_b));
    EXPECT_TRUE(same_bits(exact.all().all(), roomy.all().all())) << cell_name(cell);
    EXPECT_TRUE(same_bits(state_a.h.span(), state_b.h.span())) << cell_name(cell);
    EXPECT_TRUE(same_bits(state_a.c.span(), state_b.c.span())) << cell_name(cell);
  }
}

TEST(Network, ASmallerWindowInAPlanHasTheBitsOfAPlanOfItsSize) {
  expect_a_smaller_window_to_have_the_bits_of_a_plan_of_its_size(false);
}

TEST(Network, ASmallerWindowInANormalisedPlanHasTheBitsOfAPlanOfItsSize) {
  expect_a_smaller_window_to_have_the_bits_of_a_plan_of_its_size(true);
}

void expect_the_same_bits_for_any_number_of_workers(bool layer_norm) {
  for (const Cell cell : all_cells()) {
    if (layer_norm && !has_recurrent_weights(cell)) continue;
    NetworkConfig config{.cell = cell, .vocabulary = 150, .embed = 37, .hidden = 70, .layers = 2};
    config.layer_norm = layer_norm;
    const Window window = window_of(13, 9, config.vocabulary, 4);
    std::vector<float> expected;
    for (const int threads : {1, 2, 3, 4}) {
      Workers workers(threads);
      Trained trained(config, 13, 9, workers, {.input = 0.2, .between = 0.2, .output = 0.2});
      NetworkState state(config, 9);
      trained.step(window, state);
      const Parameters all = trained.all();
      const std::span<const float> gradient = all.all();
      if (expected.empty()) expected.assign(gradient.begin(), gradient.end());
      EXPECT_TRUE(same_bits(gradient, expected)) << cell_name(cell) << ", " << threads << " workers";
    }
  }
}

TEST(Network, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(false); }
TEST(Network, NormalisedBitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(true); }

TEST(Network, AdaptiveBitsDoNotDependOnWorkersOrPurpose) {
  NetworkConfig config = config_of(Cell::kGru, 2);
  config.vocabulary = 150;
  config.hidden = 70;
  config.cutoffs = {20, 61};
  const Window window = window_of(13, 9, config.vocabulary, 4);
  std::vector<float> gradient;
  std::vector<double> log_probs;
  for (const int threads : {1, 2, 3}) {
    Workers workers(threads);
    Trained trained(config, 13, 9, workers);
    NetworkState state(config, 9);
    NetworkState state_b(config, 9);
    trained.step(window, state);
    const Parameters all = trained.all();
    if (gradient.empty()) gradient.assign(all.all().begin(), all.all().end());
    EXPECT_TRUE(same_bits(all.all(), gradient)) << threads;
    NetworkWeights weights(config, Purpose::kInference);
    weights.pack(trained.parameters, workers);
    Network inference(config, Purpose::kInference, 13, 9, workers);
    inference.forward(weights, window, state_b, {});
    const auto scored = inference.log_probs(weights, window);
    if (log_probs.empty()) log_probs.assign(scored.begin(), scored.end());
    EXPECT_TRUE(std::ranges::equal(trained.net.log_probs(trained.weights, window), log_probs)) << threads;
    EXPECT_TRUE(std::ranges::equal(scored, log_probs)) << threads;
    const auto predictions = inference.predictions(weights, window);
    std::vector<float> all_log_probs(150);
    for (std::size_t r = 0; r < log_probs.size(); r += 7) {
      EXPECT_EQ(predictions[r].log_prob, log_probs[r]);
      if (window.targets[r] < 0) continue;
      inference.logits(weights, static_cast<std::int64_t>(r), all_log_probs);
      EXPECT_NEAR(all_log_probs[static_cast<std::size_t>(window.targets[r])], log_probs[r], 1e-5);
    }
  }
}

// With fixed noise, the loss of a sampled softmax is a function of the parameters like any other.
TEST(Network, SampledGradientsAreDifferencesOfTheLoss) {
  Workers workers(2);
  for (const bool tied : {false, true}) {
    NetworkConfig config{.cell = Cell::kGru, .vocabulary = 31, .embed = 5, .hidden = 6, .layers = 1, .tied = tied};
    const Window window = window_of(4, 3, config.vocabulary, 6);
    constexpr std::int64_t kSamples = 9;
    const NoiseKey noise{.seed = 4, .step = 2};
    Trained source(config, 4, 3, workers);
    Gradients gradients(config, 12, kSamples);
    NetworkWeights weights(config, Purpose::kTraining, Precision::kF32, 0, true);
    Network net(config, Purpose::kTraining, 4, 3, workers, {}, kSamples);
    const auto loss = [&] {
      NetworkState state(config, 3);
      gradients.set_zero(workers);
      weights.pack(source.parameters, workers);
      net.forward(weights, window, state, noise);
      return net.backward(weights, window, gradients, noise);
    };
    loss();
    Parameters all(config);
    gradients.copy_to(all);
    for (const ParameterTensor& tensor : all.tensors()) {
      const std::span<float> gradient = all.values(tensor);
      const auto largest = std::ranges::max_element(gradient, {}, [](float g) { return std::fabs(g); });
      float& value = source.parameters.values(tensor)[static_cast<std::size_t>(largest - gradient.begin())];
      const float kept = value;
      value = kept + 0.01F;
      const double above = loss();
      value = kept - 0.01F;
      const double below = loss();
      value = kept;
      EXPECT_NEAR((above - below) / 0.02, *largest, 5e-3 * std::fabs(*largest) + 1e-4) << tensor.name << " " << tied;
    }
  }
}

TEST(Network, BackwardAddsToTheGradients) {
  Workers workers(2);
  for (const Cell cell : all_cells()) {
    Trained once(config_of(cell), 4, 3, workers);
    Trained twice(config_of(cell), 4, 3, workers);
    const Window window = window_of(4, 3, 7, 5);
    const auto step = [&](Trained& trained) {
      NetworkState state(trained.config, 3);
      trained.step(window, state);
    };
    step(once);
    step(twice);
    step(twice);
    double largest = 0;
    const Parameters all_once = once.all();
    const Parameters all_twice = twice.all();
    for (const float g : all_once.all()) largest = std::fmax(largest, std::fabs(g));
    for (std::size_t i = 0; i < all_once.all().size(); ++i) {
      EXPECT_NEAR(all_twice.all()[i], 2 * all_once.all()[i], 1e-6 * largest) << cell_name(cell);
    }
  }
}

void expect_an_inference_network_to_have_the_bits_of_a_training_one(bool layer_norm) {
  Workers workers(2);
  for (const Cell cell : all_cells()) {
    if (layer_norm && !has_recurrent_weights(cell)) continue;
    for (const std::int64_t layers : {1, 2, 3, 4, 5}) {
      NetworkConfig config = config_of(cell, layers);
      config.layer_norm = layer_norm;
      config.residual = layers > 3;
      config.tied = layers % 2 == 0;
      Trained trained(config, 6, 4, workers);
      const Window window = window_of(6, 4, 7, 6);
      NetworkState state_a(config, 4);
      NetworkState state_b(config, 4);
      NetworkWeights weights(config, Purpose::kInference);
      weights.pack(trained.parameters, workers);
      Network inference(config, Purpose::kInference, 6, 4, workers);
      for (int i = 0; i < 2; ++i) {  // the second window starts from the first one's state
        trained.net.forward(trained.weights, window, state_a);
        inference.forward(weights, window, state_b);
        const auto log_probs = trained.net.log_probs(trained.weights, window);
        const std::vector<double> expected(log_probs.begin(), log_probs.end());
        EXPECT_TRUE(std::ranges::equal(inference.log_probs(weights, window), expected)) << cell_name(cell);
        EXPECT_TRUE(same_bits(state_a.h.span(), state_b.h.span())) << cell_name(cell) << " " << layers;
        EXPECT_TRUE(same_bits(state_a.c.span(), state_b.c.span())) << cell_name(cell) << " " << layers;
      }
    }
  }
}

TEST(Network, AnInferenceNetworkHasTheBitsOfATrainingOne) {
  expect_an_inference_network_to_have_the_bits_of_a_training_one(false);
}

TEST(Network, ANormalisedInferenceNetworkHasTheBitsOfATrainingOne) {
  expect_an_inference_network_to_have_the_bits_of_a_training_one(true);
}

TEST(Network, ARowWithoutTargetsHasNoGradient) {
  Workers workers(1);
  Trained trained(config_of(Cell::kLstm, 1), 3, 2, workers);
  Window window = window_of(3, 2, 7, 7);
  window.reset.assign(6, 0);
  window.inputs = {0, 1, 0, 2, 0, 3};
  window.targets = {1, kIgnored, 1, kIgnored, 1, kIgnored};  // row 1 predicts nothing
  window.predictions = 3;
  NetworkState state(trained.config, 2);
  NetworkState dstate0(trained.config, 2);
  trained.step(window, state, &dstate0);
  const Parameters all = trained.all();
  for (std::int64_t id = 0; id < 7; ++id) {
    const float* const row = all.encoder().row(id);
    EXPECT_EQ(std::all_of(row, row + 5, [](float g) { return g == 0; }), id != 0) << "symbol " << id;
  }
  const auto h_of_row_1 = dstate0.layer(0).h.row_range(1, 1).flat();
  EXPECT_TRUE(std::ranges::all_of(h_of_row_1, [](float g) { return g == 0; }));
}

}  // namespace
}  // namespace unroll
