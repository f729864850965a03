#include "unroll/suites/syntax_suite.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <numbers>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

using Json = nlohmann::json;

const RegionSurprisals kSurprisals = {{{"a", 1}, 3.0}, {{"a", 2}, 5.0}, {{"b_x", 1}, 3.0004}, {{"b_x", 2}, 4.0}};

bool holds(const std::string& formula) { return RegionFormula(formula).holds(kSurprisals); }

TEST(RegionFormula, ComparisonsAndSumsOfRegions) {
  EXPECT_TRUE(holds("(2;%a%) > (2;%b_x%)"));
  EXPECT_FALSE(holds("(2;%a%)<(2;%b_x%)"));
  EXPECT_TRUE(holds("(1;%a%) = (1;%b_x%)"));  // within 1e-3
  EXPECT_FALSE(holds("(2;%a%) = (2;%b_x%)"));
  EXPECT_TRUE(holds("(*;%a%) > (*;%b_x%)"));
  EXPECT_TRUE(holds("(*;%a%) = 8"));
  EXPECT_TRUE(holds("(2;%a%) - (1;%a%) - 1 = 1"));
  EXPECT_TRUE(holds("(1;%a%) + (2;%a%) - 1 = 7"));
  EXPECT_TRUE(holds("[(2;%a%) - (1;%a%)] > ((2;%b_x%) - (1;%b_x%))"));
  EXPECT_TRUE(holds("((2;%a%)) > 4.5"));
}

TEST(RegionFormula, OperatorsOfOneRankAreReadFromLeftToRight) {
  EXPECT_FALSE(holds("1 < 2 | 1 < 2 & 2 < 1"));
  EXPECT_TRUE(holds("1 < 2 | (1 < 2 & 2 < 1)"));
  EXPECT_TRUE(holds("2 < 1 & 2 < 1 | 1 < 2"));
  EXPECT_FALSE(holds("2 < 1 & [2 < 1 | 1 < 2]"));
  EXPECT_FALSE(holds("1 < 2 & 2 < 1"));
  EXPECT_TRUE(holds("2 < 1 | 1 < 2"));
  EXPECT_TRUE(holds("3 - 2 + 1 = 2"));
  EXPECT_TRUE(holds("3 - (2 + 1) = 0"));
  EXPECT_TRUE(holds("9 - 4 - 3 + 2 - 1 = 3"));
}

TEST(RegionFormula, NumbersMayHaveASign) {
  EXPECT_TRUE(holds("(1;%a%) = +3"));
  EXPECT_TRUE(holds("(1;%a%) - -1 + +1 = 5e0"));
}

TEST(RegionFormula, ARegionThatDoesNotExistIsNamed) {
  const auto fails = [](const std::string& formula, const std::string& words) {
    return fails_with(ErrorCode::kInput, words, [&] { static_cast<void>(holds(formula)); });
  };
  EXPECT_TRUE(fails("(9;%a%) > 1", "there is no region 9 of condition \"a\""));
  EXPECT_TRUE(fails("(*;%x\xFF%) > 1", "there is no condition \"x\xEF\xBF\xBD\""));
}

TEST(RegionFormula, WhatCannotBeReadIsRefusedWithItsPlace) {
  for (const auto& [formula, words] : std::map<std::string, std::string>{
           {"", "character 1"},
           {"(1;%a%)", "expected a comparison"},
           {"(1;%a%) > ", "character 11"},
           {"(1;%a%) > (1;%%)", "expected %condition%"},
           {"(1;%a) > 2", "expected %condition%"},
           {"(1,%a%) > 2", "character 3"},
           {"(1;%a%) > 2 3", "expected the end"},
           {"1 < 2 < 3", "expected the end"},
           {"(1 < 2) + 3 < 4", "a sum is of numbers"},
           {"1 & 2", "between comparisons"},
           {"(1 < 2) < 3", "between numbers"},
           {"+-1 < 2", "expected one sign"},
           {"1 < + 2 3", "expected the end"},
           {"[(1;%a%) > 2)", "expected \"]\""},
           {"nan > 1", "expected a region"},
           {std::string(1000, '('), "too deep"},
       }) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, words, [&] { static_cast<void>(RegionFormula(formula)); })) << formula;
  }
  std::string chain = "0";
  for (int i = 0; i < 1000; ++i) chain += "+1";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "more than 1000 operators",
                         [&] { static_cast<void>(RegionFormula(chain + " > 1")); }));
  EXPECT_TRUE(holds(chain.substr(2) + " > 998"));
  for (const char* formula : {"(3;%a%) > 1", "(1;%c%) > 1", "(*;%c%) > 1", "1 < 2 | (3;%a%) > 1"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "there is no", [&] { static_cast<void>(holds(formula)); })) << formula;
  }
}

Json condition(const std::string& name, const std::vector<std::string>& contents) {
  Json regions = Json::array();
  for (const std::string& content : contents) {
    regions.push_back({{"region_number", regions.size() + 1}, {"content", content}});
  }
  return {{"condition_name", name}, {"regions", regions}};
}

Json small_suite() {
  return {
      {"meta", {{"name", "order"}, {"metric", "sum"}, {"author", "me"}}},
      {"region_meta", {{"1", "subject"}}},
      {"predictions", {{{"type", "formula"}, {"formula", "(3;%good%) < (3;%bad%)"}}}},
      {"items",
       {{{"item_number", 7},
         {"conditions",
          {condition("good", {"the cat", "", "sees", "dog"}), condition("bad", {"the", "old", "old cat", "dog"})}}}}}};
}

class SyntaxSuites : public ::testing::Test {
 protected:
  SyntaxSuite read(const Json& json) {
    write_bytes(folder_.path("suite.json"), json.dump());
    return read_syntax_suite(folder_.path("suite.json"));
  }
  void refuses(const Json& json, const std::string& words) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, words, [&] { static_cast<void>(read(json)); })) << json;
  }

  TemporaryFolder folder_;
};

// A region's bits from the probabilities of the text before it and of that with it.
TEST_F(SyntaxSuites, RegionsHaveTheBitsOfWhatTheyAddToTheSentence) {
  for (const Tokenizer& tokenizer : {tiny_words(), tiny_characters(), all_bytes()}) {
    const Model model = tiny_model(Cell::kLstm, tokenizer);
    const std::vector<ItemScore> scores = score_suite(model, read(small_suite()));
    ASSERT_EQ(scores.size(), 1U);
    Scorer scorer(model, {.accounting = {.end = false}});
    const auto bits = [&](const std::string& text) { return -scorer.score(text).log_prob / std::numbers::ln2; };
    const std::map<std::pair<std::string, int>, double> expected = {
        {{"good", 1}, bits("the cat")},
        {{"good", 2}, 0},
        {{"good", 3}, bits("the cat sees") - bits("the cat")},
        {{"good", 4}, bits("the cat sees dog") - bits("the cat sees")},
        {{"bad", 1}, bits("the")},
        {{"bad", 2}, bits("the old") - bits("the")},
        {{"bad", 3}, bits("the old old cat") - bits("the old")},
        {{"bad", 4}, bits("the old old cat dog") - bits("the old old cat")}};
    ASSERT_EQ(scores[0].surprisals.size(), expected.size());
    for (const auto& [place, found] : scores[0].surprisals) {
      EXPECT_NEAR(found, expected.at({place.first, static_cast<int>(place.second)}), 1e-9) << place.second;
    }
    EXPECT_EQ(scores[0].correct(), expected.at({"good", 3}) < expected.at({"bad", 3}));
  }
}

TEST_F(SyntaxSuites, WhiteSpaceAtTheStartOfARegionIsIgnored) {
  Json suite = small_suite();
  suite["predictions"][0]["formula"] = "(3;%good%) = (3;%bad%)";
  suite["items"][0]["conditions"] = {condition("good", {" the cat", " \t", " sees", "\n dog"}),
                                     condition("bad", {"the cat", "", "sees", "dog"})};
  for (const Tokenizer& tokenizer : {tiny_words(), tiny_characters(), all_bytes()}) {
    const ItemScore score = score_suite(tiny_model(Cell::kLstm, tokenizer), read(suite)).front();
    for (std::size_t region = 0; region < 4; ++region) {
      EXPECT_EQ(score.surprisals[region].second, score.surprisals[region + 4].second) << region;
    }
    EXPECT_TRUE(score.correct());
  }
}

// A model that predicts the, cat, dog, sees, old, and with 1, 2, 3, 4, 5 and 6 bits, whatever stands before.
Model model_of_whole_bits() {
  const Tokenizer tokenizer = tiny_words();
  Parameters parameters(tiny_config(Cell::kLstm, tokenizer));
  const std::vector<float> bits{7, 7, 1, 2, 3, 4, 5, 6};
  for (std::size_t id = 0; id < bits.size(); ++id) {
    parameters.decoder_bias()[id] = -bits[id] * std::numbers::ln2_v<float>;
  }
  return model_of(tiny_config(Cell::kLstm, tokenizer), tokenizer, std::move(parameters));
}

// Conditions whose regions have the tokens' bits
//
//   a   1 2 |       | 4 | 5 3 6      b   1 | 5 5 2 | 4 | 3
Json suite_of_whole_bits(const std::string& metric, const std::vector<std::string>& formulas) {
  Json suite = small_suite();
  suite["meta"]["metric"] = metric;
  suite["predictions"] = Json::array();
  for (const std::string& formula : formulas)
    suite["predictions"].push_back({{"type", "formula"}, {"formula", formula}});
  suite["items"][0]["conditions"] = {condition("a", {" the cat", "", "sees", "old dog and"}),
                                     condition("b", {"the", "old old cat", " sees", "dog"})};
  return suite;
}

TEST_F(SyntaxSuites, MetricsAreThoseOfARegionsTokens) {
  const Model model = model_of_whole_bits();
  for (const auto& [metric, expected] : std::map<std::string, std::vector<double>>{
           {"sum", {3, 0, 4, 14, 1, 12, 4, 3}},
           {"mean", {1.5, 0, 4, 14.0 / 3, 1, 4, 4, 3}},
           {"median", {1.5, 0, 4, 5, 1, 5, 4, 3}},
           {"max", {2, 0, 4, 6, 1, 5, 4, 3}},
           {"min", {1, 0, 4, 3, 1, 2, 4, 3}},
           {"range", {1, 0, 0, 3, 0, 3, 0, 0}},
       }) {
    const SyntaxSuite suite = read(suite_of_whole_bits(metric, {"1 < 2"}));
    EXPECT_EQ(region_metric_name(suite.metric), metric);
    const ItemScore score = score_suite(model, suite).front();
    ASSERT_EQ(score.surprisals.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(score.surprisals[i].second, expected[i], 1e-5) << metric << " " << i;
    }
  }
}

// By hand, from the sums a 3 0 4 14, of all 21; b 1 12 4 3, of all 20.
TEST_F(SyntaxSuites, FormulasHoldAsComputedByHand) {
  const std::vector<std::pair<std::string, bool>> formulas{
      {"(4;%a%) > (2;%b%)", true},                                      // 14 > 12
      {"(2;%b%) < (4;%b%)", false},                                     // 12 < 3
      {"(3;%a%) = (3;%b%)", true},                                      // 4 = 4
      {"(2;%a%) = 0", true},                                            // a region without tokens
      {"(*;%a%) - (*;%b%) = 1", true},                                  // 21 - 20
      {"(4;%a%) - (2;%b%) + (1;%b%) = 3", true},                        // (14 - 12) + 1
      {"(4;%a%) - [(2;%b%) + (1;%b%)] = 1", true},                      // 14 - 13
      {"[(4;%a%) - (1;%a%)] = [(2;%b%) - (1;%b%)]", true},              // 11 = 11
      {"((4;%a%) + 0.0005) = 14", true},                                // within 0.001 + 0.00014
      {"((4;%a%) + 0.0015) = 14", false},                               //
      {"(1;%a%) < (3;%a%) & (2;%b%) < (4;%b%)", false},                 // true & false
      {"(1;%a%) < (3;%a%) | (2;%b%) < (4;%b%)", true},                  // true | false
      {"(1;%a%) < (3;%a%) | 1 < 2 & (2;%b%) < (4;%b%)", false},         // (true | true) & false
      {"(1;%a%) < (3;%a%) | [1 < 2 & (2;%b%) < (4;%b%)]", true},        // true | false
      {"(2;%b%) < (4;%b%) & 1 < 2 | ((3;%a%)) > 3.5", true},            // (false & true) | true
      {"0.0135e3 < (4;%a%) & (1;%b%) - -1 > +1.5 & 3 > (1;%b%)", true}  // 13.5 < 14, 2 > 1.5, 3 > 1
  };
  std::vector<std::string> texts;
  for (const auto& [text, truth] : formulas) texts.push_back(text);
  const ItemScore score = score_suite(model_of_whole_bits(), read(suite_of_whole_bits("sum", texts))).front();
  for (std::size_t i = 0; i < formulas.size(); ++i) EXPECT_EQ(score.predictions[i], formulas[i].second) << texts[i];
  EXPECT_FALSE(score.correct());
}

TEST_F(SyntaxSuites, AnItemCountsWhereAllPredictionsHold) {
  const ItemScore both{.predictions = {true, true}, .surprisals = {}};
  const ItemScore one{.predictions = {true, false}, .surprisals = {}};
  EXPECT_TRUE(both.correct());
  EXPECT_FALSE(one.correct());
}

TEST_F(SyntaxSuites, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(read(small_suite()).items[0].conditions[1].regions[2].content, "old cat");
  Json suite = small_suite();
  suite.erase("items");
  refuses(suite, "the key items is missing");
  suite = small_suite();
  suite["meta"]["metric"] = "all";
  refuses(suite, "meta: metric: \"all\" is not a metric: expected one of sum, mean, median, max, min, range");
  suite = small_suite();
  suite["predictions"][0]["formula"] = "(3;%good%) <";
  refuses(suite, "predictions 1: formula \"(3;%good%) <\", character 13: ");
  suite["predictions"][0]["formula"] = "(5;%good%) < 3";
  refuses(suite, "items 1: formula \"(5;%good%) < 3\": there is no region 5 of condition \"good\"");
  suite = small_suite();
  suite["items"][0]["conditions"][1]["regions"][2]["content"] = 3;
  refuses(suite, "conditions 2: regions 3: content: expected a text");
  suite = small_suite();
  suite["items"][0]["conditions"][1]["regions"][2]["region_number"] = 1;
  refuses(suite, "region 1 of condition bad comes twice");
  suite = small_suite();
  suite["items"][0]["conditions"][0] = condition("good", {"", "", ""});
  refuses(suite, "all regions are empty");
  suite["items"] = Json::array();
  refuses(suite, "items: expected a list that is not empty");
  refuses(Json::array(), "expected an object");
}

}  // namespace
}  // namespace unroll
