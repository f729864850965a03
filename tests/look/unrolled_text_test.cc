#include "unroll/look/unrolled_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

UnrolledText unrolled_over(const Model& model, const std::string& text, StatePolicy state = StatePolicy::kCarry) {
  return UnrolledText(model, {text, "'text'"}, {.state = state, .threads = 1});
}

float sigmoid(float a) { return 1 / (1 + std::exp(-a)); }

// The nonlinearity of gate number g.
float squashed(Cell cell, std::size_t g, float a) {
  const char letter = gate_letters(cell)[g];
  if (letter == 'g' || (letter == 'n' && has_recurrent_weights(cell))) return std::tanh(a);
  if (letter == 'n') return a >= 0 ? a + 0.5F : sigmoid(a);
  return sigmoid(a);
}

TEST(UnrolledText, PredictsWhatAScorerSaysInEveryPrecision) {
  const TemporaryFolder folder;
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  save_model(folder.path("f32"), config, tiny_characters(), {}, random_parameters(config, 0.7F, 3), {});
  const std::string line = "abc de fgh";
  std::vector<double> totals;
  convert(Model::load(folder.path("f32")), Precision::kBf16, folder.path("bf16"));
  convert(Model::load(folder.path("f32")), Precision::kInt8, folder.path("int8"));
  for (const char* const file : {"f32", "bf16", "int8"}) {
    const Model model = Model::load(folder.path(file));
    const UnrolledText text = unrolled_over(model, line + "\n");
    const Score expected = Scorer(model, {.threads = 1}).score(line);
    ASSERT_EQ(std::ssize(expected.tokens), text.steps());
    for (std::int64_t t = 0; t < text.steps(); ++t) {
      const auto i = static_cast<std::size_t>(t);
      EXPECT_EQ(text.log_probs()[i], expected.tokens[i].log_prob) << t;
      for (const LikelySymbol& one : text.likely(t, 99)) {
        if (one.id == text.target(t)) {
          EXPECT_NEAR(one.log_prob, text.log_probs()[i], 1e-5);
        }
      }
    }
    totals.push_back(expected.log_prob);
  }
  EXPECT_NE(totals[0], totals[1]);
  EXPECT_NE(totals[0], totals[2]);
}

TEST(UnrolledText, GatesAreTheNonlinearitiesOfTheSums) {
  for (const Cell cell : all_cells()) {
    const UnrolledText text = unrolled_over(tiny_model(cell, tiny_characters()), "ab\ncde", StatePolicy::kReset);
    const auto H = static_cast<std::size_t>(text.model().config().hidden);
    for (std::int64_t t = 0; t < text.steps(); ++t) {
      const std::vector<float> sums = text.sums(1, t);
      const std::vector<float> gates = text.gates(1, t);
      ASSERT_EQ(gates.size(), gate_letters(cell).size() * H);
      ASSERT_EQ(sums.size(), static_cast<std::size_t>(gate_count(cell)) * H);
      for (std::size_t i = 0; i < gates.size(); ++i) {
        EXPECT_NEAR(gates[i], squashed(cell, i / H, sums[i]), 2e-6) << cell_name(cell) << ' ' << t << ' ' << i;
      }
      if (!gates.empty()) continue;
      for (std::size_t j = 0; j < H; ++j) {
        const float expected = cell == Cell::kRnnTanh ? std::tanh(sums[j]) : std::max(sums[j], 0.0F);
        EXPECT_NEAR(text.h(1, t)[j], expected, 2e-6);
      }
    }
  }
}

// One equation of each gated cell, from what the object returns.
TEST(UnrolledText, StatesFollowFromGates) {
  for (const Cell cell : all_cells()) {
    const UnrolledText text = unrolled_over(tiny_model(cell, tiny_characters()), "abcde");
    const auto H = static_cast<std::size_t>(text.model().config().hidden);
    for (std::int64_t t = 0; t < text.steps(); ++t) {
      const std::vector<float> gates = text.gates(0, t);
      for (std::size_t j = 0; j < H && !gates.empty(); ++j) {
        const auto gate = [&](std::size_t g) { return gates[g * H + j]; };
        const float before = text.h(0, t - 1)[j];
        float expected = 0;
        if (cell == Cell::kLstm) {
          EXPECT_NEAR(text.c(0, t)[j], gate(1) * text.c(0, t - 1)[j] + gate(0) * gate(2), 2e-6);
          expected = gate(3) * std::tanh(text.c(0, t)[j]);
        } else if (cell == Cell::kMinLstm) {
          expected = (gate(0) * before + gate(1) * gate(2)) / (gate(0) + gate(1));
        } else if (cell == Cell::kMinGru) {
          expected = (1 - gate(0)) * before + gate(0) * gate(1);
        } else {
          expected = (1 - gate(1)) * gate(2) + gate(1) * before;
        }
        EXPECT_NEAR(text.h(0, t)[j], expected, 2e-6) << cell_name(cell);
      }
    }
  }
}

TEST(UnrolledText, LayersReadTheOutputsOfTheLayerBelow) {
  const UnrolledText text = unrolled_over(tiny_model(Cell::kLstm, tiny_characters()), "abc");
  for (std::int64_t t = 0; t < text.steps(); ++t) EXPECT_TRUE(std::ranges::equal(text.x(1, t), text.h(0, t)));
  EXPECT_EQ(text.x(0, 0).size(), 5U);
}

TEST(UnrolledText, PredictsWhatEvaluatePredicts) {
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    const Model model = tiny_model(Cell::kGru, tiny_characters());
    const std::string characters = "abc\nde\nfgh";
    const UnrolledText text = unrolled_over(model, characters, state);
    const double sum = std::accumulate(text.log_probs().begin(), text.log_probs().end(), 0.0);
    const Evaluation evaluation =
        evaluate(model, {characters, "'text'"}, {.state = state, .exact = true, .threads = 1});
    EXPECT_EQ(evaluation.tokens, text.steps());
    EXPECT_EQ(text.state_policy(), state);
    EXPECT_DOUBLE_EQ(-sum / static_cast<double>(text.steps()), evaluation.nats_per_token);
    EXPECT_EQ(text.begins(4), state == StatePolicy::kReset);
  }
}

TEST(UnrolledText, NamesTheMostLikelySymbols) {
  const UnrolledText text = unrolled_over(tiny_model(Cell::kLstm, tiny_characters()), "abc");
  const std::int64_t V = text.model().config().vocabulary;
  const std::vector<LikelySymbol> all = text.likely(2, V + 5);
  ASSERT_EQ(std::ssize(all), V);
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    sum += std::exp(all[i].log_prob);
    if (i > 0) {
      EXPECT_LE(all[i].logit, all[i - 1].logit);
    }
    if (all[i].id == text.target(2)) {
      EXPECT_NEAR(all[i].log_prob, text.log_probs()[2], 1e-6);
    }
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(text.likely(2, 1).size(), 1U);
  EXPECT_EQ(text.likely(2, 0).size(), 0U);
}

TEST(UnrolledText, ReadsTheFirstStepsOfALongText) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const UnrolledText text(model, {random_text(50, 2), "'text'"},
                          {.state = StatePolicy::kCarry, .most_steps = 20, .threads = 1});
  EXPECT_EQ(text.steps(), 20);
  EXPECT_EQ(text.unread_steps(), 30);
  const UnrolledText whole = unrolled_over(model, random_text(50, 2));
  EXPECT_TRUE(std::ranges::equal(text.h(1, 19), whole.h(1, 19)));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`most_steps` is 0", [&] {
    UnrolledText(model, {"abc", "'text'"}, {.most_steps = 0});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'text'", [&] { unrolled_over(model, ""); }));
}

TEST(UnrolledText, RefusesModelsOfBothDirections) {
  NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
  config.layers = 1;
  config.bidirectional = true;
  const Model both = model_of(config, tiny_characters(), random_parameters(config, 0.7F, 3));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "both directions", [&] { unrolled_over(both, "abc"); }));
}

}  // namespace
}  // namespace unroll
