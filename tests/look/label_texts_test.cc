// UnrolledText of models that label texts, and the gradients of their answers.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/label_models.h"
#include "support/label_run.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"
#include "unroll/look/answer_flow.h"
#include "unroll/look/answer_gradients.h"
#include "unroll/look/dynamics.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/look/passages.h"
#include "unroll/look/pooled_steps.h"
#include "unroll/look/state_gradients.h"
#include "unroll/look/truncation.h"
#include "unroll/look/units.h"

namespace unroll {
namespace {

constexpr double kClose = 2e-4;

// One network in two forms.
struct ComparedLabels {
  explicit ComparedLabels(const NetworkConfig& config, const Task& task,
                          const std::string& lines = "the cat sees\n\nold dog and the cat")
      : parameters(random_parameters(config, 0.9F, 11)),
        text(label_model(config, random_parameters(config, 0.9F, 11), task), {lines, "'text'"}, {.threads = 1}),
        number(std::ssize(text.texts()) - 1),
        reference(text, number, parameters) {}

  [[nodiscard]] std::int64_t first() const { return text.texts()[static_cast<std::size_t>(number)].first; }

  Parameters parameters;
  UnrolledText text;
  std::int64_t number;  // of the last line, which the reference runs
  LabelRun reference;
};

NetworkConfig label_network(Cell cell, Readout readout, bool bidirectional, Loss loss = Loss::kSoftmax) {
  return {.cell = cell,
          .vocabulary = tiny_words().size(),
          .embed = 3,
          .hidden = 5,
          .layers = 2,
          .outputs = 3,
          .loss = loss,
          .readout = readout,
          .bidirectional = bidirectional};
}

Task tags_task() { return {.kind = TaskKind::kTag, .labels = {"A", "B", "C"}}; }

// Where nothing is expected, the greatest of what is found.
double error_of_vectors(std::span<const double> found, const std::vector<double>& expected) {
  if (norm(expected) < 1e-12) return norm(found);
  return ref::relative_error(found, std::span<const double>(expected));
}

TEST(UnrolledLabels, ReadEachLineAsATextAndItsWordsAsTheyStand) {
  const UnrolledText text(animals_model(), {"the cat\n\r\n  zebra sees\r\n", "'text'"}, {.threads = 1});
  std::vector<std::string> reads;
  for (std::int64_t t = 0; t < text.steps(); ++t) reads.push_back(text.reads(t));
  EXPECT_EQ(reads, (std::vector<std::string>{"the", "cat", "<eos>", "zebra", "sees", "<eos>"}));
  ASSERT_EQ(text.texts().size(), 2U);
  EXPECT_EQ(text.texts()[1].first, 3);
  EXPECT_EQ(text.texts()[1].steps, 3);
  EXPECT_FALSE(text.predicts());
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    EXPECT_EQ(text.target(t), -1);
    EXPECT_EQ(text.begins(t), t == 0 || t == 3);
  }
  EXPECT_EQ(text.layers(), 4);
  EXPECT_EQ(layer_name(text.model().config(), 3), "1 backward");
  EXPECT_EQ(read_in(text, {.from = 0, .to = 4}), "the cat\n  zebra sees");
}

TEST(UnrolledLabels, StatesOfEachLayerAndDirectionAreThoseOfPlainLoops) {
  for (const Cell cell : all_cells()) {
    for (const bool both : {false, true}) {
      const ComparedLabels compared(label_network(cell, Readout::kMax, both), animals());
      for (std::int64_t l = 0; l < compared.text.layers(); ++l) {
        for (std::int64_t t = 0; t < 6; ++t) {
          const std::span<const float> h = compared.text.h(l, compared.first() + t);
          const std::vector<double> found(h.begin(), h.end());
          EXPECT_LT(error_of_vectors(found, compared.reference.h(l, t)), kClose) << cell_name(cell) << l << ' ' << t;
        }
      }
    }
  }
}

TEST(UnrolledLabels, StatesAreThoseOfALongTextInPieces) {
  std::string words;
  for (int i = 0; i < 300; ++i) words += i % 3 == 0 ? "cat " : "the ";
  const UnrolledText text(animals_model(), {words, "'text'"}, {.threads = 1});
  ASSERT_EQ(text.steps(), 301);
  std::int64_t begins = 0;
  for (std::int64_t t = 0; t < text.steps(); ++t) begins += text.begins(t) ? 1 : 0;
  EXPECT_EQ(begins, 2);
  for (std::int64_t t = 0; t < 300; ++t) EXPECT_EQ(text.input(t), t % 3 == 0 ? 3 : 2);
}

TEST(UnrolledLabels, GatesFollowFromSumsInBothDirections) {
  const UnrolledText text(animals_model(), {"the cat sees", "'text'"}, {.threads = 1});
  for (std::int64_t l = 0; l < text.layers(); ++l) {
    for (std::int64_t t = 0; t < text.steps(); ++t) {
      const std::vector<float> sums = text.sums(l, t);
      const std::vector<float> gates = text.gates(l, t);
      EXPECT_NEAR(gates[0], 1 / (1 + std::exp(-sums[0])), 1e-5);
      const SumParts parts = text.parts(l, t);
      EXPECT_NEAR(parts.input[2] + parts.recurrent[2] + parts.bias[2], sums[2], 1e-5);
    }
  }
}

TEST(UnrolledLabels, RefuseWhatNeedsPredictionsAndPolicies) {
  const UnrolledText text(animals_model(), {"the cat", "'text'"}, {.threads = 1});
  const auto no_symbols = [](const auto& call) {
    EXPECT_NE(std::string(error_of(call).value().what()).find("no probabilities of symbols"), std::string::npos);
  };
  no_symbols([&] { static_cast<void>(text.logits(0)); });
  no_symbols([&] { static_cast<void>(text.likely(0, 1)); });
  no_symbols([&] { StateGradients(text, {{.step = 0, .symbol = 2}}); });
  no_symbols([&] { static_cast<void>(gradient_flow(text)); });
  no_symbols([&] { static_cast<void>(truncated_gradients(text, {2})); });
  no_symbols([&] { static_cast<void>(step_jacobians(text, {0})); });
  EXPECT_EQ(error_of([] {
              UnrolledText(animals_model(), {"cat", "'t'"}, {.state = StatePolicy::kCarry});
            })->field(),
            "state");
  EXPECT_EQ(error_of([] { UnrolledText(animals_model(), {"\n \n", "'t'"}); })->code(), ErrorCode::kInput);
}

TEST(UnrolledLabels, ReadAsManyWholeLinesAsFit) {
  const UnrolledText text(animals_model(), {"the cat\nthe old dog\ncat", "'text'"}, {.most_steps = 5, .threads = 1});
  EXPECT_EQ(text.steps(), 3);
  EXPECT_EQ(text.unread_steps(), 6);
  const UnrolledText cut(animals_model(), {"the old cat sees", "'text'"}, {.most_steps = 3, .threads = 1});
  EXPECT_EQ(cut.steps(), 3);
  EXPECT_EQ(cut.reads(2), "<eos>");
  EXPECT_EQ(cut.unread_steps(), 2);
}

TEST(UnrolledLabels, UnitsAreFoundAmongThoseOfBothDirections) {
  const UnrolledText text(animals_model(), {"the cat sees the old cat and the dog", "'text'"}, {.threads = 1});
  const std::vector<FollowingUnit> units = units_following(text, match_feature(text, "cat"), 1000);
  EXPECT_EQ(std::ssize(units), text.layers() * 7 * 2);
  EXPECT_EQ(unit_memory(text, 3, 0, 0, 100).size(), static_cast<std::size_t>(text.steps()));
  EXPECT_EQ(unit_memory(text, 2, 0, 0, 100).size(), 1U);
}

// Compares all gradients of one answer.
void expect_answer_gradients(const ComparedLabels& compared, std::int64_t word, std::int32_t label) {
  AnswerGradients back(compared.text);
  back.take({.text = compared.number, .word = word, .label = label});
  EXPECT_NEAR(back.probability(), compared.reference.probability(word, label), 1e-5);
  const bool has_c = has_cell_state(compared.text.model().config().cell);
  ASSERT_EQ(back.first(), compared.first());
  for (std::int64_t t = 0; t < back.end() - back.first(); ++t) {
    const auto expected = [&](Nudged what, std::int64_t l) {
      return compared.reference.derivatives(word, label, {.what = what, .step = t, .layer = l});
    };
    EXPECT_LT(error_of_vectors(back.x(back.first() + t), expected(Nudged::kInput, 0)), kClose) << t;
    for (std::int64_t l = 0; l < compared.text.layers(); ++l) {
      EXPECT_LT(error_of_vectors(back.h(l, back.first() + t), expected(Nudged::kHidden, l)), kClose) << l << ' ' << t;
      if (!has_c) continue;
      EXPECT_LT(error_of_vectors(back.c(l, back.first() + t), expected(Nudged::kWholeCell, l)), kClose) << l << t;
    }
  }
}

TEST(AnswerGradients, EqualNumericOnesInEveryCell) {
  for (const Cell cell : all_cells()) {
    SCOPED_TRACE(cell_name(cell));
    for (const bool both : {false, true}) {
      expect_answer_gradients(ComparedLabels(label_network(cell, Readout::kConcat, both), animals()), 0, 1);
    }
  }
}

TEST(AnswerGradients, EqualThemWithEveryReadoutAndResiduals) {
  for (const Readout readout : all_readouts()) {
    if (readout == Readout::kSteps) continue;
    SCOPED_TRACE(readout_name(readout));
    for (const bool both : {false, true}) {
      NetworkConfig config = label_network(Cell::kLstm, readout, both);
      config.residual = both;
      config.layer_norm = !both;
      expect_answer_gradients(ComparedLabels(config, animals()), 0, 2);
    }
  }
}

TEST(AnswerGradients, EqualThemOfSeveralLabelsAText) {
  Task task = animals();
  task.multi_label = true;
  expect_answer_gradients(ComparedLabels(label_network(Cell::kGru, Readout::kMean, true, Loss::kSigmoid), task), 0, 1);
}

TEST(AnswerGradients, EqualThemOfTagsWithAndWithoutAChain) {
  for (const Loss loss : {Loss::kSoftmax, Loss::kCrf}) {
    for (const bool both : {false, true}) {
      const NetworkConfig config = label_network(Cell::kLstm, Readout::kSteps, both, loss);
      expect_answer_gradients(ComparedLabels(config, tags_task()), 3, 1);
    }
  }
}

TEST(AnswerGradients, AreFarFromNumericOnesWithAMistake) {
  const ComparedLabels compared(label_network(Cell::kLstm, Readout::kLast, true), animals());
  AnswerGradients back(compared.text);
  back.take({.text = compared.number, .label = 1});
  const auto expected = [&](std::int64_t step, std::int64_t layer, std::int32_t label) {
    return compared.reference.derivatives(0, label, {.step = step, .layer = layer});
  };
  const std::span<const double> h = back.h(1, back.first() + 2);
  EXPECT_LT(error_of_vectors(h, expected(2, 1, 1)), kClose);
  EXPECT_GT(error_of_vectors(h, expected(3, 1, 1)), 0.01);
  EXPECT_GT(error_of_vectors(h, expected(2, 0, 1)), 0.01);
  EXPECT_GT(error_of_vectors(h, expected(2, 1, 0)), 0.01);
}

TEST(AnswerGradients, ProbabilitiesAreThoseOfTheClassifierAndTheTagger) {
  const Model model = animals_model();
  const UnrolledText text(model, {"the old dog sees", "'text'"}, {.threads = 1});
  AnswerGradients back(text);
  back.take({});
  const ClassifiedText said = Classifier(model, {.threads = 1}).classify("the old dog sees");
  EXPECT_DOUBLE_EQ(back.probability(), said.probabilities[static_cast<std::size_t>(back.label())]);
  EXPECT_EQ(back.label(), std::ranges::max_element(said.probabilities) - said.probabilities.begin());
  EXPECT_EQ(error_of([&] { back.take({.text = 1}); })->field(), "text");
  EXPECT_EQ(error_of([&] { back.take({.label = 3}); })->field(), "label");
}

// By hand, from the gradients of each text.
TEST(AnswerFlow, SumsUpNormsByTheDistanceFromTheEnd) {
  const UnrolledText text(animals_model(3, Readout::kLast), {"the old dog sees\ncat\nthe cat", "'text'"},
                          {.threads = 1});
  const AnswerFlow flow = answer_flow(text, {.lags = 3});
  AnswerGradients back(text);
  std::vector<std::vector<double>> by_lag(4);
  std::vector<double> first;
  for (std::int64_t r = 0; r < 3; ++r) {
    back.take({.text = r});
    double most = 0;
    for (std::int64_t t = back.first(); t < back.end(); ++t) most = std::max(most, norm(back.x(t)));
    for (std::int64_t lag = 0; lag <= 3 && back.end() - 1 - lag >= back.first(); ++lag) {
      by_lag[static_cast<std::size_t>(lag)].push_back(norm(back.x(back.end() - 1 - lag)) / most);
    }
    first.push_back(norm(back.x(back.first())) / most);
  }
  EXPECT_EQ(flow.flow.predictions, 3);
  const FlowLine& input = flow.flow.lines.front();
  ASSERT_EQ(input.lags.size(), 4U);
  EXPECT_EQ(input.lags[1].count, 3);
  EXPECT_EQ(input.lags[3].count, 1);
  std::ranges::sort(by_lag[1]);
  EXPECT_DOUBLE_EQ(input.lags[1].median, by_lag[1][1]);
  EXPECT_DOUBLE_EQ(input.lags[3].median, by_lag[3][0]);
  std::ranges::sort(first);
  EXPECT_DOUBLE_EQ(flow.first_word, first[1]);
  EXPECT_EQ(flow.flow.lines.size(), 1U + 4 * 2);
  const AnswerFlow one = answer_flow(text, {.at = 5});
  EXPECT_EQ(one.flow.predictions, 1);
  EXPECT_EQ(one.flow.lines.front().lags.size(), 2U);  // the text "cat" and its end
  EXPECT_EQ(error_of([&] { static_cast<void>(answer_flow(text, {.at = 10})); })->field(), "at");
}

// What the tutorial says of pooling: the mean gives each step its part of the answer's gradient.
TEST(AnswerFlow, ReachesTheFirstWordByTheMeanWhereTheLastStateForgets) {
  const auto first_word = [](Readout readout) {
    NetworkConfig config = label_network(Cell::kRnnTanh, readout, false);
    config.layers = 1;
    Parameters parameters = random_parameters(config, 0.3F, 5);
    std::string words;
    for (int i = 0; i < 40; ++i) words += i % 2 == 0 ? "the " : "cat ";
    return answer_flow(
               UnrolledText(label_model(config, std::move(parameters), animals()), {words, "'t'"}, {.threads = 1}))
        .first_word;
  };
  EXPECT_LT(first_word(Readout::kLast), 1e-6);
  EXPECT_GT(first_word(Readout::kMean), 0.5);
}

// By hand, of a text of three words and its end.
TEST(PooledSteps, AddUpToOneAndAreThoseOfTheReadout) {
  for (const Readout readout : {Readout::kLast, Readout::kMean, Readout::kMax, Readout::kConcat, Readout::kAttention}) {
    for (const bool both : {false, true}) {
      const ComparedLabels compared(label_network(Cell::kGru, readout, both), animals(), "the cat sees");
      const std::vector<double> shares = pooled_steps(compared.text);
      ASSERT_EQ(shares.size(), 4U);
      EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-9);
      if (readout == Readout::kLast) {
        EXPECT_EQ(shares[3], both ? 0.5 : 1);
      }
      if (readout == Readout::kMean) {
        EXPECT_EQ(shares[1], 0.25);
      }
      if (readout == Readout::kMax || readout == Readout::kAttention) {
        std::vector<double> expected(4);
        std::vector<double> scores(4);
        const std::int64_t D = directions(compared.text.model().config());
        const std::span<const float> w = compared.parameters.matrices().attention;
        for (std::int64_t d = 0; d < D; ++d) {
          std::vector<std::vector<double>> h;
          for (std::int64_t t = 0; t < 4; ++t) h.push_back(compared.reference.h(D + d, t));
          for (std::size_t j = 0; j < 5; ++j) {
            std::size_t best = 0;
            for (std::size_t t = 1; t < 4; ++t) best = h[t][j] > h[best][j] ? t : best;
            expected[best] += 1.0 / static_cast<double>(5 * D);
            for (std::size_t t = 0; t < 4; ++t) {
              if (readout != Readout::kAttention) continue;
              scores[t] += static_cast<double>(w[static_cast<std::size_t>(d) * 5 + j]) * std::tanh(h[t][j]);
            }
          }
        }
        if (readout == Readout::kAttention) {
          double sum = 0;
          for (std::size_t t = 0; t < 4; ++t) sum += expected[t] = std::exp(scores[t]);
          for (double& share : expected) share /= sum;
        }
        for (std::size_t t = 0; t < 4; ++t) EXPECT_NEAR(shares[t], expected[t], 1e-5) << readout_name(readout) << t;
      }
    }
  }
}

}  // namespace
}  // namespace unroll
