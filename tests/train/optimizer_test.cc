// Norm and updates from gradients whose embedding is rows, held to the same over a float for every parameter.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "base/philox.h"
#include "kernels/arrays.h"
#include "support/all_gradients.h"
#include "support/random_matrix.h"

namespace unroll {
namespace {

constexpr std::int64_t kTokens = 24;
constexpr double kScale = 0.3;
constexpr double kRate = 0.05;

// Vocabularies below and above the tokens of a window; sizes that fill more than one tile of the norm.
std::vector<NetworkConfig> configs() {
  std::vector<NetworkConfig> result;
  for (const std::int64_t V : {7, 301, 2000}) {
    result.push_back({.cell = Cell::kRnnTanh, .vocabulary = V, .embed = 13, .hidden = 19, .layers = 2});
    result.push_back({.cell = Cell::kLstm, .vocabulary = V, .embed = 19, .hidden = 19, .layers = 1, .tied = true});
  }
  result.push_back({.cell = Cell::kGru, .vocabulary = 90, .embed = 1500, .hidden = 3, .layers = 1});
  return result;
}

std::string name_of(const NetworkConfig& config) {
  return std::to_string(config.vocabulary) + (config.tied ? " symbols, tied" : " symbols");
}

// Gradients of window number `window`: of every number but the embedding's, and of the symbols of its tokens.
void set_gradients(Workers& workers, const NetworkConfig& config, std::uint64_t window, Gradients& gradients) {
  gradients.set_zero(workers);
  for (const ParameterTensor& tensor : gradients.tensors()) {
    if (tensor.offset < gradients.dense_offset()) continue;
    const RandomMatrix values(1, tensor.size, window + 100 * static_cast<std::uint64_t>(tensor.offset));
    std::ranges::copy(values.values, gradients.dense().begin() + (tensor.offset - gradients.dense_offset()));
  }
  std::vector<std::int32_t> ids;
  for (std::uint32_t i = 0; i < kTokens; ++i) {
    const auto words = random_words(window, 0, RandomPurpose::kTestPoint, 5, 0, i);
    ids.push_back(static_cast<std::int32_t>(words[0] % static_cast<std::uint32_t>(config.vocabulary)));
  }
  ids.back() = ids.front();  // comes twice whatever the vocabulary
  const RandomMatrix dx(kTokens, config.embed, window + 50);
  gradients.add_embedding(workers, ids, dx.view);
}

double norm_of(Workers& workers, const Gradients& gradients) {
  return gradient_norm(workers, gradients, Owners(one_rank(), gradients));
}

ShareRange whole(const Gradients& gradients) { return {0, std::ssize(gradients.dense())}; }

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(Optimizer, NormIsThatOfAllGradients) {
  Workers workers(2);
  for (const NetworkConfig& config : configs()) {
    Gradients gradients(config, kTokens);
    EXPECT_EQ(norm_of(workers, gradients), 0);
    for (const std::uint64_t window : {1U, 2U}) {
      set_gradients(workers, config, window, gradients);
      const Parameters all = all_gradients(config, gradients);
      double sum = 0;
      for (const float g : all.all()) sum += static_cast<double>(g) * static_cast<double>(g);
      EXPECT_NEAR(norm_of(workers, gradients), std::sqrt(sum), 1e-13 * std::sqrt(sum)) << name_of(config);
    }
  }
}

TEST(Optimizer, NormHasTheSameBitsForAnyNumberOfWorkers) {
  for (const NetworkConfig& config : configs()) {
    std::vector<double> norms;
    for (const int threads : {1, 2, 3, 5}) {
      Workers workers(threads);
      Gradients gradients(config, kTokens);
      set_gradients(workers, config, 1, gradients);
      norms.push_back(norm_of(workers, gradients));
    }
    EXPECT_EQ(std::ranges::count(norms, norms.front()), 4) << name_of(config);
  }
}

TEST(Optimizer, NormIsNoNumberWhereARowOfTheEmbeddingIsNone) {
  Workers workers(1);
  for (const NetworkConfig& config : configs()) {
    Gradients gradients(config, kTokens);
    set_gradients(workers, config, 1, gradients);
    RandomMatrix dx(1, config.embed, 1);
    dx.values.back() = std::numeric_limits<float>::quiet_NaN();
    // The symbol of a window is there already, so it needs no more room.
    const std::int32_t id = gradients.embedding() ? gradients.embedding()->ids().back() : 0;
    gradients.add_embedding(workers, std::span(&id, 1), dx.view);
    EXPECT_TRUE(std::isnan(norm_of(workers, gradients))) << name_of(config);
  }
}

// What update_parameters is to yield: the same update over every parameter, its gradient zero or not.
void update_plainly(const UpdateRule& rule, const Parameters& gradients, std::int64_t step, Moments& moments,
                    Parameters& parameters) {
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const float decay = tensor.shape.size() == 2 ? static_cast<float>(rule.weight_decay) : 0;
    const std::span<float> w = parameters.values(tensor);
    const std::span<float> g = gradients.values(tensor);
    const SgdStep sgd{.scale = static_cast<float>(kScale),
                      .rate = static_cast<float>(kRate),
                      .momentum = static_cast<float>(rule.momentum),
                      .weight_decay = decay};
    if (rule.optimizer == Optimizer::kAdam) {
      AdamStep adam{.scale = sgd.scale, .rate = sgd.rate, .weight_decay = decay};
      adam.beta2 = static_cast<float>(rule.beta2);
      const auto correction = [step](float beta) {
        return static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta), static_cast<double>(step))));
      };
      adam.correction1 = correction(adam.beta1);
      adam.correction2 = correction(adam.beta2);
      adam_update(w, g, moments.m->values(tensor), moments.v->values(tensor), adam);
    } else if (rule.momentum > 0) {
      momentum_update(w, g, moments.m->values(tensor), sgd);
    } else {
      sgd_update(w, g, sgd);
    }
  }
}

Parameters random_weights(const NetworkConfig& config) {
  Parameters parameters(config);
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const RandomMatrix values(1, tensor.size, static_cast<std::uint64_t>(tensor.offset));
    std::ranges::copy(values.values, parameters.values(tensor).begin());
  }
  return parameters;
}

struct NamedRule {
  const char* name;
  UpdateRule rule;
};

const NamedRule kRules[]{
    {"Sgd", {.optimizer = Optimizer::kSgd}},
    {"SgdWithDecay", {.optimizer = Optimizer::kSgd, .weight_decay = 0.3}},
    {"Momentum", {.optimizer = Optimizer::kSgd, .momentum = 0.8}},
    {"MomentumWithDecay", {.optimizer = Optimizer::kSgd, .momentum = 0.8, .weight_decay = 0.3}},
    {"Adam", {.optimizer = Optimizer::kAdam}},
    {"AdamWithDecay", {.optimizer = Optimizer::kAdam, .beta2 = 0.95, .weight_decay = 0.3}},
};

class OptimizerOf : public testing::TestWithParam<NamedRule> {};

TEST_P(OptimizerOf, UpdatesHaveTheBitsOfUpdatesFromAllGradients) {
  const UpdateRule& rule = GetParam().rule;
  for (const NetworkConfig& config : configs()) {
    for (const int threads : {1, 2, 3}) {
      Workers workers(threads);
      Gradients gradients(config, kTokens);
      Parameters parameters = random_weights(config);
      Parameters expected = random_weights(config);
      Moments moments(rule, config);
      Moments expected_moments(rule, config);
      for (std::int64_t step = 1; step <= 4; ++step) {  // each step has other symbols
        set_gradients(workers, config, static_cast<std::uint64_t>(step), gradients);
        update_parameters(workers, gradients, whole(gradients), rule, {.scale = kScale, .rate = kRate, .step = step},
                          {moments, parameters});
        update_plainly(rule, all_gradients(config, gradients), step, expected_moments, expected);
        ASSERT_TRUE(same_bits(parameters.all(), expected.all())) << name_of(config) << ", step " << step;
        if (!moments.m) continue;
        ASSERT_TRUE(same_bits(moments.m->all(), expected_moments.m->all())) << name_of(config) << ", step " << step;
        if (!moments.v) continue;
        ASSERT_TRUE(same_bits(moments.v->all(), expected_moments.v->all())) << name_of(config) << ", step " << step;
      }
    }
  }
}

// The equations of optimizer.h, a number at a time.
struct PlainNumber {
  double w = 0;
  double m = 0;
  double v = 0;

  void update(const UpdateRule& rule, double g, bool decays, std::int64_t step) {
    const double decay = decays ? rule.weight_decay * w : 0;
    if (rule.optimizer == Optimizer::kSgd) {
      m = rule.momentum * m + g;
      w -= kRate * (m + decay);
      return;
    }
    m = 0.9 * m + 0.1 * g;
    v = rule.beta2 * v + (1 - rule.beta2) * g * g;
    const auto steps = static_cast<double>(step);
    const double mean = m / (1 - std::pow(0.9, steps));
    const double square = v / (1 - std::pow(rule.beta2, steps));
    w -= kRate * (mean / (std::sqrt(square) + 1e-8) + decay);
  }
};

TEST_P(OptimizerOf, UpdatesFollowTheirEquations) {
  const UpdateRule& rule = GetParam().rule;
  Workers workers(2);
  for (const NetworkConfig& config : configs()) {
    Gradients gradients(config, kTokens);
    Parameters parameters = random_weights(config);
    Moments moments(rule, config);
    std::vector<PlainNumber> numbers;
    for (const float w : parameters.all()) numbers.push_back({.w = static_cast<double>(w)});
    for (std::int64_t step = 1; step <= 4; ++step) {
      set_gradients(workers, config, static_cast<std::uint64_t>(step), gradients);
      update_parameters(workers, gradients, whole(gradients), rule, {.scale = kScale, .rate = kRate, .step = step},
                        {moments, parameters});
      const Parameters all = all_gradients(config, gradients);
      for (const ParameterTensor& tensor : parameters.tensors()) {
        for (std::int64_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
          const auto at = static_cast<std::size_t>(i);
          numbers[at].update(rule, kScale * static_cast<double>(all.all()[at]), tensor.shape.size() == 2, step);
          ASSERT_NEAR(parameters.all()[at], numbers[at].w, 1e-5) << name_of(config) << ", " << tensor.name;
        }
      }
    }
  }
}

// A symbol that was read once moves on where there are moments; every symbol's row decays; else a row stays.
TEST_P(OptimizerOf, RowsWithoutGradientMoveWhereMomentsOrDecayMoveThem) {
  const UpdateRule& rule = GetParam().rule;
  Workers workers(2);
  const NetworkConfig config{.cell = Cell::kRnnTanh, .vocabulary = 9, .embed = 3, .hidden = 2, .layers = 1};
  const RandomMatrix dx(1, 3, 1);
  Gradients gradients(config, 1);
  Parameters parameters = random_weights(config);
  Moments moments(rule, config);
  const auto step_with = [&](std::int32_t id, std::int64_t step) {
    gradients.set_zero(workers);
    gradients.add_embedding(workers, std::span(&id, 1), dx.view);
    update_parameters(workers, gradients, whole(gradients), rule, {.rate = kRate, .step = step}, {moments, parameters});
    return std::vector<float>(parameters.all().begin(), parameters.all().end());
  };
  const std::vector<float> before(parameters.all().begin(), parameters.all().end());
  const std::vector<float> first = step_with(4, 1);
  const std::vector<float> second = step_with(7, 2);
  const bool decays = rule.weight_decay > 0;
  for (std::size_t id = 0; id < 9; ++id) {
    const std::size_t at = id * 3;
    EXPECT_EQ(first[at] != before[at], id == 4 || decays) << id;
    EXPECT_EQ(second[at] != first[at], id == 7 || (id == 4 && moments.m) || decays) << id;
  }
}

// Of the embedding and of a sampled output layer, with all that moves other rows: moments, decay. The average moves.
TEST_P(OptimizerOf, RowsThatRestStayWithTheirMoments) {
  UpdateRule rule = GetParam().rule;
  const UpdateRule plain = rule;
  rule.rows_rest = true;
  Workers workers(2);
  const NetworkConfig config{.cell = Cell::kRnnTanh, .vocabulary = 9, .embed = 3, .hidden = 3, .layers = 1};
  const RandomMatrix dx(1, 3, 1);
  for (const bool averages : {false, true}) {
    Gradients gradients(config, 1, 2);
    Parameters rested = random_weights(config);
    Parameters moved = random_weights(config);
    Parameters average(config);
    Moments rested_moments(rule, config);
    Moments moved_moments(rule, config);
    for (const std::int32_t id : {4, 7}) {
      gradients.set_zero(workers);
      gradients.add_embedding(workers, std::span(&id, 1), dx.view);
      embedding_backward(workers, *gradients.output().sampled, std::span(&id, 1), dx.view);
      const UpdateStep step{.rate = kRate, .step = id == 4 ? 1 : 2, .average_share = averages ? 1.0 : 0.0};
      Parameters before(config);
      before.copy_from(rested);
      update_parameters(workers, gradients, whole(gradients), rule, step, {rested_moments, rested, &average});
      update_parameters(workers, gradients, whole(gradients), plain, step, {moved_moments, moved});
      for (const auto& [table, was, other] : {std::tuple(rested.encoder(), before.encoder(), moved.encoder()),
                                              std::tuple(rested.decoder(), before.decoder(), moved.decoder())}) {
        for (std::int64_t row = 0; row < 9; ++row) {
          EXPECT_EQ(table(row, 1) != was(row, 1), row == id) << row;
          if (id == 4 && row == id) {  // touched rows as ever
            EXPECT_EQ(table(row, 1), other(row, 1));
          }
        }
      }
      if (!averages) continue;
      EXPECT_TRUE(same_bits(average.encoder().flat(), rested.encoder().flat()));
      EXPECT_TRUE(same_bits(average.decoder().flat(), rested.decoder().flat()));
    }
  }
}

// Rows that are not read stay, but the average still moves towards them.
TEST_P(OptimizerOf, TheAverageOfAllParametersMovesTowardsThem) {
  const UpdateRule& rule = GetParam().rule;
  for (const NetworkConfig& config : configs()) {
    Workers workers(2);
    Gradients gradients(config, kTokens);
    Parameters parameters = random_weights(config);
    Parameters without = random_weights(config);
    Parameters average(config);
    Parameters expected(config);
    Moments moments(rule, config);
    Moments moments_without(rule, config);
    for (std::int64_t step = 1; step <= 3; ++step) {
      set_gradients(workers, config, static_cast<std::uint64_t>(step), gradients);
      UpdateStep update{.scale = kScale, .rate = kRate, .step = step};
      update_parameters(workers, gradients, whole(gradients), rule, update, {moments_without, without});
      update.average_share = step == 1 ? 0 : 0.25;
      update_parameters(workers, gradients, whole(gradients), rule, update, {moments, parameters, &average});
      move_towards(parameters.all(), expected.all(), static_cast<float>(update.average_share));
      ASSERT_TRUE(same_bits(parameters.all(), without.all())) << name_of(config) << ", step " << step;
      ASSERT_TRUE(same_bits(average.all(), expected.all())) << name_of(config) << ", step " << step;
    }
  }
}

TEST_P(OptimizerOf, MomentsAreAsManyAsCounted) {
  const NetworkConfig config = configs().front();
  const Moments moments(GetParam().rule, config);
  EXPECT_EQ(Moments::count(GetParam().rule), (moments.m ? 1 : 0) + (moments.v ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(Each, OptimizerOf, testing::ValuesIn(kRules),
                         [](const auto& rule) { return std::string(rule.param.name); });

}  // namespace
}  // namespace unroll
