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

TEST(RegionFormula, AndBindsMoreThanOr) {
  EXPECT_TRUE(holds("1 < 2 | 1 < 2 & 2 < 1"));
  EXPECT_FALSE(holds("(1 < 2 | 1 < 2) & 2 < 1"));
  EXPECT_FALSE(holds("1 < 2 & 2 < 1"));
  EXPECT_TRUE(holds("2 < 1 | 1 < 2"));
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
           {"3 - 2 + 1 > 0", "put brackets"},
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
  suite["meta"]["metric"] = "median";
  refuses(suite, "no other metric");
  suite = small_suite();
  suite["predictions"][0]["formula"] = "(3;%good%) <";
  refuses(suite, "predictions 1: formula \"(3;%good%) <\", character 13: ");
  suite["predictions"][0]["formula"] = "(5;%good%) < 3";
  refuses(suite, "items 1: formula \"(5;%good%) < 3\": there is no region (5;%good%)");
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
