// Numbers that a caller cast to an enumeration which lacks them are refused at every public entry that takes one.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <type_traits>

#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/adapt/tune.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"
#include "unroll/generator.h"
#include "unroll/gradcheck.h"
#include "unroll/nbest/nbest.h"
#include "unroll/nbest/references.h"
#include "unroll/scorer.h"
#include "unroll/sentencepiece.h"
#include "unroll/suites/syntax_suite.h"
#include "unroll/tokenizer.h"
#include "unroll/train_options.h"

namespace unroll {
namespace {

class Enumerators : public SmallRun {};

constexpr int kNone = 99;

template <class Value>
constexpr bool kIsOptionalEnum = false;
template <class Value>
constexpr bool kIsOptionalEnum<std::optional<Value>> = std::is_enum_v<Value>;

template <class F>
testing::AssertionResult refuses(const std::string& field, const F& f) {
  return fails_with(ErrorCode::kUsage, "`" + field + "` is 99, which is not an enumerator", f);
}

TEST_F(Enumerators, OfTrainingAreRefusedByTheirField) {
  const TrainOptions good = small();
  int enumerations = 0;
  for_each_option(good, [&](const TrainOption& described, const auto& of_good) {
    using Value = std::remove_cvref_t<decltype(of_good)>;
    if constexpr (std::is_enum_v<Value> || kIsOptionalEnum<Value>) {
      ++enumerations;
      TrainOptions bad = good;
      for_each_option(bad, [&](const TrainOption& option, auto& value) {
        if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, Value>) {
          if (option.field != described.field) return;
          if constexpr (std::is_enum_v<Value>) {
            value = static_cast<Value>(kNone);
          } else {
            value = static_cast<typename Value::value_type>(kNone);
          }
        }
      });
      EXPECT_TRUE(refuses(std::string(described.field), [&] { train(bad); }));
    }
  });
  EXPECT_EQ(enumerations, 15);
}

TEST_F(Enumerators, OfNetworksAndTokenizersAreRefused) {
  EXPECT_TRUE(refuses("cell", [] { (void)check_gradients({.config = {.cell = static_cast<Cell>(kNone)}}); }));
  const NetworkConfig config{.vocabulary = 7, .embed = 5, .hidden = 6};
  EXPECT_TRUE(refuses("precision", [&] { check(config, static_cast<Precision>(kNone)); }));
  const auto kind = static_cast<TokenizerKind>(kNone);
  EXPECT_TRUE(refuses("tokenizer.kind", [&] { (void)Tokenizer::train({.kind = kind}, {"abc", "text"}); }));
  EXPECT_TRUE(refuses("kind", [&] { (void)Tokenizer::from_vocabulary(kind, false, {"<unk>", "\n", "a"}); }));
  EXPECT_TRUE(refuses("kind", [] {
    (void)train_sentencepiece({"a text", "text"}, {.kind = static_cast<SentencePieceKind>(kNone)});
  }));
}

TEST_F(Enumerators, OfScoringAreRefused) {
  TrainOptions options = small();
  options.run.steps = 1;
  train(options);
  const Model model = Model::load(options.files.save);
  const auto state = static_cast<StatePolicy>(kNone);
  const auto unknown = static_cast<UnknownPolicy>(kNone);
  const NamedText text{"the cat", "text"};
  EXPECT_TRUE(refuses("state", [&] { (void)evaluate(model, text, {.state = state}); }));
  EXPECT_TRUE(refuses("unknown", [&] { (void)evaluate(model, text, {.unknown = unknown}); }));
  EXPECT_TRUE(refuses("state", [&] { (void)tune(model, text, {.temperature = true, .state = state}); }));
  const auto begin = static_cast<BeginPolicy>(kNone);
  EXPECT_TRUE(refuses("begin", [&] { (void)evaluate(model, text, {.begin = begin}); }));
  EXPECT_TRUE(refuses("begin", [&] { Scorer(model, {.accounting = {.begin = begin}}); }));
  EXPECT_TRUE(refuses("begin", [&] { Generator(model, {.begin = begin}); }));
  EXPECT_TRUE(refuses("state", [&] { Scorer(model, {.accounting = {.state = state}}); }));
  EXPECT_TRUE(refuses("unknown", [&] { Scorer(model, {.accounting = {.unknown = unknown}}); }));
  SyntaxSuite suite;
  suite.metric = static_cast<RegionMetric>(kNone);
  EXPECT_TRUE(refuses("metric", [&] { (void)score_suite(model, suite); }));
  EXPECT_TRUE(refuses("precision", [&] { convert(model, static_cast<Precision>(kNone), folder_.path("rounded")); }));
}

TEST_F(Enumerators, OfListsAreRefused) {
  write_bytes(folder_.path("lists"), "a 1 b\n");
  const NbestFormat format{.dialect = static_cast<NbestDialect>(kNone)};
  EXPECT_TRUE(refuses("dialect", [&] { NbestReader(folder_.path("lists"), format); }));
  EXPECT_TRUE(refuses("dialect", [&] { References(folder_.path("lists"), format); }));
}

}  // namespace
}  // namespace unroll
