#include "unroll/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "serve/told.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/exchange/convert.h"
#include "unroll/scorer.h"
#include "unroll/sentencepiece.h"

namespace unroll {
namespace {

using ::testing::HasSubstr;

// What a Generator writes.
Told written_alone(const Model& model, const TextRequest& request) {
  Generator generator(model, request.options);
  const auto ignore = [](std::string_view) { return true; };
  for (std::uint32_t call = 0; call < request.copy; ++call) generator.write(request.prompt, 0, ignore);
  Told told;
  told.finish = generator.write(request.prompt, request.length, [&](std::string_view piece) {
    told.text += piece;
    return true;
  });
  return told;
}

void expect_texts_of_generators(const Model& model, const std::vector<TextRequest>& requests,
                                const EngineOptions& options, std::string_view name) {
  const std::vector<Told> together = written_together(model, requests, options);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Told expected = written_alone(model, requests[i]);
    ASSERT_EQ(together[i].text, expected.text) << name << ", text " << i;
    ASSERT_EQ(together[i].finish, expected.finish) << name << ", text " << i;
  }
}

std::string characters_for(std::size_t i) { return random_text(i * 37 % 61, i); }

TEST(Engine, WritesWhatAGeneratorWritesOfEveryCellWithAnyNumberOfThreads) {
  const std::vector<TextRequest> requests = many_requests(64, characters_for);
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    for (const int threads : {1, 3}) {
      expect_texts_of_generators(model, requests, {.threads = threads}, cell_name(cell));
    }
  }
}

TEST(Engine, WritesWhatAGeneratorWritesWithFewPlacesAndWithoutACache) {
  const std::vector<TextRequest> requests = many_requests(64, characters_for);
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const std::int64_t texts : {1, 3, 300}) {
    expect_texts_of_generators(model, requests, {.texts = texts, .cache_bytes = 0}, "places");
  }
}

TEST(Engine, WritesWhatAGeneratorWritesWithEveryTokenizer) {
  const auto words_for = [](std::size_t i) {
    const std::vector<std::string> parts = {"the", "cat ", " dog\n", "sees", "old  ", "and"};
    std::string text;
    for (std::size_t j = 0; j < i % 9; ++j) text += (j > 0 ? " " : "") + parts[(i + j * j) % parts.size()];
    return text;
  };
  expect_texts_of_generators(tiny_model(Cell::kGru, tiny_words()), many_requests(64, words_for), {}, "words");
  const auto bytes_for = [](std::size_t i) { return random_text(i % 20, i) + (i % 3 == 0 ? "\xFF\xC3" : ""); };
  expect_texts_of_generators(tiny_model(Cell::kLstm, all_bytes()), many_requests(64, bytes_for), {}, "bytes");
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += words_for(static_cast<std::size_t>(i)) + " h\xC3\xA9\n";
  const Tokenizer pieces = Tokenizer::from_sentencepiece(
      train_sentencepiece({lines, "lines"}, {.kind = SentencePieceKind::kBpe, .vocab_size = 300, .lossless = true}),
      "pieces");
  expect_texts_of_generators(tiny_model(Cell::kMinGru, pieces), many_requests(64, words_for), {}, "pieces");
}

// Networks with everything that is not in every network.
TEST(Engine, WritesWhatAGeneratorWritesOfEveryKindOfNetworkAndPrecision) {
  const std::vector<TextRequest> requests = many_requests(40, characters_for);
  const Tokenizer tokenizer = tiny_characters();
  const auto random_model = [&](NetworkConfig config) {
    return model_of(config, tokenizer, random_parameters(config, 0.7F, 5));
  };
  const NetworkConfig plain = tiny_config(Cell::kLstm, tokenizer);
  NetworkConfig tied = plain;
  tied.tied = true;
  tied.residual = true;
  NetworkConfig normalised = plain;
  normalised.layer_norm = true;
  NetworkConfig adaptive = plain;
  adaptive.hidden = 19;
  adaptive.cutoffs = {4, 8};
  for (const NetworkConfig& config : {tied, normalised, adaptive}) {
    expect_texts_of_generators(random_model(config), requests, {.threads = 2}, "a network");
  }
  const TemporaryFolder folder;
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    convert(random_model(plain), precision, folder.path("rounded"));
    expect_texts_of_generators(Model::load(folder.path("rounded")), requests, {.threads = 2},
                               precision_name(precision));
  }
}

TEST(Engine, WritesWhatAGeneratorWritesGivenLabels) {
  const Tokenizer tokenizer = tiny_characters();
  NetworkConfig config = tiny_config(Cell::kGru, tokenizer);
  config.conditions = 2;
  const Task task{.kind = TaskKind::kConditional, .labels = {"cats", "dogs"}};
  const Model model(std::make_shared<const Model::Data>(Model::Data{
      config, tokenizer, {}, ModelWeights(random_parameters(config, 0.9F, 4)), {BeginPolicy::kBoundary, task}}));
  // Equal prompts too, whose states differ by label alone.
  std::vector<TextRequest> requests = many_requests(40, [](std::size_t i) { return random_text(i / 2 % 4, 1); });
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].options.label = i % 2 == 0 ? "cats" : "dogs";
    requests[i].length = 60;
  }
  expect_texts_of_generators(model, requests, {}, "labels");
  bool some_ended = false;
  for (const Told& told : written_together(model, requests, {})) some_ended |= told.finish == Finish::kEnd;
  EXPECT_TRUE(some_ended);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`label` is \"birds\"",
                         [&] { (void)Engine(model).add({.options = {.label = "birds"}}); }));
}

TEST(Engine, WritesWhatAGeneratorWritesWhereTheFirstSymbolIsGiven) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  std::vector<TextRequest> requests =
      many_requests(30, [](std::size_t i) { return "a" + random_text(i * 11 % 31, i); });
  for (TextRequest& request : requests) request.options.begin = BeginPolicy::kNone;
  expect_texts_of_generators(model, requests, {}, "given");
}

// Long enough for several pieces.
TEST(Engine, LongPromptsAreReadWhileOthersAreWritten) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const TextRequest slow{.prompt = random_text(3000, 1), .length = 20};
  const TextRequest quick{.prompt = "ab", .length = 4000, .options = {.seed = 4}};
  Engine engine(model);
  const std::int64_t written = engine.add(quick);
  std::map<std::int64_t, Told> told;
  collect(engine.step(), told);
  const std::int64_t read = engine.add(slow);
  std::int64_t steps_before = 0;
  while (!told.contains(read)) {
    const std::size_t before = told[written].text.size();
    collect(engine.step(), told);
    if (!told[written].finish) {
      ASSERT_GT(told[written].text.size(), before) << "it had to wait";
    }
    ++steps_before;
  }
  EXPECT_GT(steps_before, 1);
  collect(engine.step(), told);
  while (!engine.idle()) collect(engine.step(), told);
  EXPECT_EQ(told[read].text, written_alone(model, slow).text);
  EXPECT_EQ(told[written].text, written_alone(model, quick).text);
}

TEST(Engine, EndsBeforeAnyOfTheStopStrings) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string whole = alone(model, {.length = 200}).text;
  const std::string early = whole.substr(40, 4);
  const std::string late = whole.substr(120, 4);
  ASSERT_LT(whole.find(early), whole.find(late));
  const Told told = alone(model, {.length = 200, .options = {.stop = "never written"}, .stops = {late, early, ""}});
  EXPECT_EQ(told.text, whole.substr(0, whole.find(early)));
  EXPECT_EQ(told.finish, Finish::kStop);
}

TEST(Engine, EqualPromptsAreReadOnceAndLongerOnesFromTheirEndOn) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string prompt = random_text(500, 3);
  Engine engine(model);
  for (std::uint32_t copy = 0; copy < 10; ++copy) engine.add({.prompt = prompt, .length = 5, .copy = copy});
  const std::map<std::int64_t, Told> first = run(engine);
  EXPECT_EQ(engine.load().symbols_read, 500);  // the boundary and all but the last, which the first step reads
  EXPECT_EQ(engine.load().symbols_cached, 0);
  EXPECT_EQ(engine.load().cached_states, 1);
  const std::int64_t again = engine.add({.prompt = prompt, .length = 5, .copy = 3});
  EXPECT_EQ(run(engine).at(again).text, first.at(4).text);
  EXPECT_EQ(engine.load().symbols_read, 500);
  EXPECT_EQ(engine.load().symbols_cached, 500);
  const TextRequest longer{.prompt = prompt + "abc", .length = 30};
  const std::int64_t continued = engine.add(longer);
  EXPECT_EQ(run(engine).at(continued).text, written_alone(model, longer).text);
  EXPECT_EQ(engine.load().symbols_read, 503);
  EXPECT_EQ(engine.load().symbols_written, 85);
  EXPECT_GT(engine.load().cached_bytes, 4000);
}

TEST(Engine, WithoutACacheEveryPromptIsRead) {
  Engine engine(tiny_model(Cell::kLstm, tiny_characters()), {.cache_bytes = 0});
  for (int i = 0; i < 3; ++i) {
    engine.add({.prompt = random_text(100, 3), .length = 5});
    (void)run(engine);
  }
  EXPECT_EQ(engine.load().symbols_read, 300);
  EXPECT_EQ(engine.load().cached_bytes, 0);
}

TEST(Engine, ATextThatIsGivenUpIsNotHeardOfAgain) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Engine engine(model, {.texts = 3});
  const TextRequest request{.prompt = "ab", .length = 50};
  const std::int64_t first = engine.add(request);
  const std::int64_t second = engine.add({.prompt = "cd", .length = 50});
  std::map<std::int64_t, Told> told;
  for (int i = 0; i < 10; ++i) collect(engine.step(), told);
  const std::int64_t reading = engine.add({.prompt = random_text(5000, 1), .length = 5});
  const std::int64_t waiting = engine.add({.prompt = "ef", .length = 5});
  collect(engine.step(), told);
  EXPECT_EQ(engine.load().writing, 2);
  EXPECT_EQ(engine.load().reading, 1);
  EXPECT_EQ(engine.load().waiting, 1);
  const std::map<std::int64_t, Told> before = told;
  for (const std::int64_t text : {second, reading, waiting}) {
    EXPECT_TRUE(engine.remove(text));
    EXPECT_FALSE(engine.remove(text));
  }
  EXPECT_FALSE(engine.remove(77));
  while (!engine.idle()) collect(engine.step(), told);
  EXPECT_EQ(told.at(first).text, written_alone(model, request).text);
  EXPECT_EQ(told.at(second).text, before.at(second).text);
  EXPECT_EQ(told.size(), 2U);
  EXPECT_FALSE(engine.remove(first));
}

TEST(Engine, ANewTextTakesThePlaceOfOneThatEnded) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  Engine engine(model, {.texts = 2});
  for (int i = 0; i < 7; ++i) engine.add({.prompt = "a", .length = 3});
  std::int64_t steps = 0;
  for (; !engine.idle(); ++steps) {
    EXPECT_LE(engine.load().writing + engine.load().reading, 2);
    (void)engine.step();
  }
  EXPECT_EQ(steps, 12);  // four times two texts, of three symbols each
  EXPECT_TRUE(engine.step().empty());
}

// A symbol whose embedding is no number: a text that reads it fails, others do not notice.
TEST(Engine, ATextThatFailsEndsAlone) {
  const Tokenizer tokenizer = tiny_characters();
  const NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
  Parameters parameters = random_parameters(config, 0.7F, 3);
  parameters.encoder().row(3)[0] = std::numeric_limits<float>::quiet_NaN();  // "a"
  const Model model = model_of(config, tokenizer, std::move(parameters));
  Engine engine(model);
  const TextRequest good{.prompt = "bcd", .length = 30, .options = {.logit_bias = {{.id = 3, .bias = -1000}}}};
  const std::int64_t bad = engine.add({.prompt = "bab", .length = 30});
  const std::int64_t fine = engine.add(good);
  const std::int64_t reported = engine.add({.prompt = "bab", .length = 30, .symbols = {.prompt = true}});
  const std::map<std::int64_t, Told> told = run(engine);
  ASSERT_TRUE(told.at(bad).error);
  EXPECT_EQ(told.at(bad).error->code(), ErrorCode::kNumeric);
  EXPECT_EQ(told.at(bad).text, "");
  EXPECT_EQ(told.at(fine).text, written_alone(model, good).text);
  ASSERT_TRUE(told.at(reported).error);
  EXPECT_THAT(told.at(reported).error->what(), HasSubstr("symbol 3"));
  EXPECT_EQ(told.at(reported).symbols.size(), 2U);
}

TEST(Engine, RefusesWhatAGeneratorRefuses) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Engine engine(model);
  const auto refused = [&](ErrorCode code, const std::string& part, const TextRequest& request) {
    return fails_with(code, part, [&] { (void)engine.add(request); });
  };
  EXPECT_TRUE(refused(ErrorCode::kUsage, "`temperature` is -1", {.options = {.temperature = -1}}));
  EXPECT_TRUE(refused(ErrorCode::kUsage, "`length` is -1", {.length = -1}));
  EXPECT_TRUE(refused(ErrorCode::kUsage, "`symbols.alternatives` is -1", {.symbols = {.alternatives = -1}}));
  EXPECT_TRUE(refused(ErrorCode::kInput, "\"Z\" at byte 1", {.prompt = "aZ"}));
  EXPECT_TRUE(refused(ErrorCode::kInput, "the prompt is empty", {.options = {.begin = BeginPolicy::kNone}}));
  EXPECT_TRUE(engine.idle());
  EXPECT_EQ(engine.add({.length = 1}), 1);
  for (const EngineOptions& options : {EngineOptions{.texts = 0}, EngineOptions{.texts = 5000},
                                       EngineOptions{.cache_bytes = -1}, EngineOptions{.threads = -1}}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, " is ", [&] { (void)Engine(model, options); }));
  }
}

}  // namespace
}  // namespace unroll
