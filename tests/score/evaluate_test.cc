#include "unroll/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "infer/evaluate_ids.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

double total_of_scores(const Model& model, const std::string& text, StatePolicy policy) {
  double sum = 0;
  for (const Score& score : Scorer(model, {.accounting = {.state = policy}}).score(lines_of(text)))
    sum += score.log_prob;
  return sum;
}

TEST(Evaluate, IsTheSumOfTheScoresOfAllLines) {
  const std::string text = random_text(3000, 4) + "\n";
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    const Evaluation reset = evaluate(model, {text, "text"}, {.state = StatePolicy::kReset});
    EXPECT_EQ(reset.tokens, 3001);
    EXPECT_EQ(reset.state, StatePolicy::kReset);
    const double reset_sum = total_of_scores(model, text, StatePolicy::kReset);
    EXPECT_NEAR(reset.nats_per_token * 3001, -reset_sum, 1e-12 * std::abs(reset_sum));

    const Evaluation exact = evaluate(model, {text, "text"}, {.state = StatePolicy::kCarry, .exact = true});
    const double carried_sum = total_of_scores(model, text, StatePolicy::kCarry);
    EXPECT_NEAR(exact.nats_per_token * 3001, -carried_sum, 1e-12 * std::abs(carried_sum));
  }
}

TEST(Evaluate, EverySymbolIsPredictedOnceWithOrWithoutAFinalNewline) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    EXPECT_EQ(evaluate(model, {"a", "text"}, {.state = policy}).tokens, 1);
    EXPECT_EQ(evaluate(model, {"\n", "text"}, {.state = policy}).tokens, 1);
    EXPECT_EQ(evaluate(model, {"ab\ncd", "text"}, {.state = policy}).tokens, 5);
    for (const std::size_t size : {63U, 64U, 65U, 2047U, 2048U, 2049U}) {
      EXPECT_EQ(evaluate(model, {random_text(size, 6), "text"}, {.state = policy}).tokens,
                static_cast<std::int64_t>(size));
    }
  }
}

TEST(Evaluate, WarmedPiecesComeCloseToOnePiece) {
  const std::string text = random_text(5000, 5);
  for (const Cell cell : all_cells()) {
    // Weights small enough for the state of 256 symbols ago to be forgotten.
    const NetworkConfig config = tiny_config(cell, tiny_characters());
    const Model model = model_of(config, tiny_characters(), random_parameters(config, 0.3F, 8));
    const Evaluation warmed = evaluate(model, {text, "text"}, {.state = StatePolicy::kCarry});
    const Evaluation exact = evaluate(model, {text, "text"}, {.state = StatePolicy::kCarry, .exact = true});
    EXPECT_EQ(warmed.tokens, exact.tokens);
    EXPECT_NEAR(warmed.nats_per_token, exact.nats_per_token, 1e-6) << cell_name(cell);
  }
}

TEST(Evaluate, BitsDependNeitherOnThreadsNorOnWhatWeightsArePackedFor) {
  const Tokenizer tokenizer = tiny_characters();
  const EncodedText text = tokenizer.encode({random_text(3000, 7), "text"});
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tokenizer);
    for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
      std::vector<double> nats;
      for (const Purpose purpose : {Purpose::kInference, Purpose::kTraining}) {
        for (const int threads : {1, 2, 3}) {
          Workers workers(threads);
          NetworkWeights weights(model.config(), purpose);
          weights.pack(model.data().weights.view(), workers);
          const ReadyWeights ready{model.config(), weights, workers};
          nats.push_back(evaluate_ids(ready, text.ids, symbols_of(tokenizer, policy, BeginPolicy::kBoundary), {}).nats);
        }
      }
      for (const double other : nats) EXPECT_EQ(other, nats.front()) << cell_name(cell);
    }
  }
}

TEST(Evaluate, SeparatesUnknownSymbols) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  const std::string text = "the big cat sees\nthe small dog\n";
  const Evaluation result = evaluate(model, {text, "text"}, {.state = StatePolicy::kReset});
  double known = 0;
  double unknown = 0;
  for (const Score& score : Scorer(model).score(lines_of(text))) {
    for (const TokenScore& token : score.tokens) (token.id == 0 ? unknown : known) -= token.log_prob;
  }
  EXPECT_EQ(result.tokens, 9);
  EXPECT_EQ(result.unknown_tokens, 2);
  EXPECT_NEAR(result.nats_per_token, (known + unknown) / 9, 1e-12);
  EXPECT_NEAR(result.perplexity, std::exp((known + unknown) / 9), 1e-10);
  EXPECT_NEAR(result.nats_per_known_token, known / 7, 1e-12);
  EXPECT_NEAR(result.perplexity_without_unknown, std::exp(known / 7), 1e-10);
  EXPECT_FALSE(result.comparable);
}

TEST(Evaluate, BitsDivideByTheTextAsItIs) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const Evaluation result = evaluate(model, {"caf\xC3\xA9 \xE2\x82\xAC\n", "text"});
  EXPECT_EQ(result.tokens, 7);
  EXPECT_EQ(result.characters, 7);
  EXPECT_EQ(result.bytes, 10);
  EXPECT_NEAR(result.bits_per_char, result.nats_per_token / std::log(2.0), 1e-12);
  EXPECT_NEAR(result.bits_per_byte, 7 * result.nats_per_token / std::log(2.0) / 10, 1e-12);
  EXPECT_TRUE(result.comparable);
  EXPECT_EQ(result.unknown_tokens, 0);
  EXPECT_EQ(result.nats_per_known_token, result.nats_per_token);
  EXPECT_FALSE(evaluate(model, {"xyz", "text"}).comparable);
}

TEST(Evaluate, ProgressEndsWithAllPredictions) {
  std::vector<std::int64_t> seen;
  std::int64_t whole = 0;
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const auto progress = [&](std::int64_t done, std::int64_t total) {
    seen.push_back(done);
    whole = total;
  };
  (void)evaluate(model, {random_text(3000, 1), "text"}, {.progress = progress});
  ASSERT_GT(seen.size(), 1U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 3000);
  EXPECT_EQ(whole, 3000);
}

TEST(Evaluate, RefusesTextsWithNothingToPredictOrThatCannotBeRead) {
  const auto code_of = [](const Model& model, const std::string& text) {
    try {
      (void)evaluate(model, {text, "a.txt"});
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("a.txt"), std::string::npos) << error.what();
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kUsage;
  };
  EXPECT_EQ(code_of(tiny_model(Cell::kLstm, tiny_characters()), ""), ErrorCode::kInput);
  EXPECT_EQ(code_of(tiny_model(Cell::kLstm, tiny_words()), ""), ErrorCode::kInput);
  EXPECT_EQ(code_of(tiny_model(Cell::kLstm, tiny_characters()), "ab\xFF"), ErrorCode::kInput);
}

TEST(EvaluateAverage, IsTheMeanOfProbabilities) {
  const std::vector<Model> models{tiny_model(Cell::kLstm, tiny_characters(), 3),
                                  tiny_model(Cell::kGru, tiny_characters(), 4),
                                  tiny_model(Cell::kLstm, tiny_characters(), 5)};
  const std::string text = random_text(400, 4) + "\n";
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const AverageEvaluation result = evaluate_average(models, {text, "text"}, {.state = policy, .exact = true});
    std::vector<double> sums(401);
    for (const Model& model : models) {
      std::size_t i = 0;
      for (const Score& score : Scorer(model, {.accounting = {.state = policy}}).score(lines_of(text))) {
        for (const TokenScore& token : score.tokens) sums.at(i++) += std::exp(token.log_prob);
      }
    }
    double nats = 0;
    for (const double sum : sums) nats -= std::log(sum / 3);
    EXPECT_NEAR(result.average.nats_per_token, nats / 401, 1e-12);
    ASSERT_EQ(result.models.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(result.models[i].nats_per_token,
                evaluate(models[i], {text, "text"}, {.state = policy, .exact = true}).nats_per_token);
    }
  }
}

TEST(EvaluateAverage, NamesTheFirstDifferenceOfVocabularies) {
  const Model characters = tiny_model(Cell::kLstm, tiny_characters());
  const auto refused = [&](const Model& other, const std::string& part) {
    const std::vector<Model> models{characters, characters, other};
    const auto call = [&] { (void)evaluate_average(models, {"abc", "text"}); };
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, part, call));
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "models 1 and 3", call));
  };
  refused(tiny_model(Cell::kLstm, tiny_words()), "the tokenizers are char and whitespace");
  std::vector<std::string> symbols = {"<unk>", "\n", " ", "a", "z"};
  refused(tiny_model(Cell::kLstm, Tokenizer::from_vocabulary(TokenizerKind::kChar, false, symbols)),
          "symbol 4 is \"b\" and \"z\"");
  symbols = {"<unk>", "\n", " ", "a", "b"};
  refused(tiny_model(Cell::kLstm, Tokenizer::from_vocabulary(TokenizerKind::kChar, false, symbols)),
          "13 and 5 symbols");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "no model", [&] { (void)evaluate_average({}, {"abc", "text"}); }));
}

std::vector<std::string_view> whole_lines_of(const std::string& text) {
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(lines.back().size())) {
    lines.push_back(rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1));
  }
  return lines;
}

TEST(EvaluateLines, OfAnyPartsAddUpToTheTextToTheBit) {
  const std::string text = random_text(900, 4) + "\n\n" + random_text(40, 5);
  const std::vector<Model> models = {tiny_model(Cell::kGru, tiny_characters()),
                                     tiny_model(Cell::kLstm, tiny_characters())};
  const EvaluateOptions options{.state = StatePolicy::kReset};
  const AverageEvaluation whole = evaluate_average(models, {text, "text"}, options);
  const std::vector<std::string_view> lines = whole_lines_of(text);
  ASSERT_GT(lines.size(), 5U);
  const auto name = [](std::size_t line) { return "line " + std::to_string(line + 1); };
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, lines.size()}) {
    EvaluationSums sums;
    for (std::size_t first = 0; first < lines.size(); first += size) {
      const auto part = std::span(lines).subspan(first, std::min(size, lines.size() - first));
      for (const EvaluationSums& line : evaluate_lines(models, part, options, name)) sums += line;
    }
    const AverageEvaluation added = evaluation_of(sums, kind_of_lines(models, options));
    EXPECT_EQ(added.average.nats_per_token, whole.average.nats_per_token) << size;
    EXPECT_EQ(added.models[1].perplexity, whole.models[1].perplexity) << size;
    EXPECT_EQ(added.average.bits_per_char, whole.average.bits_per_char);
    EXPECT_EQ(added.average.tokens, whole.average.tokens);
    EXPECT_EQ(added.average.comparable, whole.average.comparable);
  }
}

TEST(EvaluateLines, AreRefusedWhereTheStateIsCarried) {
  const std::vector<Model> models = {tiny_model(Cell::kGru, tiny_characters())};
  const std::vector<std::string_view> lines = {"a\n"};
  const auto name = [](std::size_t) { return std::string("line"); };
  for (const EvaluateOptions& options :
       {EvaluateOptions{.state = StatePolicy::kCarry},
        EvaluateOptions{.state = StatePolicy::kReset, .adaptation = {.cache = CacheOptions{}}}}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "state is reset",
                           [&] { static_cast<void>(evaluate_lines(models, lines, options, name)); }));
  }
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no token that counts", [] { static_cast<void>(evaluation_of({}, {})); }));
}

}  // namespace
}  // namespace unroll
