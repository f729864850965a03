#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serve/told.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/engine.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

std::vector<TokenScore> scored(const Model& model, const std::string& line, std::optional<BeginPolicy> begin = {}) {
  return Scorer(model, {.accounting = {.begin = begin, .end = false}, .threads = 1}).score(line).tokens;
}

// A prompt and what was written after it are scored as one line.
void expect_bits_of_scorer(const Model& model, const EngineOptions& options, std::optional<BeginPolicy> begin = {}) {
  std::vector<TextRequest> requests = many_requests(24, [](std::size_t i) {
    std::string line = "a" + random_text(i * 29 % 70, i);
    std::erase(line, '\n');
    return line;
  });
  for (std::size_t i = 0; i < requests.size(); ++i) {
    TextRequest& request = requests[i];
    request.options.begin = begin;
    request.options.logit_bias.push_back({.id = 1, .bias = -1000});  // no line end: all is one line
    request.symbols = {.prompt = i % 4 != 0, .written = true, .ranks = i % 3 != 0};
    request.symbols.alternatives = static_cast<std::int64_t>(i % 5 == 0 ? 0 : 3);
  }
  const std::vector<Told> together = written_together(model, requests, options);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Told& told = together[i];
    std::vector<TokenScore> expected = scored(model, requests[i].prompt + told.text, begin);
    const auto of_prompt = static_cast<std::ptrdiff_t>(std::ssize(scored(model, requests[i].prompt, begin)));
    if (!requests[i].symbols.prompt) expected.erase(expected.begin(), expected.begin() + of_prompt);
    // A symbol with which a text ended before its stop string is reported too.
    ASSERT_EQ(told.symbols.size(), expected.size() + (told.finish == Finish::kStop ? 1 : 0)) << i;
    for (std::size_t t = 0; t < expected.size(); ++t) {
      const SymbolReport& symbol = told.symbols[t];
      ASSERT_EQ(symbol.id, expected[t].id) << i;
      ASSERT_EQ(symbol.log_prob, expected[t].log_prob) << i << ", " << t;
      ASSERT_EQ(symbol.given, expected[t].given) << i << ", " << t;
      if (requests[i].symbols.ranks) {
        ASSERT_EQ(symbol.rank, expected[t].rank);
        ASSERT_EQ(symbol.entropy, expected[t].entropy);
      }
      if (symbol.written) {
        ASSERT_EQ(symbol.text, expected[t].text);
      }
      ASSERT_EQ(std::ssize(symbol.alternatives), symbol.given ? 0 : requests[i].symbols.alternatives);
      for (std::size_t a = 1; a < symbol.alternatives.size(); ++a) {
        ASSERT_LE(symbol.alternatives[a].log_prob, symbol.alternatives[a - 1].log_prob + 1e-6);
      }
      for (const SymbolProbability& alternative : symbol.alternatives) {
        if (alternative.id == symbol.id) {
          ASSERT_EQ(alternative.log_prob, symbol.log_prob);
        }
      }
    }
  }
}

TEST(EngineReports, ReportsHaveTheBitsOfAScorer) {
  for (const Cell cell : {Cell::kLstm, Cell::kMinLstm}) {
    expect_bits_of_scorer(tiny_model(cell, tiny_characters()), {.threads = 3});
  }
  expect_bits_of_scorer(tiny_model(Cell::kGru, tiny_characters()), {.texts = 5}, BeginPolicy::kNone);
  NetworkConfig adaptive = tiny_config(Cell::kLstm, tiny_characters());
  adaptive.hidden = 19;
  adaptive.cutoffs = {4, 8};
  expect_bits_of_scorer(model_of(adaptive, tiny_characters(), random_parameters(adaptive, 0.7F, 5)), {});
}

TEST(EngineReports, TheMostProbableSymbolsAreThoseOfTheWholeDistribution) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const Told told = alone(model, {.prompt = "abc", .length = 3, .symbols = {.prompt = true, .alternatives = 100}});
  Scorer scorer(model);
  State state = scorer.initial_state();
  ASSERT_EQ(told.symbols.size(), 3U);
  for (const SymbolReport& symbol : told.symbols) {
    const std::vector<double> log_probs = scorer.next_log_probs(state);
    ASSERT_EQ(symbol.alternatives.size(), log_probs.size());  // as many as there are
    EXPECT_EQ(symbol.alternatives.front().log_prob, *std::ranges::max_element(log_probs));
    for (const SymbolProbability& alternative : symbol.alternatives) {
      EXPECT_EQ(alternative.log_prob, log_probs[static_cast<std::size_t>(alternative.id)]);
    }
    (void)scorer.step(state, symbol.id);
  }
}

TEST(EngineReports, APromptMayBeReportedWithoutWritingAnything) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const Told told = alone(model, {.prompt = "fade", .length = 0, .symbols = {.prompt = true}});
  EXPECT_EQ(told.symbols.size(), 4U);
  EXPECT_EQ(told.text, "");
  EXPECT_EQ(told.finish, Finish::kLength);
  EXPECT_FALSE(told.symbols.front().given);
  const Told given = alone(
      model, {.prompt = "fade", .length = 0, .options = {.begin = BeginPolicy::kNone}, .symbols = {.prompt = true}});
  ASSERT_EQ(given.symbols.size(), 4U);
  EXPECT_TRUE(given.symbols.front().given);
  EXPECT_EQ(given.symbols.front().id, told.symbols.front().id);
  EXPECT_EQ(given.symbols.front().log_prob, 0);
  for (const TextRequest& request : {TextRequest{.prompt = "", .length = 0, .symbols = {.prompt = true}},
                                     TextRequest{.prompt = "abc", .length = 0}}) {
    const Told nothing = alone(model, request);
    EXPECT_TRUE(nothing.symbols.empty());
    EXPECT_EQ(nothing.finish, Finish::kLength);
  }
  const Told one = alone(model, {.prompt = "", .length = 2, .symbols = {.prompt = true, .written = true}});
  EXPECT_EQ(one.symbols.size(), 2U);
}

TEST(EngineReports, EveryEventTellsSomething) {
  Engine engine(tiny_model(Cell::kLstm, tiny_characters()));
  for (const char* prompt : {"", "a", "abcdefgh"}) {
    engine.add({.prompt = prompt, .length = 3, .symbols = {.prompt = true}});
  }
  while (!engine.idle()) {
    for (const TextEvent& event : engine.step()) {
      EXPECT_TRUE(!event.piece.empty() || !event.symbols.empty() || event.finish) << event.text;
    }
  }
}

// Long enough for many pieces, each of which is told when it was read.
TEST(EngineReports, ALongPromptIsReportedInPiecesWhileOthersAreWritten) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  std::string prompt = random_text(3000, 1);
  std::erase(prompt, '\n');
  Engine engine(model);
  const std::int64_t written = engine.add({.length = 4000});
  std::map<std::int64_t, Told> told;
  for (int i = 0; i < 3; ++i) collect(engine.step(), told);
  const std::int64_t reported =
      engine.add({.prompt = prompt, .length = 0, .symbols = {.prompt = true, .ranks = true, .alternatives = 2}});
  std::size_t events_of_prompt = 0;
  while (!told[reported].finish) {
    const std::size_t before = told[written].text.size();
    const std::vector<TextEvent> events = engine.step();
    collect(events, told);
    if (!told[written].finish) {
      ASSERT_GT(told[written].text.size(), before) << "it had to wait";
    }
    for (const TextEvent& event : events) {
      if (event.text != reported) continue;
      ++events_of_prompt;
      ASSERT_LE(event.symbols.size(), 256U);
    }
  }
  EXPECT_GE(events_of_prompt, prompt.size() / 256);
  const std::vector<TokenScore> expected = scored(model, prompt);
  const std::vector<SymbolReport>& symbols = told[reported].symbols;
  ASSERT_EQ(symbols.size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) {
    ASSERT_EQ(symbols[t].id, expected[t].id) << t;
    ASSERT_EQ(symbols[t].log_prob, expected[t].log_prob) << t;
    ASSERT_EQ(symbols[t].rank, expected[t].rank) << t;
    ASSERT_EQ(symbols[t].entropy, expected[t].entropy) << t;
    ASSERT_EQ(symbols[t].alternatives.size(), 2U) << t;
  }
}

void expect_equal(const Told& a, const Told& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.finish, b.finish);
  ASSERT_EQ(a.symbols.size(), b.symbols.size());
  for (std::size_t t = 0; t < a.symbols.size(); ++t) {
    ASSERT_EQ(a.symbols[t].id, b.symbols[t].id) << t;
    ASSERT_EQ(a.symbols[t].log_prob, b.symbols[t].log_prob) << t;
    ASSERT_EQ(a.symbols[t].entropy, b.symbols[t].entropy) << t;
  }
}

TEST(EngineReports, StatesFromTheCacheChangeNoBit) {
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    const std::string prompt = random_text(90, 5);
    // Read with reports, then taken from the cache, and as the beginning of a longer one.
    const TextRequest read{.prompt = prompt, .length = 10, .symbols = {.prompt = true, .written = true}};
    const TextRequest taken{.prompt = prompt, .length = 40, .symbols = {.written = true, .ranks = true}};
    TextRequest longer = taken;
    longer.prompt += random_text(20, 6);
    Engine engine(model);
    for (const TextRequest& request : {read, taken, longer, taken, longer}) {
      const std::int64_t text = engine.add(request);
      expect_equal(run(engine).at(text), alone(model, request, {.cache_bytes = 0}));
    }
    EXPECT_EQ(engine.load().symbols_cached, 2 * 90 + 90 + 110);
  }
}

TEST(EngineReports, IdsOfAPromptMayBeAny) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::vector<std::int32_t> ids = {0, 1, 3, 0, 12};
  const Told told = alone(model, {.prompt = "ignored: Z", .prompt_ids = ids, .length = 5, .symbols = {.prompt = true}});
  EXPECT_EQ(told.finish, Finish::kLength);
  ASSERT_EQ(told.symbols.size(), ids.size());
  Scorer scorer(model);
  State state = scorer.initial_state();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(told.symbols[i].id, ids[i]);
    EXPECT_EQ(told.symbols[i].log_prob, scorer.step(state, ids[i]));
  }
  for (const std::int32_t id : {-1, 13}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "which does not exist", [&] {
      (void)Engine(model).add({.prompt_ids = std::vector<std::int32_t>{1, id}});
    }));
  }
}

}  // namespace
}  // namespace unroll
