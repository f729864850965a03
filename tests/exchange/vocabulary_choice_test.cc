#include "exchange/vocabulary_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checkpoints/pickle.h"
#include "support/pickle_writer.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Chooses from files of these contents, which are called a, b, ...; the first is `vocab` unless a rule is given.
class Choosing {
 public:
  ChosenVocabulary from_file(const std::string& bytes, std::int64_t size, const std::string& name = "vocab.txt") const {
    write_bytes(folder_.path(name), bytes);
    return choose_vocabulary({.vocab = folder_.path(name)}, {}, {}, size);
  }

  ChosenVocabulary from_texts(const std::string& rule, const std::vector<std::string>& texts, std::int64_t size) const {
    ImportOptions options{.vocab = rule};
    for (std::size_t i = 0; i < texts.size(); ++i) {
      options.texts.push_back(folder_.path(std::to_string(i)));
      write_bytes(options.texts.back(), texts[i]);
    }
    return choose_vocabulary(options, {}, {}, size);
  }

 private:
  TemporaryFolder folder_;
};

template <class F>
std::string choice_refusal(const F& choose) {
  try {
    static_cast<void>(choose());
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

ChosenVocabulary chosen_in(const std::string& object, std::int64_t size) {
  ForeignFile file{.path = "x.pt"};
  file.root = read_pickle(file.values, pickle::file(object), "'x.pt'").root;
  return choose_vocabulary({}, file, {}, size);
}

TEST(VocabularyChoice, TextsGiveSymbolsByFourRules) {
  const Choosing choosing;
  EXPECT_THAT(choosing
                  .from_texts("sorted",
                              {"b\xC3\xA9"
                               "a\nb"},
                              4)
                  .symbols,
              ElementsAre("\n", "a", "b", "\xC3\xA9"));
  EXPECT_THAT(choosing.from_texts("first", {"ba\nb"}, 3).symbols, ElementsAre("b", "a", "\n"));
  EXPECT_THAT(choosing.from_texts("first-all", {"ba\n", "ca"}, 4).symbols, ElementsAre("b", "a", "\n", "c"));
  EXPECT_THAT(choosing.from_texts("frequency", {"abbb\ncc"}, 4).symbols, ElementsAre("b", "c", "a", "\n"));
}

TEST(VocabularyChoice, WhatFitsTheNetworkDecidesBetweenCharactersAndWords) {
  const Choosing choosing;
  const std::string text = "the cat\r\nthe dog  sat\r\n";
  const ChosenVocabulary words = choosing.from_texts("first", {text}, 5);
  EXPECT_EQ(words.kind, TokenizerKind::kWhitespace);
  EXPECT_THAT(words.symbols, ElementsAre("the", "cat", "<eos>", "dog", "sat"));
  EXPECT_THAT(choosing.from_texts("sorted", {text}, 4).symbols, ElementsAre("cat", "dog", "sat", "the"));
  EXPECT_EQ(choosing.from_texts("sorted", {text}, 12).kind, TokenizerKind::kChar);
  EXPECT_THAT(choosing.from_texts("sorted", {text}, 11).symbols.front(), "\n");
  EXPECT_THAT(
      choice_refusal([&] { return choosing.from_texts("sorted", {text}, 99); }),
      HasSubstr("has 12 characters, 11 characters with CR LF as one newline, 5 words and <eos>, 4 words: none"));
}

TEST(VocabularyChoice, TiesOfCountsAreTold) {
  const Choosing choosing;
  EXPECT_THAT(choosing.from_texts("frequency", {"ab"}, 2).notes, Contains(HasSubstr("of equal counts (1 symbols)")));
  EXPECT_THAT(choosing.from_texts("frequency", {"aab"}, 2).notes, testing::Not(Contains(HasSubstr("equal counts"))));
}

TEST(VocabularyChoice, FilesAreTextJsonAndPickles) {
  const Choosing choosing;
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_THAT(choosing.from_file(mark + "the\r\n<unk>\r\n<eos>\r\n", 3).symbols, ElementsAre("the", "<unk>", "<eos>"));
  EXPECT_THAT(choosing.from_file("[UNK]\nthe\n[SEP]", 3).symbols, ElementsAre("<unk>", "the", "[SEP]"));
  EXPECT_THAT(choosing.from_file("a\n\\n\n\\\\\n", 3).symbols, ElementsAre("a", "\n", "\\"));
  EXPECT_THAT(choosing.from_file("ab\n\\n\n", 2).symbols, ElementsAre("ab", "\\n"));
  EXPECT_THAT(choosing.from_file(R"(["a", "\n"])", 2).symbols, ElementsAre("a", "\n"));
  EXPECT_THAT(choosing.from_file(R"({"b": 1, "a": 0})", 2).symbols, ElementsAre("a", "b"));
  EXPECT_THAT(choosing.from_file(R"({"x": {"1": "a", "0": "7"}})", 2).symbols, ElementsAre("7", "a"));
  EXPECT_THAT(choosing.from_file("(lp0\nVa\np1\naV\xE9\np2\na.", 2, "v.pkl").symbols, ElementsAre("a", "\xC3\xA9"));
}

TEST(VocabularyChoice, FilesThatDoNotFitAreRefused) {
  const Choosing choosing;
  const auto refusal = [&](const std::string& bytes, const std::string& name = "v.txt") {
    return choice_refusal([&] { return choosing.from_file(bytes, 2, name); });
  };
  EXPECT_THAT(refusal("a\nb\nc\n"), HasSubstr("has 3 symbols, and the network 2"));
  EXPECT_THAT(refusal("a\na\n"), HasSubstr("line 2: \"a\" is already in line 1"));
  EXPECT_THAT(refusal("a\n\nb\n"), HasSubstr("line 2: the line is empty"));
  EXPECT_THAT(refusal("a\n\xFF\n"), HasSubstr("line 2: the symbol is not UTF-8"));
  EXPECT_THAT(refusal("[1, ", "v.json"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"({"a": 0, "a": 1})", "v.json"), HasSubstr("the key \"a\" is there twice"));
  EXPECT_THAT(refusal(std::string(1000, '['), "v.json"), HasSubstr("nested more than 500 deep"));
  EXPECT_THAT(
      refusal(R"({"a": 0, "b": 2})"),
      HasSubstr("holds no vocabulary of 2 symbols (the file has 2 symbols with ids from 0 to 2): expected a list"));
  EXPECT_THAT(refusal(R"({"a": 0, "b": 0})"), HasSubstr("of which \"a\" and \"b\" have the id 0"));
  EXPECT_THAT(refusal(R"({"a": 0, "b": 1.0})"), HasSubstr("the id of \"b\" is real: expected a whole number"));
  EXPECT_THAT(refusal(R"(["a", 7])", "v.json"), HasSubstr("that of id 1 is integer: expected a string"));
  EXPECT_THAT(refusal(R"(["a", "\ud800"])", "v.json"), HasSubstr("stands alone, which is no character"));
}

TEST(VocabularyChoice, DictionariesOfAFileAreFound) {
  const std::string ids = pickle::dict({{"b", pickle::whole(1)}, {"a", pickle::whole(0)}});
  const std::string list = pickle::list({pickle::text("a"), pickle::text("b")});
  EXPECT_THAT(chosen_in(pickle::dict({{"char2idx", ids}}), 2).symbols, ElementsAre("a", "b"));
  EXPECT_THAT(chosen_in(pickle::dict({{"char2idx", ids}, {"chars", list}}), 2).symbols, ElementsAre("a", "b"));
  EXPECT_THAT(chosen_in(pickle::dict({{"chars", pickle::text("ab")}}), 2).symbols, ElementsAre("a", "b"));
  const std::string from_one = pickle::dict({{"the", pickle::whole(1)}, {"cat", pickle::whole(2)}});
  EXPECT_THAT(chosen_in(pickle::dict({{"word_index", from_one}}), 3).symbols, ElementsAre("<pad>", "the", "cat"));

  const std::string other = pickle::list({pickle::text("b"), pickle::text("a")});
  EXPECT_THAT(choice_refusal([&] {
                return chosen_in(pickle::dict({{"x", ids}, {"y", other}}), 2);
              }),
              HasSubstr("holds several vocabularies of 2 symbols (x, y)"));
  EXPECT_THAT(choice_refusal([&] {
                return chosen_in(pickle::dict({{"x", ids}}), 5);
              }),
              HasSubstr("'x.pt' holds no vocabulary of 5 symbols (x has 2 symbols): give `vocab`"));
}

TEST(VocabularyChoice, SymbolsGetTheNamesThatTokenizersHaveForThem) {
  const Choosing choosing;
  EXPECT_THAT(choosing.from_file("[\"a\", \"b\", \"c\", \"d\", \"e\", \"</s>\"]", 6).symbols.back(), "\n");
  const ChosenVocabulary padded = choosing.from_file(R"(["a", "b", "c", "d", "e", "<pad>", "\n"])", 7);
  EXPECT_EQ(padded.kind, TokenizerKind::kChar);
  EXPECT_EQ(padded.symbols[5], "\xEE\x80\x80");
  EXPECT_THAT(
      padded.notes,
      Contains(HasSubstr("the symbol 5 (\"<pad>\") is not one that a text is cut into: it is called U+E000 here")));
  const ChosenVocabulary words = choosing.from_file(R"(["the", "", "New York", "</s>", "UNK"])", 5);
  EXPECT_THAT(words.symbols, ElementsAre("the", "<symbol-1>", "<symbol-2>", "<eos>", "<unk>"));
}

TEST(VocabularyChoice, OptionsThatContradictEachOtherAreRefused) {
  const auto refusal = [](const ImportOptions& options) {
    return choice_refusal([&] { return choose_vocabulary(options, {}, {}, 2); });
  };
  EXPECT_THAT(refusal({.vocab = "sorted"}), HasSubstr("give at least one"));
  EXPECT_THAT(refusal({.vocab = "first", .texts = {"a", "b"}}), HasSubstr("from one text"));
  EXPECT_THAT(refusal({.vocab = "printable", .texts = {"a"}}), HasSubstr("`texts` are for"));
  EXPECT_THAT(refusal({.tokenizer = TokenizerKind::kByte}), HasSubstr("one of char or whitespace"));
  EXPECT_THAT(refusal({.vocab = "printable"}), HasSubstr("string.printable has 100 symbols, and the network 2"));
  const std::vector<std::string> printable = choose_vocabulary({.vocab = "printable"}, {}, {}, 100).symbols;
  EXPECT_EQ(printable[0] + printable[94] + printable[96], "0 \n");
}

}  // namespace
}  // namespace unroll
