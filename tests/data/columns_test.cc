#include "unroll/data/columns.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

using Tags = std::vector<std::string>;

const std::string kMark = "\xEF\xBB\xBF";

const std::string kTree =
    "# text = don't go\n"
    "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tdo\tdo\tAUX\tVBP\tMood=Imp\t3\taux\t3:aux\t_\n"
    "2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\t_\n"
    "3\tgo\tgo\tVERB\tVB\t_\t0\troot\t0:root\tSpaceAfter=No\n"
    "3.1\twe\twe\tPRON\tPRP\t_\t_\t_\t3:nsubj\t_\n"
    "\n";

class Columns : public testing::Test {
 protected:
  std::string write(const std::string& bytes, const std::string& name = "words.txt") {
    const std::string path = folder_.path(name);
    write_bytes(path, bytes);
    return path;
  }

  std::vector<ColumnSentence> read(const std::string& bytes, const ColumnOptions& options = {},
                                   const std::string& name = "words.txt") {
    ColumnReader reader(write(bytes, name), options);
    std::vector<ColumnSentence> sentences;
    for (ColumnSentence sentence; reader.next(sentence);) sentences.push_back(sentence);
    title_ = reader.tag_column();
    format_ = reader.format();
    return sentences;
  }

  // The file again, with "T1", "T2", ... as tags.
  std::string answered(const std::string& bytes, ColumnOptions options = {}, const std::string& name = "words.txt") {
    options.tags_needed = false;
    std::string file;
    int number = 0;
    for (const ColumnSentence& sentence : read(bytes, options, name)) {
      Tags tags;
      for (std::size_t i = 0; i < sentence.words.size(); ++i) tags.push_back("T" + std::to_string(++number));
      file += with_tags(sentence, tags);
    }
    return file;
  }

  void refuses(const std::string& bytes, const std::string& part, const ColumnOptions& options = {},
               ErrorCode code = ErrorCode::kInput) {
    EXPECT_TRUE(fails_with(code, part, [&] { (void)read(bytes, options); }));
  }

  TemporaryFolder folder_;
  std::string title_;
  ColumnFormat format_ = ColumnFormat::kColumns;
};

std::vector<Tags> words_of(const std::vector<ColumnSentence>& sentences) {
  std::vector<Tags> words;
  for (const ColumnSentence& sentence : sentences) words.push_back(sentence.words);
  return words;
}

TEST_F(Columns, HaveWordsFirstAndTagsLast) {
  const auto sentences = read("\nthe DT B-NP\ncat NN  I-NP\n\n\n# # O\nruns\tVBZ B-VP");
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_EQ(sentences[0].words, (Tags{"the", "cat"}));
  EXPECT_EQ(sentences[0].tags, (Tags{"B-NP", "I-NP"}));
  EXPECT_EQ(sentences[0].line, 2);
  EXPECT_EQ(sentences[1].words, (Tags{"#", "runs"}));
  EXPECT_EQ(sentences[1].line, 6);
  EXPECT_EQ(line_of(sentences[1], 1), 7);
  EXPECT_EQ(title_, "3");
}

TEST_F(Columns, AreChosenByNumber) {
  const ColumnOptions options{.word_column = "2", .tag_column = "1"};
  const auto sentences = read("D the x\nN cat\n", options);
  EXPECT_EQ(sentences[0].words, (Tags{"the", "cat"}));
  EXPECT_EQ(sentences[0].tags, (Tags{"D", "N"}));
  EXPECT_EQ(read("1\tdo so\tV\n", {.word_column = "2"})[0].words, (Tags{"do so"}));
}

TEST_F(Columns, EveryByteButTheTagsComesBack) {
  const ColumnOptions columns{.format = ColumnFormat::kColumns};
  EXPECT_EQ(answered(kMark + "\n  the DT B-NP \r\ncat\tNN I-NP\r\n\r\n\r\nruns VBZ B-VP\n \nx y z", columns),
            kMark + "\n  the DT T1 \r\ncat\tNN T2\r\n\r\n\r\nruns VBZ T3\n \nx y T4");
  EXPECT_EQ(answered("the\t\xff\t O \n\nend\t\tO\n", {.tag_column = "3"}), "the\t\xff\t T1 \n\nend\t\tT2\n");
  EXPECT_EQ(answered("the O\n\n# the end\n\n", columns), "the T1\n\n# the end\n\n");
  EXPECT_EQ(answered("", columns), "");
  EXPECT_EQ(answered("\n \n", columns), "\n \n");
  EXPECT_EQ(answered(kMark, columns), "");  // nothing but a mark is an empty file
}

TEST_F(Columns, ANewColumnIsAppended) {
  EXPECT_EQ(answered("the \ncat\r\n\nruns", {.format = ColumnFormat::kColumns}), "the T1 \ncat T2\r\n\nruns T3");
  EXPECT_EQ(answered("the DT\ncat NN\n", {.format = ColumnFormat::kColumns, .tag_column = "3"}),
            "the DT T1\ncat NN T2\n");
  EXPECT_EQ(answered("the\tDT\r\n", {.tag_column = "new"}), "the\tDT\tT1\r\n");
  EXPECT_EQ(answered("the\tDT\t\n", {.tag_column = "new"}), "the\tDT\t\tT1\n");
}

TEST_F(Columns, DocumentsBeginWithALineThatBelongsToNoSentence) {
  const std::string file = "-DOCSTART- -X- O\n\nthe DT O\n-DOCSTART- -X- O\ncat NN O\n";
  const auto sentences = read(file);
  ASSERT_EQ(words_of(sentences), (std::vector<Tags>{{"the"}, {"cat"}}));
  EXPECT_TRUE(sentences[0].after_boundary);
  EXPECT_TRUE(sentences[1].after_boundary);
  EXPECT_FALSE(read("the DT O\n")[0].after_boundary);
  EXPECT_EQ(answered(file), "-DOCSTART- -X- O\n\nthe DT T1\n-DOCSTART- -X- O\ncat NN T2\n");
}

TEST_F(Columns, CommentsHaveAnotherNumberOfColumns) {
  const std::string file = "#begin document (a b)\n# x\nthe DT O\n# # O\n\n# # O\n# a comment here\ncat NN O\n";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 7, column 13: 4 columns between blanks: expected 3, as in line 3",
                         [&] { (void)read(file); }));
  EXPECT_EQ(words_of(read(file.substr(0, file.find("# a comment")))), (std::vector<Tags>{{"the", "#"}, {"#"}}));
}

TEST_F(Columns, ConlluHasNamesAndSkipsRangesAndEmptyNodes) {
  const auto sentences = read(kTree + "# the end\n");
  ASSERT_EQ(words_of(sentences), (std::vector<Tags>{{"do", "n't", "go"}, {}}));
  EXPECT_EQ(sentences[0].tags, (Tags{"AUX", "PART", "VERB"}));
  EXPECT_EQ(sentences[0].line, 3);
  EXPECT_EQ(line_of(sentences[0], 2), 5);
  EXPECT_EQ(title_, "upos");
  EXPECT_EQ(format_, ColumnFormat::kConllu);
  EXPECT_EQ(read(kTree, {.tag_column = "feats"})[0].tags, (Tags{"Mood=Imp", "_", "_"}));
  EXPECT_EQ(read(kTree, {.word_column = "lemma", .tag_column = "8"})[0].tags, (Tags{"aux", "advmod", "root"}));
  std::string expected = kTree;
  expected.replace(expected.find("VBP"), 3, "T1").replace(expected.find("RB"), 2, "T2");
  expected.replace(expected.find("VB\t"), 2, "T3");
  EXPECT_EQ(answered(kTree, {.tag_column = "xpos"}), expected);
}

TEST_F(Columns, TextIsWordsBetweenWhiteSpace) {
  const ColumnOptions text{.format = ColumnFormat::kText, .tags_needed = false};
  const auto sentences = read(" the \t cat\r\n\n# runs", text);
  EXPECT_EQ(words_of(sentences), (std::vector<Tags>{{"the", "cat"}, {}, {"#", "runs"}}));
  EXPECT_EQ(answered("the cat\n\nruns", text), "the\tT1\ncat\tT2\n\n\nruns\tT3\n\n");
  refuses("\xff\n", "line 1, column 1: the word is not UTF-8", text);
  refuses("", "whose words have no tags", {.format = ColumnFormat::kText}, ErrorCode::kUsage);
}

TEST_F(Columns, TheFormatIsRecognised) {
  const auto format_of = [&](const std::string& bytes, const std::string& name = "words.txt") {
    (void)read(bytes, {.known_tags = {"O", "B-NP", "."}, .tags_needed = false}, name);
    return format_;
  };
  EXPECT_EQ(format_of(kTree), ColumnFormat::kConllu);
  EXPECT_EQ(format_of("", "words.conllu"), ColumnFormat::kConllu);
  EXPECT_EQ(format_of("", "words.conll-u"), ColumnFormat::kConllu);
  EXPECT_EQ(format_of("the\tDT\n"), ColumnFormat::kColumns);
  EXPECT_EQ(format_of("the DT B-NP\ncat NN I-NP\n\n"), ColumnFormat::kColumns);
  EXPECT_EQ(format_of("-DOCSTART-\n\nthe\n"), ColumnFormat::kColumns);
  EXPECT_EQ(format_of("the\ncat\n"), ColumnFormat::kColumns);
  EXPECT_EQ(format_of("the\n\ncat\n"), ColumnFormat::kText);
  EXPECT_EQ(format_of("the cat runs\n"), ColumnFormat::kText);
  EXPECT_EQ(format_of("the cat runs .\nit does .\n"), ColumnFormat::kText);
  EXPECT_EQ(format_of("the cat .\nit does .\n"), ColumnFormat::kText);
  EXPECT_EQ(format_of("# a heading\n"), ColumnFormat::kText);
  EXPECT_EQ(format_of(""), ColumnFormat::kText);
  EXPECT_EQ(parse_column_format("conllu"), ColumnFormat::kConllu);
}

TEST_F(Columns, WrongLinesAreRefusedWithTheirPlace) {
  refuses("the DT O\ncat NN\n", "words.txt', line 2, column 7: 2 columns between blanks: expected 3, as in line 1");
  refuses("the\tDT\ncat NN\n", "line 2, column 7: 1 column between tabs: expected 2, as in line 1");
  refuses("D the\nN\n", "line 2, column 2: 1 column between blanks: expected at least 2",
          {.word_column = "2", .tag_column = "1"});
  refuses("the\ncat\n", "line 1, column 4: 1 column: expected a word and its tag");
  refuses("the O\n", "line 1, column 6: 2 columns between blanks, but tags are in column 7", {.tag_column = "7"});
  refuses("the\t\n", "line 1, column 5: the tag is empty");
  refuses("the\tO\n\t O\n", "line 2, column 1: the word is empty");
  refuses("the O\n\xc3\xa4 x\xff\n", "line 2, column 4: the tag is not UTF-8");
  refuses("the O\nx\xff O\n", "line 2, column 2: the word is not UTF-8");
  refuses("\xff\xfe", "is UTF-16");
}

TEST_F(Columns, WrongLinesOfConlluAreRefusedWithTheirPlace) {
  const std::string row = "1\tgo\tgo\tVERB\tVB\t_\t0\troot\t0:root\t_\n";
  refuses(row + "2\ta b\n", "line 2, column 6: 2 columns between tabs: expected 10 of CoNLL-U");
  refuses(row + "x" + row, "line 2, column 1: the id is \"x1\": expected a number, a range");
  refuses("1\tgo\tgo\t_\tVB\t_\t0\troot\t0:root\t_\n", "line 1, column 9: the word has no tag in column upos");
  EXPECT_EQ(read("1\tgo\tgo\t_\tVB\t_\t0\troot\t0:root\t_\n", {.tags_needed = false})[0].words, (Tags{"go"}));
}

TEST_F(Columns, OptionsThatCannotBeMetAreRefused) {
  const auto refused = [&](const ColumnOptions& options, const std::string& part) {
    refuses("the DT O\n", part, options, ErrorCode::kUsage);
  };
  refused({.tag_column = "0"}, "`tag_column` is \"0\": expected a number from 1 or a column of CoNLL-U");
  refused({.word_column = "new"}, "`word_column` is \"new\": expected");
  refused({.tag_column = "new"}, "`tag_column` is \"new\": expected a number from 1 or");
  refused({.tag_column = "upos"}, "`tag_column` is upos, a column of CoNLL-U, but '");
  refused({.word_column = "3"}, "are both in column 3");
  refused({.format = ColumnFormat::kConllu, .tag_column = "new", .tags_needed = false}, "CoNLL-U has ten columns");
}

TEST_F(Columns, AnErrorComesAfterTheSentencesBeforeItAndAgain) {
  ColumnReader reader(write("a O\n\nb\n\nc O\n"), {});
  ColumnSentence sentence;
  EXPECT_TRUE(reader.next(sentence));
  EXPECT_EQ(sentence.words, (Tags{"a"}));
  const std::string message = error_of([&] { reader.next(sentence); })->what();
  EXPECT_NE(message.find("line 3"), std::string::npos);
  EXPECT_EQ(error_of([&] { reader.next(sentence); })->what(), message);
}

TEST_F(Columns, ALongSentenceIsASentence) {
  std::string file;
  for (int i = 0; i < 50'000; ++i) file += "word O\n";
  EXPECT_EQ(read(file)[0].words.size(), 50'000U);
  ColumnReader reader(write(file), {});
  EXPECT_TRUE(reader.ready());
}

TEST_F(Columns, ASentenceNeedsAsManyTagsAsWords) {
  const auto sentences = read("the O\n");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "2 tags for a sentence of 1 words", [&] {
    (void)with_tags(sentences[0], Tags{"a", "b"});
  }));
}

TEST_F(Columns, ModelsFindTheirUsualColumn) {
  const ColumnOptions numbered{.usual_tag_column = "3"};
  EXPECT_EQ(answered("the\tDT\n", numbered), "the\tDT\tT1\n");
  EXPECT_EQ(answered("the\tDT\tO\tx\n", numbered), "the\tDT\tT1\tx\n");
  EXPECT_EQ(answered("the\ncat\n", numbered), "the T1\ncat T2\n");
  EXPECT_EQ(read("the DT O x\n", numbered)[0].tags, (Tags{"O"}));
  refuses("the DT\n", "but tags are in column 3", numbered);
  EXPECT_EQ(read(kTree, numbered)[0].tags[0], "AUX");
  EXPECT_EQ(read(kTree, {.usual_tag_column = "xpos"})[0].tags[0], "VBP");
  EXPECT_EQ(answered("the\tDT\n", {.usual_tag_column = "xpos"}), "the\tT1\n");
}

class TaggedTextsOfFiles : public Columns {};

TEST_F(TaggedTextsOfFiles, AreTheSentencesOfAllFiles) {
  const TaggedTexts texts =
      read_tagged_texts({write("the DT\ncat NN\n\n\nthe DT\n", "a.txt"), write("# no word\n\nruns VBZ\n", "b.txt")});
  EXPECT_EQ(texts.tags, (Tags{"DT", "NN", "VBZ"}));
  ASSERT_EQ(texts.sentences.size(), 3U);
  EXPECT_EQ(texts.sentences[0].tags, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(texts.sentences[2].tags, (std::vector<std::int32_t>{2}));
  EXPECT_EQ(texts.words, 4);
  EXPECT_EQ(texts.columns, (Tags{"2", "2"}));
  EXPECT_NE(texts.place(2).find("b.txt', line 3"), std::string::npos);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "words.txt' has no word", [&] { (void)read_tagged_texts({write("\n")}); }));
}

TEST_F(TaggedTextsOfFiles, TakeTheNumbersOfAModelsTags) {
  TaggedTexts texts = read_tagged_texts({write("a X\nb Z\nc Y\n")});
  renumber_tags(texts, Tags{"W", "Z", "X"});
  EXPECT_EQ(texts.tags, (Tags{"W", "Z", "X", "Y"}));
  EXPECT_EQ(texts.sentences[0].tags, (std::vector<std::int32_t>{2, 1, 3}));
}

TEST_F(TaggedTextsOfFiles, AColumnThatIsNotOneOfTagsIsRefused) {
  const auto refusal = [&](int tags, int words) {
    std::string file;
    for (int i = 0; i < words; ++i) file += "w t" + std::to_string(i % tags) + "\n";
    const std::optional<Error> error = error_of([&] { expect_trainable(read_tagged_texts({write(file)})); });
    return error ? error->field() + ": " + error->what() : "";
  };
  EXPECT_EQ(refusal(2, 10), "");
  EXPECT_EQ(refusal(100, 100), "");
  EXPECT_EQ(refusal(101, 1010), "");
  EXPECT_NE(refusal(101, 1000).find("tag_column: 101 tags of 1,000 words in column 2 of '"), std::string::npos);
  EXPECT_NE(refusal(1001, 50'000).find("1,001 tags of 50,000 words"), std::string::npos);
  EXPECT_NE(refusal(1, 10).find("every word has the same tag (t0) in column 2"), std::string::npos);
}

}  // namespace
}  // namespace unroll
