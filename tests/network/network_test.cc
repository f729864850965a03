#include "network/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/all_gradients.h"
#include "support/random_matrix.h"
#include "support/tiny_model.h"
#include "train/initial_weights.h"

namespace unroll {
namespace {

constexpr std::int64_t kT = 5;
constexpr std::int64_t kB = 7;

NetworkConfig odd_config(Cell cell) { return {.cell = cell, .vocabulary = 23, .embed = 19, .hidden = 37, .layers = 3}; }

Window random_window(std::int64_t T, std::int64_t B, std::int64_t V, bool resets) {
  Window window;
  window.T = T;
  window.B = B;
  for (std::int64_t r = 0; r < T * B; ++r) {
    const auto words = random_words(5, 0, RandomPurpose::kTestPoint, 1, 0, static_cast<std::uint32_t>(r));
    window.inputs.push_back(static_cast<std::int32_t>(words[0] % static_cast<std::uint32_t>(V)));
    window.targets.push_back(r % 11 == 3 ? kIgnored
                                         : static_cast<std::int32_t>(words[1] % static_cast<std::uint32_t>(V)));
    if (resets) window.reset.push_back(words[2] % 4 == 0 ? 1 : 0);
    window.predictions += window.targets.back() >= 0 ? 1 : 0;
  }
  return window;
}

constexpr NoiseKey kMaskNoise{.seed = 4, .step = 2};
constexpr Regularization kEveryRegularization{
    .words = 0.2, .input = 0.3, .between = 0.25, .output = 0.4, .recurrent = 0.35, .locked = true, .ar = 2, .tar = 3};

// A network with random weights, ready to run.
struct Ready {
  Ready(const NetworkConfig& network, Purpose purpose, int threads, std::int64_t T = kT, std::int64_t B = kB,
        const Regularization& regularization = {})
      : config(network),
        workers(threads),
        parameters(network),
        weights(network, purpose, Precision::kF32, regularization.recurrent),
        runs(network, purpose, T, B, workers, regularization) {
    set_initial_weights(config, {.seed = 3}, parameters);
    weights.pack(parameters, workers, kMaskNoise);
  }
  NetworkConfig config;
  Workers workers;
  Parameters parameters;
  NetworkWeights weights;
  Network runs;
};

NetworkState random_state(const NetworkConfig& config, std::int64_t B) {
  NetworkState state(config, B);
  const RandomMatrix h(1, state.h.size(), 8);
  std::copy(h.values.begin(), h.values.end(), state.h.data());
  const RandomMatrix c(1, std::max<std::int64_t>(1, state.c.size()), 9);
  std::copy_n(c.values.begin(), state.c.size(), state.c.data());
  return state;
}

std::vector<float> values_of(std::span<const float> span) { return {span.begin(), span.end()}; }

class NetworkOf : public testing::TestWithParam<Cell> {};

TEST_P(NetworkOf, SameBitsForAnyNumberOfThreads) {
  NetworkConfig config = odd_config(GetParam());
  config.tied = true;
  config.residual = true;
  const Window window = random_window(kT, kB, config.vocabulary, true);
  const auto gradient = [&](int threads, double& loss, std::vector<float>& after) {
    Ready net(config, Purpose::kTraining, threads, kT, kB, kEveryRegularization);
    NetworkState state = random_state(config, kB);
    NetworkState dstate0(config, kB);
    Gradients gradients(config, kT * kB);
    net.runs.forward(net.weights, window, state, kMaskNoise);
    loss = net.runs.backward(net.weights, window, gradients, kMaskNoise, &dstate0);
    after = values_of(state.h.span());
    std::vector<float> all = values_of(all_gradients(config, gradients).all());
    const std::vector<float> dh = values_of(dstate0.h.span());
    all.insert(all.end(), dh.begin(), dh.end());
    return all;
  };
  double loss1 = 0;
  std::vector<float> after1;
  const std::vector<float> one = gradient(1, loss1, after1);
  for (const int threads : {2, 3}) {
    double loss = 0;
    std::vector<float> after;
    EXPECT_EQ(gradient(threads, loss, after), one) << threads;
    EXPECT_EQ(loss, loss1);
    EXPECT_EQ(after, after1);
  }
}

TEST_P(NetworkOf, TrainingAndInferenceComputeTheSameBits) {
  const NetworkConfig config = odd_config(GetParam());
  const Window window = random_window(kT, kB, config.vocabulary, true);
  std::vector<std::vector<double>> results;
  for (const Purpose purpose : {Purpose::kTraining, Purpose::kInference}) {
    Ready net(config, purpose, 2);
    NetworkState state = random_state(config, kB);
    net.runs.forward(net.weights, window, state);
    const auto log_probs = net.runs.log_probs(net.weights, window);
    results.emplace_back(log_probs.begin(), log_probs.end());
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST_P(NetworkOf, ASmallerWindowRunsInTheSamePlan) {
  const NetworkConfig config = odd_config(GetParam());
  for (const auto& [T, B] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {kT, 1}, {1, kB}, {3, 4}}) {
    const Window window = random_window(T, B, config.vocabulary, false);
    std::vector<std::vector<float>> gradients_of;
    for (const bool exact_plan : {true, false}) {
      Ready net(config, Purpose::kTraining, 2, exact_plan ? T : kT, exact_plan ? B : kB);
      NetworkState state = random_state(config, B);
      Gradients gradients(config, T * B);
      net.runs.forward(net.weights, window, state);
      static_cast<void>(net.runs.backward(net.weights, window, gradients));
      gradients_of.push_back(values_of(all_gradients(config, gradients).all()));
    }
    EXPECT_EQ(gradients_of[0], gradients_of[1]) << T << " x " << B;
  }
}

TEST_P(NetworkOf, TwoWindowsEqualOne) {
  const NetworkConfig config = odd_config(GetParam());
  const Window whole = random_window(4, kB, config.vocabulary, false);
  Ready net(config, Purpose::kInference, 1);
  NetworkState state = random_state(config, kB);
  net.runs.forward(net.weights, whole, state);
  const std::vector<float> expected = values_of(state.h.span());
  NetworkState carried = random_state(config, kB);
  for (const std::size_t t : {0U, 1U, 2U, 3U}) {
    Window part;
    part.T = 1;
    part.B = kB;
    part.inputs.assign(whole.inputs.begin() + static_cast<std::ptrdiff_t>(t * kB),
                       whole.inputs.begin() + static_cast<std::ptrdiff_t>((t + 1) * kB));
    part.targets.assign(kB, 0);
    net.runs.forward(net.weights, part, carried, {});
  }
  EXPECT_EQ(values_of(carried.h.span()), expected);
}

TEST_P(NetworkOf, LossBeforeTrainingIsThatOfAUniformGuess) {
  for (const bool tied : {false, true}) {
    NetworkConfig config{.cell = GetParam(), .vocabulary = 66, .embed = 64, .hidden = 64, .layers = 2, .tied = tied};
    Ready net(config, Purpose::kInference, 1, 20, 8);
    const Window window = random_window(20, 8, config.vocabulary, false);
    NetworkState state(config, 8);
    net.runs.forward(net.weights, window, state);
    double nats = 0;
    for (const double log_prob : net.runs.log_probs(net.weights, window)) nats -= log_prob;
    const double uniform = std::log(66.0);
    // Outputs of the minimal cells begin at about 1/2, not around 0.
    const double tolerance = has_recurrent_weights(config.cell) ? 0.01 : 0.02;
    EXPECT_NEAR(nats / static_cast<double>(window.predictions), uniform, tolerance * uniform) << tied;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCell, NetworkOf, testing::ValuesIn(all_cells()),
                         [](const auto& cell) { return std::to_string(static_cast<int>(cell.param)); });

// With this vocabulary a block holds 83 rows: 90 rows are two blocks of 45, but 80 rows are one block of 80.
TEST(NetworkLogits, ASmallerWindowMayHaveALargerBlockOfLogits) {
  const NetworkConfig config{.cell = Cell::kGru, .vocabulary = 50000, .embed = 3, .hidden = 4, .layers = 1};
  const Window window = random_window(8, 10, config.vocabulary, false);
  std::vector<std::vector<float>> gradients_of;
  for (const std::int64_t planned_T : {8, 9}) {
    Ready net(config, Purpose::kTraining, 2, planned_T, 10);
    NetworkState state(config, 10);
    Gradients gradients(config, 8 * 10);
    net.runs.forward(net.weights, window, state);
    static_cast<void>(net.runs.backward(net.weights, window, gradients));
    gradients_of.push_back(values_of(all_gradients(config, gradients).all()));
  }
  EXPECT_EQ(gradients_of[0], gradients_of[1]);
}

TEST(NetworkLogits, RowsOfLogitsAreThoseOfThePredictions) {
  const NetworkConfig blocks{.cell = Cell::kGru, .vocabulary = 200000, .embed = 3, .hidden = 4, .layers = 1};
  NetworkConfig projected = odd_config(Cell::kLstm);
  projected.tied = true;
  NetworkConfig residual = odd_config(Cell::kLstm);
  residual.residual = true;
  for (const NetworkConfig& config : {blocks, projected, residual}) {
    Ready net(config, Purpose::kInference, 3, 9, 10);
    const Window window = random_window(9, 10, config.vocabulary, true);
    NetworkState state(config, 10);
    net.runs.forward(net.weights, window, state);
    std::vector<SymbolPrediction> found(90);
    net.runs.read_logits(net.weights, [&](std::int64_t row, std::span<float> logits) {
      const auto r = static_cast<std::size_t>(row);
      if (window.targets[r] >= 0) found[r] = predict_symbol(logits, window.targets[r]);
    });
    const auto expected = net.runs.predictions(net.weights, window);
    for (std::size_t r = 0; r < found.size(); ++r) {
      EXPECT_EQ(found[r].log_prob, expected[r].log_prob) << r;
      EXPECT_EQ(found[r].entropy, expected[r].entropy) << r;
      EXPECT_EQ(found[r].rank, expected[r].rank) << r;
    }
  }
}

TEST(NetworkLogits, LogitsNeverExistForMoreThanABlockOfRows) {
  NetworkConfig config{.cell = Cell::kLstm, .vocabulary = 100000, .embed = 8, .hidden = 8, .layers = 1};
  std::int64_t logits = 0;
  for (const PlannedBuffer& buffer : Network::plan(config, Purpose::kTraining, 100, 100)) {
    if (buffer.name.find("logits") != std::string::npos) logits += buffer.floats;
  }
  EXPECT_GT(logits, 0);
  EXPECT_LE(logits * 4, std::int64_t{32} << 20);
}

}  // namespace
}  // namespace unroll
