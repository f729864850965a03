// What a model reads first, and vocabularies without "<unk>" or a line end, compared with plain loops that know of
// neither: each probability is that of one symbol after the symbols that the network has read since its state was zero.
#include "unroll/begin_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/ref/network.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "text/reading.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/generator.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;

// a to f, and neither "<unk>" nor a line end.
Tokenizer open_characters() {
  return Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"a", "b", "c", "d", "e", "f"});
}

// A network in double, in plain loops.
class PlainModel {
 public:
  PlainModel(Cell cell, const Tokenizer& tokenizer) : config_(tiny_config(cell, tokenizer)) {
    const Parameters parameters = random_parameters(config_, 0.7F, 3);  // those of tiny_model()
    for (const ParameterTensor& tensor : parameters.tensors()) {
      const auto numbers = parameters.values(tensor);
      values_.insert(values_.end(), numbers.begin(), numbers.end());
    }
  }

  // ln p(next | read from the zero state).
  [[nodiscard]] double log_prob(const Ids& read, std::int32_t next) const {
    Ids targets(read.size(), kIgnored);
    targets.back() = next;
    const std::vector<ref::State<double>> state0(static_cast<std::size_t>(config_.layers),
                                                 ref::zero_state<double>(config_.cell, 1, config_.hidden));
    std::vector<ref::State<double>> state1;
    ref::NetworkTape<double> tape;
    return -ref::network_forward(config_, ref::network_params(config_, values_.data()),
                                 {.T = std::ssize(read),
                                  .B = 1,
                                  .inputs = read,
                                  .targets = targets,
                                  .reset = {},
                                  .masks = {},
                                  .weight_masks = {}},
                                 state0, tape, state1);
  }

  // The sum over `ids`, each read after `read` and those before it.
  [[nodiscard]] double log_prob_of_all(Ids read, const Ids& ids) const {
    double sum = 0;
    for (const std::int32_t id : ids) {
      sum += log_prob(read, id);
      read.push_back(id);
    }
    return sum;
  }

  // The most probable symbols after `read`, one after another.
  [[nodiscard]] Ids most_probable(Ids read, int count) const {
    Ids written;
    for (int i = 0; i < count; ++i) {
      std::int32_t best = 0;
      for (std::int32_t id = 1; id < config_.vocabulary; ++id) {
        if (log_prob(read, id) > log_prob(read, best)) best = id;
      }
      written.push_back(best);
      read.push_back(best);
    }
    return written;
  }

 private:
  NetworkConfig config_;
  std::vector<double> values_;
};

constexpr double kClose = 1e-5;

std::string written_by(const Model& model, std::string_view prompt, int count, const GeneratorOptions& options) {
  Generator generator(model, options);
  std::string text;
  generator.write(prompt, count, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

// The ids of a line of tiny_characters(): <unk>, newline, space, a to h.
Ids ids_of(std::string_view line) {
  Ids ids;
  for (const char c : line) ids.push_back(c == '\n' ? 1 : c == ' ' ? 2 : 3 + c - 'a');
  return ids;
}

TEST(BeginNone, ScoresEachLineAfterItsFirstSymbol) {
  const std::vector<std::string> lines = {"abc a", "h", "", "gg", "bad cafe"};
  for (const Cell cell : all_cells()) {
    const PlainModel plain(cell, tiny_characters());
    Scorer scorer(tiny_model(cell, tiny_characters()), {.accounting = {.begin = BeginPolicy::kNone}});
    const std::vector<Score> scores = scorer.score(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const Ids all = ids_of(lines[i] + "\n");
      const Ids rest(all.begin() + 1, all.end());
      const double expected = plain.log_prob_of_all({all.front()}, rest);
      EXPECT_NEAR(scores[i].log_prob, expected, kClose) << cell_name(cell) << ": " << lines[i];
      EXPECT_EQ(scores[i].predictions, std::ssize(rest));
      EXPECT_EQ(scores[i].length, std::ssize(rest));
      ASSERT_EQ(scores[i].tokens.size(), all.size());
      EXPECT_TRUE(scores[i].tokens.front().given);
      EXPECT_FALSE(scores[i].tokens.front().counted);
      EXPECT_EQ(scores[i].tokens.front().log_prob, 0);
      for (std::size_t t = 1; t < all.size(); ++t) {
        EXPECT_TRUE(scores[i].tokens[t].counted && !scores[i].tokens[t].given);
        const Ids read(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(t));
        EXPECT_NEAR(scores[i].tokens[t].log_prob, plain.log_prob(read, all[t]), kClose);
      }
    }
  }
}

TEST(BeginNone, WithCarriedStateGivesTheFirstSymbolOfTheTextAlone) {
  const PlainModel plain(Cell::kGru, tiny_characters());
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const ScorerOptions options{.accounting = {.state = StatePolicy::kCarry, .begin = BeginPolicy::kNone}};
  Scorer together(model, options);
  Scorer apart(model, options);
  const Ids all = ids_of("ab\nc\n");
  const std::vector<Score> scores = together.score({"ab", "c"});
  EXPECT_NEAR(scores[0].log_prob, plain.log_prob_of_all({all[0]}, {all[1], all[2]}), kClose);
  EXPECT_NEAR(scores[1].log_prob, plain.log_prob_of_all({all[0], all[1], all[2]}, {all[3], all[4]}), kClose);
  EXPECT_FALSE(scores[1].tokens.front().given);
  EXPECT_EQ(apart.score("ab").log_prob, scores[0].log_prob);
  EXPECT_EQ(apart.score("c").log_prob, scores[1].log_prob);
}

TEST(BeginNone, ReadsAContextFromTheZeroStateAndPredictsTheWholeLineAfterIt) {
  const PlainModel plain(Cell::kLstm, tiny_characters());
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()),
                {.accounting = {.context = "ca", .begin = BeginPolicy::kNone}});
  const Score score = scorer.score("fe");
  EXPECT_NEAR(score.log_prob, plain.log_prob_of_all(ids_of("ca"), ids_of("fe\n")), kClose);
  EXPECT_EQ(score.predictions, 3);
  EXPECT_FALSE(score.tokens.front().given);
}

TEST(BeginNone, StepsFromAStateThatHasReadNothing) {
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()), {.accounting = {.begin = BeginPolicy::kNone}});
  const Score score = scorer.score("bad");
  State state = scorer.initial_state();
  EXPECT_EQ(state.input, -1);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "nothing was read yet", [&] { (void)scorer.next_log_probs(state); }));
  EXPECT_EQ(State::load(state.save()), state);
  for (const TokenScore& token : score.tokens) EXPECT_EQ(scorer.step(state, token.id), token.log_prob);
  Scorer usual(tiny_model(Cell::kLstm, tiny_characters()));
  State unread = scorer.initial_state();
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "symbol -1", [&] { (void)usual.step(unread, 3); }));
}

TEST(BeginNone, EvaluatesWhatTheScorerScores) {
  const Model model = tiny_model(Cell::kGruResetBefore, tiny_characters());
  const std::string text = random_text(3000, 5) + "\n";
  for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const Evaluation evaluation =
        evaluate(model, {text, "text"}, {.state = state, .begin = BeginPolicy::kNone, .exact = true});
    Scorer scorer(model, {.accounting = {.state = state, .begin = BeginPolicy::kNone}});
    double nats = 0;
    std::int64_t predictions = 0;
    std::string line;
    for (const char c : text) {
      if (c != '\n') {
        line += c;
        continue;
      }
      const Score score = scorer.score(std::exchange(line, ""));
      nats -= score.log_prob;
      predictions += score.predictions;
    }
    EXPECT_EQ(evaluation.tokens, predictions);
    EXPECT_NEAR(evaluation.nats_per_token * static_cast<double>(evaluation.tokens), nats, 1e-3);
    EXPECT_FALSE(evaluation.comparable);
    EXPECT_EQ(evaluation.begin, BeginPolicy::kNone);
  }
}

TEST(BeginNone, HasNothingToPredictInATextOfGivenSymbols) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const auto evaluated = [&](const std::string& text, StatePolicy state) {
    return evaluate(model, {text, "'text'"}, {.state = state, .begin = BeginPolicy::kNone});
  };
  EXPECT_EQ(evaluated("a\n", StatePolicy::kReset).tokens, 1);
  EXPECT_EQ(evaluated("\n\n", StatePolicy::kCarry).tokens, 1);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'text' holds no token that counts",
                         [&] { (void)evaluated("\n\n", StatePolicy::kReset); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the first token, which is given",
                         [&] { (void)evaluated("a", StatePolicy::kCarry); }));
}

TEST(BeginNone, WritesTheMostProbableSymbolsFromTheZeroState) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnnTanh}) {
    const PlainModel plain(cell, open_characters());
    const Model model = tiny_model(cell, open_characters());
    std::string expected;
    for (const std::int32_t id : plain.most_probable({3, 0}, 20)) expected += static_cast<char>('a' + id);
    EXPECT_EQ(written_by(model, "da", 20, {.temperature = 0, .begin = BeginPolicy::kNone}), expected);
  }
}

TEST(BeginNone, NeedsAPrompt) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the prompt is empty",
                         [&] { (void)written_by(model, "", 5, {.begin = BeginPolicy::kNone}); }));
  EXPECT_EQ(written_by(model, "\n", 5, {.temperature = 0, .begin = BeginPolicy::kNone}),
            written_by(model, "", 5, {.temperature = 0}));  // the boundary, given or read
}

TEST(BeginNone, AveragesModelsOfOnePolicyAlone) {
  const Tokenizer tokenizer = tiny_characters();
  const NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
  const Model usual = tiny_model(Cell::kLstm, tokenizer);
  const Model given(std::make_shared<const Model::Data>(
      Model::Data{config, tokenizer, {}, ModelWeights(random_parameters(config, 0.7F, 4)), BeginPolicy::kNone}));
  const std::vector<Model> both = {usual, given};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "set `begin`", [&] { (void)evaluate_average(both, {"ab", "text"}); }));
  EXPECT_EQ(evaluate_average(both, {"ab", "text"}, {.begin = BeginPolicy::kNone}).average.tokens, 1);
}

// ---- adaptation

TEST(BeginNone, ACacheHoldsNoGivenSymbols) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const Adaptation cache{.cache = CacheOptions{.size = 50, .theta = 0.5, .weight = 0.3}};
  const Adaptation idle{.cache = CacheOptions{.size = 50, .theta = 0.5, .weight = 0}};
  const Accounting accounting{.begin = BeginPolicy::kNone};
  Scorer plain(model, {.accounting = accounting});
  Scorer unchanged(model, {.accounting = accounting, .adaptation = idle});
  Scorer cached(model, {.accounting = accounting, .adaptation = cache});
  for (const std::string& line : random_lines(12, 9, 2)) {
    const double log_prob = plain.score(line).log_prob;
    EXPECT_EQ(unchanged.score(line).log_prob, log_prob);
    const Score score = cached.score(line);
    EXPECT_TRUE(std::isfinite(score.log_prob) && score.tokens.front().log_prob == 0);
  }
  // The first prediction of a text has nothing in the cache before it, the second one the state and symbol of the
  // first.
  Scorer fresh(model, {.accounting = accounting, .adaptation = cache});
  const Score first = fresh.score("ab");
  EXPECT_EQ(first.tokens[1].log_prob, plain.score("ab").tokens[1].log_prob);
  const double p = std::exp(plain.score("ab").tokens[2].log_prob);
  EXPECT_NEAR(std::exp(first.tokens[2].log_prob), 0.7 * p, 1e-6);  // the cache says "b", and the line ends
}

TEST(BeginNone, DynamicEvaluationOfARateOfZeroChangesNothing) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Adaptation idle;
  idle.dynamic = DynamicOptions{.bptt = 3, .rate = 0};
  const Accounting accounting{.begin = BeginPolicy::kNone};
  Scorer plain(model, {.accounting = accounting});
  Scorer unchanged(model, {.accounting = accounting, .adaptation = idle});
  Adaptation learning;
  learning.dynamic = DynamicOptions{.bptt = 1, .rate = 0.1};
  Scorer learner(model, {.accounting = accounting, .adaptation = learning});
  for (const std::string& line : random_lines(12, 9, 2)) {
    EXPECT_EQ(unchanged.score(line).log_prob, plain.score(line).log_prob);
    EXPECT_TRUE(std::isfinite(learner.score(line).log_prob));
  }
}

// ---- vocabularies without a line end

TEST(OpenVocabulary, ScoresLinesWithoutAnEnd) {
  for (const Cell cell : all_cells()) {
    const PlainModel plain(cell, open_characters());
    const NetworkConfig config = tiny_config(cell, open_characters());
    const Model model(std::make_shared<const Model::Data>(Model::Data{
        config, open_characters(), {}, ModelWeights(random_parameters(config, 0.7F, 3)), BeginPolicy::kNone}));
    Scorer scorer(model);
    const std::vector<Score> scores = scorer.score({"fade", "", "c", "bead"});
    EXPECT_NEAR(scores[0].log_prob, plain.log_prob_of_all({5}, {0, 3, 4}), kClose) << cell_name(cell);
    EXPECT_NEAR(scores[3].log_prob, plain.log_prob_of_all({1}, {4, 0, 3}), kClose);
    EXPECT_EQ(scores[0].predictions, 3);
    for (const std::size_t empty : {1U, 2U}) {
      EXPECT_EQ(scores[empty].log_prob, 0);
      EXPECT_EQ(scores[empty].predictions, 0);
    }
    EXPECT_EQ(scores[1].tokens.size(), 0U);
    EXPECT_EQ(scores[0].tokens.size(), 4U);
    const Evaluation evaluation = evaluate(model, {"fade\n\nc\nbead", "text"});
    EXPECT_EQ(evaluation.tokens, 6);
    EXPECT_EQ(evaluation.state, StatePolicy::kReset);
    EXPECT_NEAR(evaluation.nats_per_token, -(scores[0].log_prob + scores[3].log_prob) / 6, 1e-6);
    EXPECT_FALSE(evaluation.comparable);
  }
}

TEST(OpenVocabulary, RefusesWhatNeedsALineEnd) {
  const Model model = tiny_model(Cell::kLstm, open_characters());
  const auto refused = [](const std::string& part, const auto& f) { return fails_with(ErrorCode::kUsage, part, f); };
  EXPECT_TRUE(refused("`begin` is boundary", [&] { (void)Scorer(model); }));
  EXPECT_TRUE(refused("`state` is carry", [&] {
    (void)Scorer(model, {.accounting = {.state = StatePolicy::kCarry, .begin = BeginPolicy::kNone}});
  }));
  EXPECT_TRUE(refused("`state` is carry", [&] {
    (void)evaluate(model, {"ab", "text"}, {.state = StatePolicy::kCarry, .begin = BeginPolicy::kNone});
  }));
  EXPECT_TRUE(refused("`begin` is boundary", [&] { (void)Generator(model); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the prompt has a line end at byte 2",
                         [&] { (void)written_by(model, "ab\nc", 5, {.begin = BeginPolicy::kNone}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "prompt, line 1, column 2: the character \"x\"",
                         [&] { (void)written_by(model, "ax", 5, {.begin = BeginPolicy::kNone}); }));
}

TEST(OpenVocabulary, ALineWithAnotherSymbolIsToBlameAndThoseBeforeItAreScored) {
  Scorer scorer(tiny_model(Cell::kLstm, open_characters()), {.accounting = {.begin = BeginPolicy::kNone}});
  const std::vector<std::string> lines = {"abc", "dead", "fez"};
  const auto error = error_of([&] { (void)scorer.score(lines); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInput);
  EXPECT_EQ(error->index(), 2);
  EXPECT_NE(std::string(error->what()).find("line 3, column 3: the character \"z\""), std::string::npos);
  EXPECT_EQ(scorer.score(std::span(lines).first(2)).size(), 2U);
}

}  // namespace
}  // namespace unroll
