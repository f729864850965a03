#include "server/api/symbol_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/tiny_model.h"

namespace unroll {
namespace {

SymbolReport report_of(std::int32_t id, double log_prob, std::vector<SymbolProbability> alternatives) {
  SymbolReport report;
  report.id = id;
  report.log_prob = log_prob;
  report.alternatives = std::move(alternatives);
  return report;
}

nlohmann::json taken(SymbolLog& log) {
  std::string json;
  log.take(json);
  return nlohmann::json::parse(json);
}

TEST(SymbolLog, ListsTheSymbolOnceWithTheSameDigits) {
  SymbolLog log(tiny_characters(), LogShape::kText);
  log.add(report_of(4, -0.1234567890123456, {{3, -0.1}, {4, -0.1234567890123456}}), "b");
  log.add(report_of(5, -3, {{3, -0.1}}), "c");
  const nlohmann::json lists = taken(log);
  EXPECT_EQ(lists["token_logprobs"], nlohmann::json({-0.1234567890123456, -3.0}));
  EXPECT_EQ(lists["top_logprobs"][0], nlohmann::json({{"a", -0.1}, {"b", -0.1234567890123456}}));
  EXPECT_EQ(lists["top_logprobs"][1], nlohmann::json({{"a", -0.1}, {"c", -3.0}}));
}

TEST(SymbolLog, CountsCharactersNotBytes) {
  SymbolLog log(tiny_characters(), LogShape::kText);
  log.add_given(12, "\xE2\x82\xAC");
  log.add(report_of(11, -1, {}), "\xC3\xA9");
  log.add(report_of(3, -1, {}), "a");
  EXPECT_EQ(taken(log)["text_offset"], nlohmann::json({0, 1, 2}));
}

TEST(SymbolLog, GivesBytesOfACharacterItsPlaceAndNamesOfTheirOwn) {
  SymbolLog log(all_bytes(), LogShape::kText);
  log.add(report_of('a', -1, {}), "a");
  log.add(report_of(0xE2, -1, {{0xE2, -1}, {0xE3, -2}}), "\xE2");
  log.add(report_of(0x82, -1, {}), "\x82");
  log.add(report_of(0xAC, -1, {}), "\xAC");
  log.add(report_of('b', -1, {}), "b");
  const nlohmann::json lists = taken(log);
  EXPECT_EQ(lists["tokens"], nlohmann::json({"a", "bytes:\\xe2", "bytes:\\x82", "bytes:\\xac", "b"}));
  EXPECT_EQ(lists["text_offset"], nlohmann::json({0, 1, 1, 1, 2}));
  EXPECT_EQ(lists["top_logprobs"][1].size(), 2U);
}

TEST(SymbolLog, CountsEachPartThatIsNotUtf8AsTheOneCharacterThatIsShownForIt) {
  CharacterCount count;
  EXPECT_EQ(count.add("a\x80"), 0);
  EXPECT_EQ(count.add("\xF0\x9F"), 2);
  EXPECT_EQ(count.add("\x98"), 2);
  EXPECT_EQ(count.add("\xE0"), 3);  // ends what was unfinished
  EXPECT_EQ(count.add("\x80"), 4);  // cannot follow E0
  EXPECT_EQ(count.add(""), 5);
  EXPECT_EQ(count.add("\xC3"), 5);
  EXPECT_EQ(count.add("\xA9"), 5);
  EXPECT_EQ(count.add("b"), 6);
}

TEST(SymbolLog, ContinuesWhatWasSkipped) {
  SymbolLog log(tiny_words(), LogShape::kText);
  log.skip(2, "the \xC3\xA9");
  log.add(report_of(2, -2, {{3, -1}, {2, -2}}), " the");
  const nlohmann::json lists = taken(log);
  EXPECT_EQ(lists["text_offset"], nlohmann::json({5}));
  EXPECT_EQ(lists["top_logprobs"][0].size(), 2U);
  for (const auto& [name, log_prob] : lists["top_logprobs"][0].items()) EXPECT_EQ(name.front(), ' ') << name;
}

// An unknown word stands in a prompt as it was written there, which may be a word that the vocabulary has.
TEST(SymbolLog, NeverHasOneNameTwice) {
  SymbolLog log(tiny_words(), LogShape::kText);
  log.add(report_of(0, -2, {{2, -1}, {0, -2}}), "the");
  const nlohmann::json top = taken(log)["top_logprobs"][0];
  EXPECT_EQ(top, nlohmann::json({{"token_id:2", -1.0}, {"the", -2.0}}));
}

TEST(SymbolLog, TellsEachSymbolOnce) {
  SymbolLog log(tiny_characters(), LogShape::kText);
  log.add(report_of(3, -1, {}), "a");
  EXPECT_EQ(taken(log)["tokens"].size(), 1U);
  EXPECT_TRUE(taken(log)["tokens"].empty());
  log.add(report_of(4, -1, {}), "b");
  EXPECT_EQ(taken(log)["text_offset"], nlohmann::json({1}));
}

}  // namespace
}  // namespace unroll
