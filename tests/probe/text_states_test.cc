#include "unroll/probe/text_states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infer/inference.h"
#include "label/answers.h"
#include "label/encoding.h"
#include "nn/pooling.h"
#include "probe/text_pooling.h"
#include "support/error_of.h"
#include "support/label_models.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

struct KeptRow {
  std::size_t text = 0;
  std::int64_t symbol = 0;
  std::string name;
  std::vector<float> values;

  friend bool operator==(const KeptRow&, const KeptRow&) = default;
};

template <class Text>
std::vector<KeptRow> rows_of(const Model& model, const std::vector<Text>& texts,
                             const TextStatesOptions& options = {.threads = 1}) {
  TextStates states(model, options);
  std::vector<KeptRow> kept;
  states.read(std::span(texts), {}, [&](const StateRow& row) {
    kept.push_back({row.text, row.symbol, std::string(row.name), {row.values.begin(), row.values.end()}});
    EXPECT_EQ(std::ssize(row.values), states.columns());
  });
  return kept;
}

Model conditional_model() {
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  config.conditions = 2;
  const Task task{.kind = TaskKind::kConditional, .labels = {"cats", "dogs"}};
  return Model(std::make_shared<const Model::Data>(Model::Data{config,
                                                               tiny_characters(),
                                                               {},
                                                               ModelWeights(random_parameters(config, 0.7F, 4)),
                                                               {BeginPolicy::kBoundary, task}}));
}

Model word_tagger() {
  NetworkConfig config = label_config(2, Readout::kSteps, Loss::kCrf);
  config.characters = 4;
  config.character_hidden = 3;
  const Task task{.kind = TaskKind::kTag, .labels = {"N", "V"}, .characters = {"a", "c", "t"}};
  return label_model(config, random_parameters(config, 1.1F, 8), task);
}

// The h of a layer after each symbol of a line, by steps of the scorer.
std::vector<std::vector<float>> stepped(const Model& model, const std::string& line, std::int64_t layer,
                                        const std::string& label = "") {
  Scorer scorer(model, {.threads = 1, .label = label});
  const auto H = static_cast<std::ptrdiff_t>(model.config().hidden);
  State state = scorer.initial_state();
  std::vector<std::vector<float>> found;
  std::vector<Token> tokens = model.tokenizer().encode_line({line, "the line"});
  tokens.push_back({.id = model.tokenizer().boundary()});
  for (const Token& token : tokens) {
    static_cast<void>(scorer.step(state, token.id));
    const auto first = state.h.begin() + (layer - 1) * H;
    found.emplace_back(first, first + H);
  }
  found.erase(found.begin());  // after the boundary
  return found;
}

std::vector<std::string> some_lines() {
  std::vector<std::string> lines{"", "a", "bad cab", "gh\xC3\xA9", std::string(150, 'd')};
  for (const std::string& line : random_lines(80, 40, 7)) lines.push_back(line);
  return lines;
}

TEST(TextStates, OfALanguageModelAreThoseThroughWhichTheScorerSteps) {
  const std::vector<std::string> lines = some_lines();
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kMinGru}) {
    const Model model = tiny_model(cell, tiny_characters());
    for (const std::int64_t layer : {1, 2}) {
      const std::vector<KeptRow> rows = rows_of(model, lines, {.layer = layer, .threads = 2});
      std::size_t at = 0;
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::vector<std::vector<float>> expected = stepped(model, lines[i], layer);
        for (std::size_t k = 0; k < expected.size(); ++k, ++at) {
          ASSERT_LT(at, rows.size());
          EXPECT_EQ(rows[at].text, i);
          EXPECT_EQ(rows[at].symbol, static_cast<std::int64_t>(k));
          EXPECT_EQ(rows[at].values, expected[k]) << "line " << i << ", symbol " << k;
        }
      }
      EXPECT_EQ(at, rows.size());
    }
    EXPECT_EQ(rows_of(model, lines), rows_of(model, lines, {.layer = 2, .threads = 1}));  // the last
  }
}

TEST(TextStates, OfALanguageModelGoToTheEndOfALineOfAnyLength) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string line = random_lines(1, 40, 9).front() + std::string(4300, 'a');
  const std::vector<KeptRow> rows = rows_of<std::string>(model, {line, "b"});
  ASSERT_EQ(rows.size(), line.size() + 1);
  const std::vector<KeptRow> head = rows_of<std::string>(model, {line.substr(0, 70)});
  for (std::size_t i = 0; i < head.size(); ++i) EXPECT_EQ(rows[i].values, head[i].values);
  const std::vector<KeptRow> last = rows_of<std::string>(model, {line}, {.per_text = true, .threads = 1});
  EXPECT_EQ(last.front().values, rows[line.size() - 1].values);
}

TEST(TextStates, OfLayerZeroAreEmbeddingsUnderTheNamesThatTheTextHas) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::vector<KeptRow> rows = rows_of<std::string>(model, {"a\xC3\xA9z", "b"}, {.layer = 0, .threads = 1});
  ASSERT_EQ(rows.size(), 4U);
  const std::vector<std::string> names{"a", "\xC3\xA9", "z", "b"};
  const std::vector<std::int32_t> ids{3, 11, 0, 4};
  const Parameters parameters = random_parameters(model.config(), 0.7F, 3);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(rows[i].name, names[i]);
    const float* const expected = parameters.encoder().row(ids[i]);
    EXPECT_EQ(rows[i].values, std::vector<float>(expected, expected + 5));
  }
}

TEST(TextStates, OfAModelWithConditionsBeginWithThoseOfTheLabel) {
  const Model model = conditional_model();
  const std::vector<std::string> lines{"bad", "", "a cab"};
  for (const std::string label : {"cats", "dogs"}) {
    const std::vector<KeptRow> rows = rows_of(model, lines, {.label = label, .threads = 1});
    ASSERT_EQ(rows.size(), 8U);
    const std::vector<std::vector<float>> expected = stepped(model, "a cab", 2, label);
    for (std::size_t k = 0; k < 5; ++k) EXPECT_EQ(rows[3 + k].values, expected[k]);
  }
  EXPECT_NE(rows_of(model, lines, {.label = "cats"}), rows_of(model, lines, {.label = "dogs"}));
}

// Every kind of model, with options.
struct ModelCase {
  Model model;
  TextStatesOptions options;
};

std::vector<ModelCase> all_cases() {
  std::vector<ModelCase> cases;
  for (const bool per_text : {false, true}) {
    cases.push_back({tiny_model(Cell::kLstm, tiny_words()), {.per_text = per_text}});
    cases.push_back({tiny_model(Cell::kGru, tiny_words()), {.layer = 1, .per_text = per_text}});
    cases.push_back({animals_model(3, Readout::kAttention), {.per_text = per_text}});
    cases.push_back({animals_model(), {.layer = 1, .per_text = per_text}});
    cases.push_back({spelled_animals_model(), {.layer = 0, .per_text = per_text}});
    cases.push_back({word_tagger(), {.layer = 0, .per_text = per_text}});
    cases.push_back({word_tagger(), {.per_text = per_text}});
  }
  return cases;
}

TEST(TextStates, OfATextAreTheSameBitsInAnyCompanyAndWithAnyNumberOfThreads) {
  std::vector<std::string> texts{"the cat sees the dog", "", "old", "  ", "cat dog and a bird"};
  for (int i = 0; i < 40; ++i) texts.push_back("the dog sees cat number " + std::to_string(i % 7));
  std::string long_text;
  for (int i = 0; i < 600; ++i) long_text += i % 7 == 0 ? "old " : "cat ";
  texts.push_back(long_text);
  for (ModelCase one : all_cases()) {
    one.options.threads = 2;
    const std::vector<KeptRow> together = rows_of(one.model, texts, one.options);
    one.options.threads = 1;
    std::vector<KeptRow> alone;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (KeptRow& row : rows_of<std::string>(one.model, {texts[i]}, one.options)) {
        row.text = i;
        alone.push_back(std::move(row));
      }
    }
    EXPECT_TRUE(together == alone);
    if (one.options.per_text) {
      EXPECT_EQ(together.size(), texts.size());
    }
  }
}

// What a classifier's output layer reads of each text.
std::vector<std::vector<float>> own_vectors(const Model& model, const std::vector<std::string>& texts) {
  Examples examples;
  TextEncoder encoder(model.tokenizer(), model.task());
  for (const std::string& text : texts) static_cast<void>(encoder.append(text, "a text", examples));
  Workers workers(1);
  const NetworkWeights weights = packed_task_weights(model, workers);
  std::vector<std::vector<float>> vectors(texts.size());
  sweep_texts({model.config(), weights, workers}, examples,
              [&](Network& network, const Window&, std::span<const std::size_t> places) {
                const MatView<const float> out = network.outputs();
                for (std::size_t r = 0; r < places.size(); ++r) {
                  const float* const row = out.row(static_cast<std::int64_t>(r));
                  vectors[places[r]].assign(row, row + out.cols);
                }
              },
              {});
  return vectors;
}

TEST(TextStates, OfATextAreWhatAClassifiersOutputLayerReads) {
  std::string long_text;
  for (int i = 0; i < 700; ++i) long_text += i % 5 == 0 ? "old " : "cat ";
  const std::vector<std::string> texts{"the cat sees the dog", "", long_text, "old"};
  for (const Readout readout : {Readout::kLast, Readout::kMax, Readout::kMean, Readout::kConcat, Readout::kAttention}) {
    const Model model = readout == Readout::kMax ? spelled_animals_model(3, readout) : animals_model(3, readout);
    const std::vector<std::vector<float>> expected = own_vectors(model, texts);
    const std::vector<KeptRow> rows = rows_of(model, texts, {.per_text = true, .threads = 1});
    const std::vector<KeptRow> asked = rows_of(model, texts, {.per_text = true, .readout = readout, .threads = 1});
    ASSERT_EQ(rows.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(rows[i].values, expected[i]) << readout_name(readout);
    EXPECT_EQ(rows, asked);
  }
}

TEST(TextStates, OfALanguageModelOfBothDirectionsAreThoseOfAClassifierWithTheSameLayers) {
  NetworkConfig config = label_config(3);
  config.layers = 1;
  const Model classifier = label_model(config, random_parameters(config, 1.5F, 3), animals());
  config.outputs = 0;
  config.readout = Readout::kSteps;
  const Model language = model_of(config, tiny_words(), random_parameters(config, 1.5F, 3));
  const std::vector<std::string> texts{"the cat sees the dog", "", "old"};
  EXPECT_EQ(rows_of(language, texts), rows_of(classifier, texts));
  EXPECT_EQ(rows_of(language, texts, {.per_text = true, .readout = Readout::kMean, .threads = 1}),
            rows_of(classifier, texts, {.per_text = true, .readout = Readout::kMean, .threads = 1}));
}

TEST(TextStates, OfATextPoolThoseOfItsSymbols) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  const std::vector<std::string> texts{"the old dog", "cat"};
  const std::vector<KeptRow> rows = rows_of(model, texts);
  const std::vector<KeptRow> last = rows_of(model, texts, {.per_text = true});
  EXPECT_EQ(last[0].values, rows[2].values);
  EXPECT_EQ(last[1].values, rows[3].values);
  const std::vector<KeptRow> max = rows_of(model, texts, {.per_text = true, .readout = Readout::kMax});
  for (std::size_t c = 0; c < 7; ++c) {
    EXPECT_EQ(max[0].values[c], std::max({rows[0].values[c], rows[1].values[c], rows[2].values[c]}));
  }
  const std::vector<KeptRow> all = rows_of(model, texts, {.per_text = true, .readout = Readout::kConcat});
  EXPECT_EQ(all[0].values.size(), 21U);
}

TEST(TextStates, OfWordsAreThoseOfTheirLastTokens) {
  const std::vector<std::vector<std::string>> words{{"bad", "c", "h\xC3\xA9"}, {}, {"a"}};
  for (const Model& model : {tiny_model(Cell::kLstm, tiny_characters()), tiny_model(Cell::kGru, all_bytes())}) {
    const std::vector<KeptRow> symbols = rows_of<std::string>(model, {"bad c h\xC3\xA9", "a"});
    const std::vector<KeptRow> rows = rows_of(model, words);
    ASSERT_EQ(rows.size(), 4U);
    const std::size_t end = symbols.size();
    const std::size_t ends[] = {2, 4, end - 2, end - 1};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(rows[i].values, symbols[ends[i]].values) << i;
    EXPECT_EQ(rows[2].name, "h\xC3\xA9");
    EXPECT_EQ(rows[3].text, 2U);
  }
  const std::vector<std::vector<std::string>> sentences{{"the", "cat"}, {"acta"}};
  EXPECT_EQ(rows_of(word_tagger(), sentences), rows_of<std::string>(word_tagger(), {"the cat", " acta "}));
}

TEST(TextStates, OfATextWithoutSymbolsAreTheBoundarysOrZero) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  EXPECT_TRUE(rows_of<std::string>(model, {"", " "}).empty());
  const std::vector<KeptRow> blank = rows_of<std::string>(model, {"", "cat", ""}, {.per_text = true});
  ASSERT_EQ(blank.size(), 3U);
  EXPECT_EQ(blank[0].values, blank[2].values);
  EXPECT_NE(blank[0].values, std::vector<float>(7));
  const std::vector<KeptRow> of_words = rows_of<std::string>(word_tagger(), {"", "cat", " ", ""}, {.per_text = true});
  ASSERT_EQ(of_words.size(), 4U);
  for (const std::size_t i : {0U, 2U, 3U}) {
    EXPECT_EQ(of_words[i].text, i);
    EXPECT_EQ(of_words[i].values, std::vector<float>(14));
  }
}

TEST(TextStates, CountTextsThatWereCut) {
  std::string longest;
  for (int i = 0; i < 4097; ++i) longest += "cat ";
  TextStates states(animals_model(), {.threads = 1});
  std::int64_t rows = 0;
  states.read(std::vector<std::string>{"the cat", longest}, {}, [&](const StateRow&) { ++rows; });
  EXPECT_EQ(rows, 2 + 4096);
  EXPECT_EQ(states.cut_texts(), 1);
}

TEST(TextStates, RefuseWhatTheModelDoesNotHave) {
  const Model language = tiny_model(Cell::kLstm, tiny_words());
  const auto make = [](const Model& model, const TextStatesOptions& options) {
    return [=] { TextStates(model, options); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`layer` is 3: expected 0", make(language, {.layer = 3})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`layer` is -1", make(language, {.layer = -1})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`readout`", make(language, {.readout = Readout::kMax})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`readout` is steps",
                         make(language, {.per_text = true, .readout = Readout::kSteps})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "did not learn",
                         make(language, {.per_text = true, .readout = Readout::kAttention})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "last layer",
                         make(animals_model(3, Readout::kAttention), {.layer = 1, .per_text = true})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`label` is missing", make(conditional_model(), {})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`label`", make(language, {.label = "cats"})));
  NetworkConfig numbers = label_config(2, Readout::kMean);
  numbers.vocabulary = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "rows of numbers",
                         make(label_model(numbers, random_parameters(numbers, 1, 1), animals()), {})));
}

TEST(TextStates, PassRowsOfTheTextsBeforeOneThatIsToBlame) {
  TextStates states(tiny_model(Cell::kLstm, tiny_characters()), {.threads = 1});
  const std::vector<std::string> texts{"ab", "a\xFF", "c"};
  std::size_t rows = 0;
  const auto error = error_of([&] { states.read(texts, {}, [&](const StateRow&) { ++rows; }); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInput);
  EXPECT_EQ(error->index(), 1);
  EXPECT_EQ(rows, 2U);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text 1 has a line end at byte 1",
                         [&] { states.read(std::vector<std::string>{"a\nb"}, {}, [](const StateRow&) {}); }));
}

TEST(TextStates, RefuseNumbersThatAreNotFinite) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  Parameters parameters = random_parameters(config, 0.7F, 3);
  parameters.encoder()(3, 2) = std::numeric_limits<float>::quiet_NaN();  // "cat"
  TextStates states(model_of(config, tiny_words(), std::move(parameters)), {.threads = 1});
  const auto error = error_of([&] {
    states.read(std::vector<std::string>{"dog", "the cat"}, {}, [](const StateRow&) {});
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kNumeric);
  EXPECT_EQ(error->index(), 1);
}

}  // namespace
}  // namespace unroll
