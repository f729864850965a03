#include <filesystem>

#include "data/texts_of.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// LABEL-FIRST LINES

TEST(LabelLines, AWordWithThePrefixIsTheLabelAndNoPartOfTheText) {
  const LabelledTexts texts = texts_of("a.txt", "__label__good what a  film \n__label__bad\tdull\n");
  EXPECT_THAT(shown(texts), ElementsAre("good: what a  film ", "bad: dull"));
  EXPECT_THAT(texts.labels, ElementsAre("bad", "good"));
}

TEST(LabelLines, LabelsMayStandBehindTheTextOrWithinIt) {
  const LabelledTexts texts = texts_of("a.txt", "what a film __label__good\nnot __label__bad bad\n __label__bad  so\n");
  EXPECT_THAT(shown(texts), ElementsAre("good: what a film", "bad: not bad", "bad: so"));
}

TEST(LabelLines, APrefixWithinAWordIsText) {
  const LabelledTexts texts = texts_of("a.txt", "__label__x a__label__y b\n__label__y z\n");
  EXPECT_THAT(shown(texts), ElementsAre("x: a__label__y b", "y: z"));
}

TEST(LabelLines, LineEndsMayBeCrLfAndTheLastOneMayLack) {
  const LabelledTexts texts = texts_of("a.txt", "__label__x a\r\n\r\n__label__y b");
  EXPECT_THAT(shown(texts), ElementsAre("x: a", "y: b"));
  EXPECT_EQ(texts.blank_lines, 1);
  EXPECT_EQ(texts.texts[1].line, 3);
}

TEST(LabelLines, AFileWithoutLfEndsItsLinesInCr) {
  EXPECT_THAT(shown(texts_of("a.txt", "__label__x a\r__label__y b\r")), ElementsAre("x: a", "y: b"));
}

TEST(LabelLines, AByteOrderMarkIsNoPartOfTheFirstLabel) {
  EXPECT_THAT(shown(texts_of("a.txt", "\xEF\xBB\xBF__label__x a\n")), ElementsAre("x: a"));
}

TEST(LabelLines, AnotherPrefixIsReadOnRequest) {
  EXPECT_THAT(shown(texts_of("a.txt", "#x a\n#y b\n", {.label_prefix = "#"})), ElementsAre("x: a", "y: b"));
}

TEST(LabelLines, BareLabelsAreTheFirstWords) {
  const LabelledTexts texts = texts_of("stsa.train", "1 a stirring film\n0\tdull\n0\n", {.bare_labels = true});
  EXPECT_THAT(shown(texts), ElementsAre("1: a stirring film", "0: dull", "0: "));
  EXPECT_THAT(shown(texts_of("a", "x|y z\n", {.bare_labels = true, .multi_label = true, .label_separator = "|"})),
              ElementsAre("x,y: z"));
}

TEST(LabelLines, SeveralLabelsAreReadOnRequestAndOtherwiseRefused) {
  const std::string bytes = "__label__b __label__a __label__b text\nnone\n";
  EXPECT_THAT(shown(texts_of("a.txt", bytes, {.multi_label = true})), ElementsAre("a,b: text", ": none"));
  EXPECT_EQ(refusal_of_texts("a.txt", bytes),
            "'a.txt', line 1: the text has 2 labels, \"b\" and \"a\": `multi_label` reads texts with several");
}

TEST(LabelLines, ATextWithoutLabelIsRefused) {
  EXPECT_EQ(refusal_of_texts("a.txt", "__label__a x\n\nwhere is it\n"), "'a.txt', line 3: the text has no label");
}

TEST(LabelLines, APrefixAloneIsRefusedWithItsColumn) {
  EXPECT_EQ(refusal_of_texts("a.txt", "__label__a x\n\xC3\xA4 __label__ y\n"),
            "'a.txt', line 2, column 3: \"__label__\" has no label behind it");
}

TEST(LabelLines, WithoutLabelsEachLineIsATextBlankOnesToo) {
  const LabelledTexts texts = texts_of("a.txt", " one\n\n__label__x two\n", {.labels_needed = false});
  EXPECT_THAT(shown(texts), ElementsAre(":  one", ": ", "x: two"));
  EXPECT_TRUE(texts_of("a.txt", "", {.labels_needed = false}).texts.empty());
}

TEST(LabelLines, TheTextOfOneLineIsThatOfItsFile) {
  const std::vector<std::string> lines{"__label__x what a  film __label__y", " two", "", "a __label__ b\r",
                                       "x__label__y"};
  const std::vector<std::string> texts{"what a  film", " two", "", "a b", "x__label__y"};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(text_of_line(lines[i], {}), texts[i]);
  EXPECT_EQ(text_of_line("  1 a film", {.bare_labels = true}), "a film");
  EXPECT_EQ(text_of_line("1", {.bare_labels = true}), "");
}

TEST(LabelColumns, WithoutNameTheyAreNotRead) {
  const LabelledTextOptions options{.label_column = "", .labels_needed = false};
  EXPECT_THAT(shown(texts_of("a.csv", "label,text\n\"\n\",x\n", options)), ElementsAre(": x"));
  EXPECT_THAT(shown(texts_of("a.jsonl", "{\"text\": \"x\", \"\": {}}\n", options)), ElementsAre(": x"));
  EXPECT_EQ(error_of([] { check({.paths = {"a"}, .label_column = ""}); })->field(), "label_column");
}

TEST(FormatOfName, IsThatOfItsEnd) {
  EXPECT_EQ(format_of_name("a.TSV"), TextFormat::kTsv);
  EXPECT_EQ(format_of_name("a.csv.gz"), TextFormat::kCsv);
  EXPECT_EQ(format_of_name("a.ndjson"), TextFormat::kJsonLines);
  for (const char* const other : {"a.txt", "-", "csv", "a.csv/"}) EXPECT_EQ(format_of_name(other), std::nullopt);
}

// JSON LINES

TEST(JsonLines, LabelsAreStringsNumbersAndTruthValues) {
  const LabelledTexts texts = texts_of("a.jsonl",
                                       "{\"text\": \"a\\nb\", \"label\": \"x\", \"id\": 7}\n"
                                       "{\"label\": 3, \"text\": \"\"}\r\n\n"
                                       "{\"label\": true, \"text\": \"c\"}");
  EXPECT_THAT(shown(texts), ElementsAre("x: a\nb", "3: ", "true: c"));
  EXPECT_EQ(texts.texts[2].line, 4);
}

TEST(JsonLines, KeysAreNamedAndListsAreSeveralLabels) {
  const LabelledTexts texts =
      texts_of("a.ndjson",
               "{\"review\": \"a\", \"tags\": [\"x,z\", \"y\"], \"w\": 0.5}\n"
               "{\"review\": \"b\", \"tags\": [], \"w\": \"2\"}\n"
               "{\"review\": \"c\", \"tags\": null, \"w\": 0}\n",
               {.text_column = "review", .label_column = "tags", .weight_column = "w", .multi_label = true});
  EXPECT_THAT(shown(texts), ElementsAre("x,z,y: a", ": b", ": c"));
  EXPECT_EQ(texts.texts[0].weight, 0.5);
  EXPECT_EQ(texts.texts[1].weight, 2);
}

TEST(JsonLines, WhatIsNoObjectOrLacksAKeyIsRefused) {
  const auto refusal = [](const std::string& bytes) { return refusal_of_texts("a.jsonl", bytes); };
  EXPECT_EQ(
      refusal("\n[1]\n"),
      "'a.jsonl', line 2: expected a JSON object, on one line; of a list, write each object on a line of its own");
  EXPECT_THAT(refusal("{\"text\": \n"), StartsWith("'a.jsonl', line 1 is not valid JSON at byte"));
  EXPECT_EQ(refusal("{\"body\": \"a\", \"y\": 1}\n"),
            "'a.jsonl', line 1: there is no key \"text\" (`text_column`): the object has \"body\", \"y\"");
  EXPECT_EQ(refusal("{\"text\": 3, \"label\": 1}\n"),
            "'a.jsonl', line 1: the text (\"text\") is number: expected a string");
  EXPECT_THAT(refusal("{\"text\": \"a\", \"label\": {}}\n"), HasSubstr("line 1: the label is object"));
  EXPECT_EQ(refusal("{\"text\": \"a\", \"label\": null}\n"), "'a.jsonl', line 1: the text has no label");
  EXPECT_EQ(refusal("{\"text\": \"a\", \"label\": [\"\"]}\n"), "'a.jsonl', line 1: a label is empty");
  EXPECT_THAT(refusal("{\"text\": \"a\", \"label\": \"b\\nc\"}\n"),
              HasSubstr("holds a line end: is this the right column"));
}

// FOLDERS

TEST(Folders, AFolderIsALabelAndItsFilesAreTexts) {
  const TemporaryFolder folder;
  for (const char* label : {"pos", "neg", ".hidden"}) std::filesystem::create_directory(folder.path(label));
  write_bytes(folder.path("README"), "not a text");
  write_bytes(folder.path("pos/2.txt"), "two\nlines\n\n");
  write_bytes(folder.path("pos/10"), "ten\r\n");
  write_bytes(folder.path("pos/.DS_Store"), "\xFF");
  write_bytes(folder.path("neg/1.txt"), "");
  write_bytes(folder.path(".hidden/1.txt"), "hidden");
  const LabelledTexts texts = read_labelled_texts({.paths = {folder.path()}});
  EXPECT_THAT(shown(texts), ElementsAre("neg: ", "pos: ten", "pos: two\nlines"));
  EXPECT_EQ(texts.place(1), "'" + folder.path("pos/10") + "'");
}

TEST(Folders, AFileIsALabelAndItsLinesAreTexts) {
  const TemporaryFolder folder;
  write_bytes(folder.path("Irish.txt"), "Adam\n\nBrady");
  write_bytes(folder.path("Greek.txt"), "Adamou\r\n");
  const LabelledTexts texts = read_labelled_texts({.paths = {folder.path()}});
  EXPECT_THAT(shown(texts), ElementsAre("Greek: Adamou", "Irish: Adam", "Irish: Brady"));
  EXPECT_EQ(texts.place(2), "'" + folder.path("Irish.txt") + "', line 3");
}

TEST(Folders, FoldersWithinThatOfALabelAreRefused) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("train/pos"));
  try {
    static_cast<void>(read_labelled_texts({.paths = {folder.path()}}));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("train/pos' is a folder: the folder of a label holds files"));
  }
}

TEST(Folders, AFolderOfOtherFilesIsReadOnRequest) {
  const TemporaryFolder folder;
  write_bytes(folder.path("good.lines"), "a\n");
  write_bytes(folder.path("bad.txt.gz"), "b\n");
  EXPECT_THROW(static_cast<void>(read_labelled_texts({.paths = {folder.path()}})), Error);
  const LabelledTexts texts = read_labelled_texts({.paths = {folder.path()}, .format = TextFormat::kFiles});
  EXPECT_THAT(shown(texts), ElementsAre("bad: b", "good: a"));
}

TEST(Folders, AnEmptyFolderHoldsNoTexts) {
  const TemporaryFolder folder;
  EXPECT_THROW(static_cast<void>(read_labelled_texts({.paths = {folder.path()}})), Error);
}

// FILES, FORMATS, ENCODINGS

TEST(LabelledTexts, SeveralFilesOfAnyFormatAreOneSet) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a.txt"), "__label__b one\n");
  write_bytes(folder.path("b.csv"), "label,text\na,two\n");
  const LabelledTexts texts = read_labelled_texts({.paths = {folder.path("a.txt"), folder.path("b.csv")}});
  EXPECT_THAT(shown(texts), ElementsAre("b: one", "a: two"));
  EXPECT_EQ(texts.place(1), "'" + folder.path("b.csv") + "', line 2");
}

TEST(LabelledTexts, LabelsAreInTheOrderOfTheirBytesOrOfTheirValues) {
  EXPECT_THAT(texts_of("a", "b x\na x\nB x\n\xC3\xA4 x\n", {.bare_labels = true}).labels,
              ElementsAre("B", "a", "b", "\xC3\xA4"));
  EXPECT_THAT(texts_of("a", "10 x\n9 x\n-1 x\n", {.bare_labels = true}).labels, ElementsAre("-1", "9", "10"));
}

TEST(LabelledTexts, WithoutANameThatSaysItTheFormatMustBeNamed) {
  EXPECT_EQ(refusal_of_texts("a.txt", "1 what a film\n"),
            "'a.txt': the format is not recognised: the name does not end in .tsv, .csv or .jsonl, and the first line "
            "has no word that begins with \"__label__\"; name it (`format`), or say that the first word of a line is "
            "its label (`bare_labels`)");
  EXPECT_THAT(shown(texts_of("a.txt", "text,label\nx,1\n", {.format = TextFormat::kCsv})), ElementsAre("1: x"));
  EXPECT_THAT(refusal_of_texts("a.txt", "x", {.format = TextFormat::kFolders}), HasSubstr("is not a folder"));
}

TEST(LabelledTexts, FilesWithoutTextsOrWithoutLabelsAreRefused) {
  EXPECT_EQ(refusal_of_texts("a.txt", ""), "'a.txt' holds no texts");
  EXPECT_EQ(refusal_of_texts("a.csv", "text,label\n\n"), "'a.csv' holds no texts");
  EXPECT_EQ(refusal_of_texts("a.csv", "text,label\nx,\n", {.multi_label = true}), "'a.csv': no text has a label");
}

TEST(LabelledTexts, BytesThatAreNotUtf8AreRefusedWithTheirPlace) {
  EXPECT_EQ(refusal_of_texts("a.txt", "__label__a x\n__label__b caf\xE9\n"),
            "'a.txt', line 2, column 15: 0xe9 is not UTF-8 there, nor is a letter before it: read the file as latin1 "
            "(`encoding`) or convert it");
}

TEST(LabelledTexts, TwoEncodingsInOneFileAreRefusedWithThePlaceOfTheSecond) {
  EXPECT_EQ(refusal_of_texts("a.txt", "__label__a caf\xC3\xA9\n__label__b caf\xE9\n"),
            "'a.txt', line 2, column 15: 0xe9 is not UTF-8 there, although letters before it are: the file holds two "
            "encodings; convert that part");
}

TEST(LabelledTexts, Latin1IsConverted) {
  const LabelledTexts texts =
      texts_of("a.txt", "__label__\xE4 caf\xE9 \x93x\x94 \x80\n", {.encoding = TextEncoding::kLatin1});
  EXPECT_THAT(shown(texts), ElementsAre("\xC3\xA4: caf\xC3\xA9 \xE2\x80\x9Cx\xE2\x80\x9D \xE2\x82\xAC"));
}

TEST(LabelledTexts, Utf16IsRefusedWithAndWithoutAByteOrderMark) {
  EXPECT_THAT(refusal_of_texts("a.txt", std::string("\xFF\xFEx\0\n\0", 6)), HasSubstr("UTF-16"));
  EXPECT_THAT(refusal_of_texts("a.txt", std::string("1\0 \0x\0\n\0", 8)), HasSubstr("as in UTF-16"));
}

TEST(LabelledTexts, OptionsAreChecked) {
  EXPECT_THROW(check({}), Error);
  EXPECT_THROW(check({.paths = {"a"}, .label_prefix = ""}), Error);
  EXPECT_THROW(check({.paths = {"a"}, .label_prefix = "a b"}), Error);
  EXPECT_THROW(check({.paths = {"a"}, .text_column = "label"}), Error);
  EXPECT_THROW(check({.paths = {"a"}, .weight_column = "text"}), Error);
  EXPECT_NO_THROW(check({.paths = {"a"}}));
  EXPECT_EQ(parse_text_format("files"), TextFormat::kFiles);
  EXPECT_EQ(parse_text_encoding("latin1"), TextEncoding::kLatin1);
}

TEST(LabelledTexts, LabelsAreRenumberedAsAModelHasThem) {
  LabelledTexts texts = texts_of("a", "c x\na y\nb z\n", {.bare_labels = true});
  const std::vector<std::string> known{"z", "c", "a"};
  renumber_labels(texts, known);
  EXPECT_THAT(texts.labels, ElementsAre("z", "c", "a", "b"));
  EXPECT_THAT(shown(texts), ElementsAre("c: x", "a: y", "b: z"));
}

TEST(LabelledTexts, ALabelThatAModelLacksIsRefusedWithThePlaceOfItsFirstText) {
  LabelledTexts texts = texts_of("a", "c x\na y\nb z\nb v\n", {.bare_labels = true});
  texts.files = {"a"};
  EXPECT_NO_THROW(expect_known_labels(texts, std::vector<std::string>{"b", "c", "d", "a"}));
  try {
    expect_known_labels(texts, std::vector<std::string>{"c", "a"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "'a', line 3: the label \"b\" is none of those that the model knows: \"c\", \"a\"");
  }
}

// WHAT CAN BE TRAINED ON

std::string fault_of(const LabelledTexts& texts) {
  try {
    expect_trainable(texts);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

LabelledTexts numbered_texts(int texts, int labels) {
  LabelledTexts set{.files = {"a.csv"}};
  for (int i = 0; i < labels; ++i) set.labels.push_back("l" + std::to_string(i));
  for (int i = 0; i < texts; ++i) set.texts.push_back({.text = std::to_string(i), .labels = {i % labels}});
  return set;
}

TEST(Trainable, TwoLabelsAreNeeded) {
  EXPECT_EQ(fault_of(numbered_texts(9, 1)),
            "'a.csv': every text has the label \"l0\": expected at least two labels to choose from");
  EXPECT_EQ(fault_of(numbered_texts(2, 2)), "");
  LabelledTexts texts = numbered_texts(9, 1);
  texts.multi_label = true;
  texts.texts[3].labels.clear();
  EXPECT_EQ(fault_of(texts), "");
}

TEST(Trainable, TooManyLabelsAreAWrongColumn) {
  EXPECT_EQ(fault_of(numbered_texts(10, 10)), "");
  EXPECT_EQ(fault_of(numbered_texts(22, 11)), "");
  EXPECT_EQ(fault_of(numbered_texts(1001, 1001)),
            "'a.csv': 1,001 labels in 1,001 texts: is this the right column? (`label_column`)");
  EXPECT_THAT(fault_of(numbered_texts(30'000, 10'001)), HasSubstr("10,001 labels in 30,000 texts"));
}

TEST(Trainable, SomeWeightIsNeeded) {
  LabelledTexts texts = numbered_texts(4, 2);
  for (LabelledText& text : texts.texts) text.weight = 0;
  EXPECT_EQ(fault_of(texts), "'a.csv': no text has a weight above 0 (`weight_column`)");
}

}  // namespace
}  // namespace unroll
