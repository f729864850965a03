#include "label/text_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "label/answers.h"
#include "label/conditional_windows.h"
#include "label/encoding.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

NetworkConfig labels_of_steps() {
  return {.vocabulary = 13, .embed = 4, .hidden = 3, .outputs = 5, .bidirectional = true};
}

Examples three_texts() {
  Examples examples;
  examples.starts = {0, 2, 7, 8};
  examples.ids = {3, 4, 5, 6, 7, 8, 9, 10};
  examples.labels = {0, 1, 2, 3, 4, 0, 1, 2};
  return examples;
}

TEST(TextWindows, HoldEachTextAndIgnoreTheRest) {
  const Examples examples = three_texts();
  Window window;
  make_text_window(labels_of_steps(), examples, std::vector<std::size_t>{0, 1, 2}, 2, {}, window);
  EXPECT_EQ(window.predictions, 8);
  std::int64_t idle = 0;
  for (std::size_t r = 0; r < window.inputs.size(); ++r) {
    if (window.targets[r] != kIgnored) continue;
    ++idle;
    EXPECT_EQ(window.reset[r], 1);
    EXPECT_EQ(window.inputs[r], 0);
  }
  EXPECT_EQ(idle + 8, window.T * window.B);
  for (std::size_t text = 0; text < 3; ++text) {
    const WindowPiece& piece = window.pieces[static_cast<std::size_t>(window.texts[text].first)];
    for (std::int64_t t = 0; t < piece.steps; ++t) {
      const auto entry = static_cast<std::size_t>((piece.first + t) * window.B + piece.row);
      const auto step = static_cast<std::size_t>(examples.starts[text] + t);
      EXPECT_EQ(window.inputs[entry], examples.ids[step]);
      EXPECT_EQ(window.targets[entry], examples.labels[step]);
      EXPECT_EQ(window.reset[entry], t == 0 ? 1 : 0);
    }
  }
}

TEST(TextWindows, SequencesOfNumbersAreNotCut) {
  Examples examples;
  for (int i = 0; i < 1000; ++i) examples.numbers.push_back(static_cast<float>(i));
  examples.starts = {0, 700, 1000};
  examples.wanted = {1, 2};
  examples.are_whole = true;
  const NetworkConfig config{.embed = 1, .hidden = 3, .outputs = 1, .loss = Loss::kSquared, .readout = Readout::kLast};
  Window window;
  make_text_window(config, examples, std::vector<std::size_t>{1, 0}, 4, {}, window);
  ASSERT_EQ(window.pieces.size(), 2U);
  EXPECT_EQ(window.pieces[0].steps, 300);
  EXPECT_EQ(window.pieces[1].steps, 700);
  EXPECT_EQ(window.wanted_numbers, (std::vector<float>{2, 1}));
  const WindowPiece& piece = window.pieces[1];
  for (std::int64_t t = 0; t < 700; ++t) {
    const auto entry = static_cast<std::size_t>((piece.first + t) * window.B + piece.row);
    EXPECT_EQ(window.numbers[entry], static_cast<float>(t));
    EXPECT_EQ(window.reset[entry], t == 0 ? 1 : 0);
  }
  const PackedSize largest = largest_window(examples, 2, 4);
  EXPECT_LE(window.T, largest.T);
  EXPECT_LE(window.T * window.B, largest.T * largest.B);
  // Embeddings of a text are numbers too, but read as the text is.
  examples.are_whole = false;
  make_text_window(config, examples, std::vector<std::size_t>{1, 0}, 4, {}, window);
  EXPECT_EQ(window.pieces.size(), 5U);
}

TEST(TextWindows, RareWordsAreUnknownAboutHalfOfTheTime) {
  Examples examples;
  for (int i = 0; i < 2000; ++i) {
    examples.ids.push_back(i % 2 == 0 ? 5 : 6);
    examples.labels.push_back(0);
  }
  examples.starts = {0, 2000};
  std::vector<std::uint8_t> rare(13, 0);
  rare[6] = 1;
  Window window;
  make_text_window(labels_of_steps(), examples, std::vector<std::size_t>{0}, 8,
                   {.unknown = 0, .rare = rare, .seed = 3, .epoch = 2}, window);
  const auto unknown = std::count(window.inputs.begin(), window.inputs.end(), 0) -
                       std::count(window.targets.begin(), window.targets.end(), kIgnored);
  EXPECT_EQ(std::count(window.inputs.begin(), window.inputs.end(), 5), 1000);
  EXPECT_NEAR(static_cast<double>(unknown), 500, 70);
}

TEST(TextWindows, WordsHaveTheirCharacters) {
  const Tokenizer words = tiny_words();
  const Task task{.kind = TaskKind::kTag, .labels = {"x", "y"}, .characters = {"a", "c", "t", "\xC3\xA9"}};
  Examples examples;
  WordEncoder encoder(words, task);
  encoder.append(std::vector<std::string>{"cat", "t\xC3\xA9q", "cat"}, examples);
  encoder.append(std::vector<std::string>{"<eos>", "two words"}, examples);
  EXPECT_EQ(examples.ids, (std::vector<std::int32_t>{3, 0, 3, 0, 0}));
  EXPECT_EQ(examples.forms, (std::vector<std::int32_t>{0, 1, 0, 2, 3}));
  const auto letters = [&](std::size_t form) {
    const auto word = examples.words.word(form);
    return std::vector<std::int32_t>(word.begin(), word.end());
  };
  EXPECT_EQ(letters(0), (std::vector<std::int32_t>{2, 1, 3}));
  EXPECT_EQ(letters(1), (std::vector<std::int32_t>{3, 4, 0}));
  NetworkConfig config{.vocabulary = 8,
                       .embed = 4,
                       .hidden = 3,
                       .outputs = 2,
                       .bidirectional = true,
                       .characters = 5,
                       .character_hidden = 2};
  Window window;
  make_text_window(config, examples, std::vector<std::size_t>{0}, 4, {}, window);
  EXPECT_EQ(window.characters.texts.size(), 2U);
  EXPECT_EQ(window.characters.word_of, (std::vector<std::int32_t>{0, 1, 0}));
}

TEST(TextWindows, SymbolsOfTextsHaveTheirCharactersAsTheTextHasThem) {
  const Tokenizer words = Tokenizer::from_vocabulary(TokenizerKind::kWord, true, {"<unk>", "<eos>", "cat", "the", "!"});
  const Task task{.kind = TaskKind::kClassify, .labels = {"x", "y"}, .characters = {"C", "a", "c", "t"}};
  Examples examples;
  TextEncoder encoder(words, task);
  encoder.append("Cat!cat\nCAT", "a text", examples);
  encoder.append("", "a text", examples);
  encoder.append("cat dog", "a text", examples);
  EXPECT_EQ(examples.ids, (std::vector<std::int32_t>{2, 4, 2, 1, 2, 1, 1, 2, 0, 1}));
  EXPECT_EQ(examples.forms, (std::vector<std::int32_t>{0, 1, 2, kNoWord, 3, kNoWord, kNoWord, 2, 4, kNoWord}));
  EXPECT_EQ(examples.words.characters, (std::vector<std::int32_t>{1, 2, 4, 0, 3, 2, 4, 1, 0, 0, 0, 0, 0}));
  NetworkConfig config{.vocabulary = 5,
                       .embed = 4,
                       .hidden = 3,
                       .outputs = 2,
                       .readout = Readout::kMax,
                       .bidirectional = true,
                       .characters = 5,
                       .character_hidden = 2};
  Window window;
  make_text_window(config, examples, std::vector<std::size_t>{1, 2}, 1, {}, window);
  EXPECT_EQ(window.characters.texts.size(), 2U);
  EXPECT_EQ(std::ranges::count(window.characters.word_of, 2), 2) << "neither line end is a word";
  make_text_window(config, examples, std::vector<std::size_t>{1}, 1, {}, window);
  EXPECT_TRUE(window.characters.texts.empty());
  EXPECT_EQ(window.characters.word_of, std::vector<std::int32_t>{0});
}

TEST(TextWindows, OfALongWordTheFirstAndLastCharactersAreRead) {
  const Task task{.kind = TaskKind::kTag, .labels = {"x", "y"}, .characters = {"a", "b", "c"}};
  const Tokenizer words = tiny_words();
  Examples examples;
  WordEncoder(words, task)
      .append(std::vector<std::string>{std::string(16, 'a') + std::string(100, 'b') + std::string(16, 'c')}, examples);
  ASSERT_EQ(examples.words.word(0).size(), 32U);
  EXPECT_EQ(examples.words.word(0)[15], 1);
  EXPECT_EQ(examples.words.word(0)[16], 3);
}

TEST(TextWindows, AnEmptyTextIsItsEnd) {
  Examples examples;
  EXPECT_FALSE(TextEncoder(tiny_words(), {}).append("", "a text", examples));
  EXPECT_EQ(examples.ids, (std::vector<std::int32_t>{1}));
  EXPECT_TRUE(TextEncoder(tiny_characters(), {}).append(std::string(5000, 'a'), "a text", examples));
  EXPECT_EQ(examples.length(1), kTextSymbols + 1);
}

TEST(ConditionalWindows, EachPieceIsARowThatBeginsWithItsLabel) {
  Examples examples;
  for (int i = 0; i < 299; ++i) examples.ids.push_back(3 + i % 5);
  examples.ids.push_back(1);
  examples.ids.insert(examples.ids.end(), {7, 8, 1});
  examples.starts = {0, 300, 303};
  examples.labels = {2, 0};
  Window window;
  make_conditional_window(examples, std::vector<std::size_t>{1, 0}, window);
  EXPECT_EQ(window.B, 3);
  EXPECT_EQ(window.T, kPieceSteps);
  EXPECT_EQ(window.conditions, (std::vector<std::int32_t>{0, 2, 2}));
  EXPECT_EQ(window.predictions, 303);
  EXPECT_EQ(window.inputs[0], 1);
  EXPECT_EQ(window.inputs[1], 1);
  EXPECT_EQ(window.inputs[2], examples.ids[kPieceSteps - 1]);
  EXPECT_EQ(window.targets[2], examples.ids[kPieceSteps]);
  EXPECT_EQ(window.targets[static_cast<std::size_t>(3 * 3)], kIgnored);
}

// Texts of every length, so that windows of inference hold many or a part of them.
TEST(Answers, DoNotDependOnTheTextsAroundThem) {
  NetworkConfig config{
      .vocabulary = 13, .embed = 4, .hidden = 3, .outputs = 3, .readout = Readout::kConcat, .bidirectional = true};
  Examples all;
  for (int i = 0; i < 150; ++i) {
    for (int t = 0; t < 1 + i * 7 % 600; ++t) all.ids.push_back((i + t * t) % 13);
    all.starts.push_back(std::ssize(all.ids));
  }
  Workers workers(2);
  NetworkWeights weights(config, Purpose::kInference);
  const Parameters parameters = random_parameters(config, 0.7F, 2);
  weights.pack(parameters, workers);
  const ReadyWeights ready{config, weights, workers};
  const auto scores_of = [&](const Examples& examples) {
    std::vector<std::vector<float>> scores(examples.count());
    sweep_texts(
        ready, examples,
        [&](Network& network, const Window&, std::span<const std::size_t> texts) {
          const MatView<const float> y = network.scores(weights);
          for (std::size_t r = 0; r < texts.size(); ++r) {
            scores[texts[r]] = {y.row(static_cast<std::int64_t>(r)), y.row(static_cast<std::int64_t>(r)) + y.cols};
          }
        },
        {});
    return scores;
  };
  const std::vector<std::vector<float>> together = scores_of(all);
  for (const std::size_t text : {0U, 3U, 77U, 149U}) {
    Examples alone;
    alone.ids.assign(all.ids.begin() + all.starts[text], all.ids.begin() + all.starts[text + 1]);
    alone.starts = {0, std::ssize(alone.ids)};
    EXPECT_EQ(scores_of(alone).front(), together[text]) << text;
  }
}

}  // namespace
}  // namespace unroll
