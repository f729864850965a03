#include "unroll/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

using ::testing::HasSubstr;

std::string written(Generator& generator, const std::string& prompt, std::int64_t length, Finish expected) {
  std::string text;
  const Finish finish = generator.write(prompt, length, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  EXPECT_EQ(finish, expected);
  return text;
}

std::string written(const Model& model, const GeneratorOptions& options, const std::string& prompt, std::int64_t length,
                    Finish expected = Finish::kLength) {
  Generator generator(model, options);
  return written(generator, prompt, length, expected);
}

TEST(Generator, SameSeedGivesTheSameTextWithAnyNumberOfThreads) {
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    const std::string text = written(model, {.seed = 7}, "ab", 200);
    EXPECT_GE(text.size(), 200U);
    EXPECT_EQ(written(model, {.seed = 7, .threads = 2}, "ab", 200), text);
    EXPECT_EQ(written(model, {.seed = 7, .threads = 3}, "ab", 200), text);
    EXPECT_NE(written(model, {.seed = 8}, "ab", 200), text);
  }
}

TEST(Generator, CallsDifferRunsDoNot) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Generator first(model);
  Generator second(model);
  const std::string text = written(first, "", 100, Finish::kLength);
  const std::string next = written(first, "", 100, Finish::kLength);
  EXPECT_NE(text, next);
  EXPECT_EQ(written(second, "", 100, Finish::kLength), text);
  EXPECT_EQ(written(second, "", 100, Finish::kLength), next);
}

TEST(Generator, PiecesThatAreAskedForAreTheTextThatIsWritten) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const std::string stop : {"", "b"}) {
    Generator writing(model, {.seed = 5, .stop = stop});
    Generator asked(model, {.seed = 5, .stop = stop});
    EXPECT_EQ(asked.next(), std::nullopt);
    for (const std::int64_t length : {0, 1, 80}) {
      std::string text;
      asked.start("ab", length);
      while (const std::optional<std::string> piece = asked.next()) text += *piece;
      ASSERT_TRUE(asked.finish());
      EXPECT_EQ(text, written(writing, "ab", length, *asked.finish()));
      EXPECT_EQ(asked.next(), std::nullopt);
    }
  }
}

TEST(Generator, ATextThatIsStartedEndsTheOneBefore) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  Generator generator(model);
  generator.start("a", 100);
  ASSERT_TRUE(generator.next());
  EXPECT_FALSE(generator.finish());
  const std::string second = written(generator, "b", 50, Finish::kLength);
  Generator other(model);
  EXPECT_NE(written(other, "b", 50, Finish::kLength), second);  // its first text, not its second
  EXPECT_EQ(written(other, "b", 50, Finish::kLength), second);
  EXPECT_THROW(generator.start("a", -1), Error);
}

TEST(Generator, ALongerTextBeginsWithTheShorterOne) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  EXPECT_TRUE(written(model, {}, "a", 150).starts_with(written(model, {}, "a", 60)));
}

TEST(Generator, TemperatureZeroTakesTheMostProbableSymbolAfterAnyPrompt) {
  const Tokenizer tokenizer = tiny_characters();
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tokenizer, 21);
    Scorer scorer(model);
    // Prompts of one window, of several, of none, and with line ends.
    for (const std::string& prompt : {std::string(), std::string("cafe"), random_text(64, 1), random_text(201, 2)}) {
      State state = scorer.initial_state();
      for (const std::int32_t id : tokenizer.encode({prompt, "prompt"}).ids) (void)scorer.step(state, id);
      std::string expected;
      for (int i = 0; i < 20; ++i) {
        const std::vector<double> log_probs = scorer.next_log_probs(state);
        const auto best = std::max_element(log_probs.begin() + 1, log_probs.end());  // 0 is the unknown symbol
        const auto id = static_cast<std::int32_t>(best - log_probs.begin());
        expected += tokenizer.symbol(id);
        (void)scorer.step(state, id);
      }
      EXPECT_EQ(written(model, {.temperature = 0}, prompt, 20), expected) << cell_name(cell);
    }
  }
}

TEST(Generator, DrawsFromTheModelsDistribution) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Scorer scorer(model);
  const std::vector<double> log_probs = scorer.next_log_probs(scorer.initial_state());
  const double known = 1 - std::exp(log_probs[0]);
  Generator generator(model);
  constexpr int kCalls = 4000;
  std::vector<double> count(log_probs.size());
  for (int i = 0; i < kCalls; ++i) {
    const std::string text = written(generator, "", 1, Finish::kLength);
    ++count[static_cast<std::size_t>(model.tokenizer().encode({text, "text"}).ids.at(0))];
  }
  double chi_square = 0;
  for (std::size_t id = 1; id < count.size(); ++id) {
    const double expected = kCalls * std::exp(log_probs[id]) / known;
    chi_square += (count[id] - expected) * (count[id] - expected) / expected;
  }
  EXPECT_LT(chi_square, 36.5);  // 11 degrees of freedom: above with probability 0.00014
}

TEST(Generator, PiecesAreWholeCharacters) {
  Generator generator(tiny_model(Cell::kLstm, tiny_characters()));
  std::int64_t pieces = 0;
  (void)generator.write("", 300, [&](std::string_view piece) {
    ++pieces;
    EXPECT_NE(static_cast<unsigned char>(piece.front()) & 0xC0U, 0x80U);
    return true;
  });
  EXPECT_EQ(pieces, 300);
}

TEST(Generator, AByteModelWritesNoUnfinishedCharacter) {
  const Tokenizer tokenizer = all_bytes();
  EXPECT_EQ(written(stubborn_model(tokenizer, 'x'), {}, "", 5), "xxxxx");
  EXPECT_EQ(written(stubborn_model(tokenizer, 0xC3), {}, "", 1), "");
  EXPECT_EQ(written(stubborn_model(tokenizer, 0xC3), {}, "", 3), "\xC3\xC3");
  EXPECT_EQ(written(stubborn_model(tokenizer, 0xFF), {}, "\xFF\xFE", 2), "\xFF\xFF");
}

TEST(Generator, EndsBeforeTheStopString) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string whole = written(model, {}, "", 200);
  for (const std::size_t place : {0U, 31U, 90U}) {
    const std::string stop = whole.substr(place, 4);
    EXPECT_EQ(written(model, {.stop = stop}, "", 200, Finish::kStop), whole.substr(0, whole.find(stop)));
  }
  EXPECT_EQ(written(model, {.stop = "never written"}, "", 200), whole);
}

TEST(Generator, BiasesMakeSymbolsCertainOrImpossible) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  EXPECT_EQ(written(model, {.logit_bias = {{.id = 5, .bias = 100}}}, "", 8), "cccccccc");
  EXPECT_EQ(written(model, {.logit_bias = {{.id = 5, .bias = 100}, {.id = 6, .bias = 200}}}, "", 2), "dd");
  const std::string without = written(model, {.temperature = 3, .logit_bias = {{.id = 5, .bias = -100}}}, "", 300);
  EXPECT_EQ(without.find('c'), std::string::npos);
  EXPECT_NE(without.find('d'), std::string::npos);
}

TEST(Generator, PenaltiesAreOfTheSymbolsOfItsOwnText) {
  const Model model = stubborn_model(tiny_words(), 3);
  EXPECT_EQ(written(model, {.temperature = 0}, "cat", 3), " cat cat cat");
  // Its bias is 100: gone after the first time with a presence of 200, after the third with a frequency of 40.
  const std::string once = written(model, {.temperature = 0, .presence_penalty = 200}, "cat", 5);
  EXPECT_EQ(once.find("cat", 2), std::string::npos) << once;
  const std::string thrice = written(model, {.temperature = 0, .frequency_penalty = 40}, "cat", 5);
  EXPECT_EQ(thrice.substr(0, 12), " cat cat cat");
  EXPECT_EQ(thrice.find("cat", 12), std::string::npos) << thrice;
}

TEST(Generator, StopsWhenTheReaderHasEnough) {
  Generator generator(tiny_model(Cell::kLstm, tiny_characters()));
  int pieces = 0;
  EXPECT_EQ(generator.write("", 100, [&](std::string_view) { return ++pieces < 3; }), Finish::kReader);
  EXPECT_EQ(pieces, 3);
}

TEST(Generator, NeverWritesTheUnknownSymbol) {
  EXPECT_EQ(written(stubborn_model(tiny_characters(), 0), {.seed = 3}, "", 300).find("<unk>"), std::string::npos);
  EXPECT_EQ(written(stubborn_model(tiny_words(), 0), {.temperature = 0}, "", 30).find("<unk>"), std::string::npos);
}

TEST(Generator, WordsAreSpacedFromThePromptAndFromEachOther) {
  const Model model = stubborn_model(tiny_words(), 3);
  EXPECT_EQ(written(model, {}, "", 3), "cat cat cat");
  EXPECT_EQ(written(model, {}, "the old", 2), " cat cat");
  EXPECT_EQ(written(model, {}, "the old ", 2), "cat cat");
  EXPECT_EQ(written(model, {}, "the old\n", 2), "cat cat");
  EXPECT_EQ(written(model, {}, " ", 2), "cat cat");
  EXPECT_EQ(written(stubborn_model(tiny_words(), 1), {}, "the old", 2), "\n\n");
}

TEST(Generator, LengthZeroWritesNothing) {
  EXPECT_EQ(written(tiny_model(Cell::kLstm, tiny_characters()), {}, "abc", 0), "");
}

TEST(Generator, RefusesPromptsWithSymbolsThatTheVocabularyLacks) {
  const auto message = [](const Model& model, const std::string& prompt) -> std::string {
    Generator generator(model);
    try {
      (void)generator.write(prompt, 5, [](std::string_view) { return true; });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      return error.what();
    }
    return "nothing was thrown";
  };
  const Model characters = tiny_model(Cell::kLstm, tiny_characters());
  EXPECT_THAT(message(characters, "ab\n\xC3\xA9zc"), HasSubstr("\"z\" at byte 5"));
  EXPECT_THAT(message(characters, "a\tb"), HasSubstr("\"\\t\" at byte 1"));
  EXPECT_THAT(message(characters, "a\xFF"), HasSubstr("prompt"));
  const Model words = tiny_model(Cell::kLstm, tiny_words());
  EXPECT_THAT(message(words, "the cat\nsees  a dog"), HasSubstr("\"a\" at byte 14"));
  EXPECT_THAT(message(words, "<unk>"), HasSubstr("at byte 0"));
}

TEST(Generator, RefusesOptionsOutOfRange) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const auto refused = [&](const GeneratorOptions& options, std::int64_t length) {
    try {
      (void)Generator(model, options).write("", length, [](std::string_view) { return true; });
    } catch (const Error& error) {
      return error.code() == ErrorCode::kUsage;
    }
    return false;
  };
  EXPECT_TRUE(refused({.temperature = -0.5}, 5));
  EXPECT_TRUE(refused({.top_k = -1}, 5));
  EXPECT_TRUE(refused({.top_p = 1.5}, 5));
  EXPECT_TRUE(refused({.min_p = -1}, 5));
  EXPECT_TRUE(refused({.logit_bias = {{.id = -1}}}, 5));
  EXPECT_TRUE(refused({.logit_bias = {{.id = 13}}}, 5));
  EXPECT_TRUE(refused({.logit_bias = {{.id = 1, .bias = 2e6}}}, 5));
  EXPECT_TRUE(refused({.presence_penalty = std::nan("")}, 5));
  EXPECT_TRUE(refused({.frequency_penalty = -2e6}, 5));
  EXPECT_TRUE(refused({.threads = -1}, 5));
  EXPECT_TRUE(refused({}, -1));
  EXPECT_FALSE(refused({.temperature = 0, .top_k = 1000, .top_p = 0, .min_p = 1}, 5));
}

}  // namespace
}  // namespace unroll
