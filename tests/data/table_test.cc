#include "data/texts_of.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHeader = "id,text,label\n";

std::string csv(const std::string& rows) { return kHeader + rows; }

TEST(CsvTable, ColumnsAreFoundByTheirNamesInTheFirstRow) {
  EXPECT_THAT(shown(texts_of("a.csv", "label, text ,id\r\nx,what a film,1\r\ny,,2")),
              ElementsAre("x: what a film", "y: "));
  EXPECT_THAT(shown(texts_of("a.CSV", "a,b,c\n1,2,3\n", {.text_column = "c", .label_column = "a"})),
              ElementsAre("1: 3"));
}

TEST(CsvTable, WithNumbersThereIsNoRowOfNames) {
  const LabelledTextOptions options{.text_column = "2", .label_column = "1"};
  EXPECT_THAT(shown(texts_of("a.csv", "x,one\ny,two\n", options)), ElementsAre("x: one", "y: two"));
  EXPECT_THAT(shown(texts_of("a.csv", "label,other\ny,two\n", {.text_column = "2"})), ElementsAre("y: two"));
}

TEST(CsvTable, QuotedFieldsHoldCommasLineEndsAndDoubledQuotes) {
  const LabelledTexts texts = texts_of("a.csv", csv("1,\"a, \"\"b\"\"\nc\r\nd\",\"x\"\n2,say \"hi\",y\n"));
  EXPECT_THAT(shown(texts), ElementsAre("x: a, \"b\"\nc\r\nd", "y: say \"hi\""));
  EXPECT_EQ(texts.texts[0].line, 2);
  EXPECT_EQ(texts.texts[1].line, 5);
}

TEST(CsvTable, AQuoteThatNeverClosesIsRefusedWhereItOpens) {
  EXPECT_EQ(refusal_of_texts("a.csv", csv("1,\"a\nb\",x\n2,\"never,y\n3,z,x\n")),
            "'a.csv', line 4, column 3: the quote that opens here is never closed");
}

TEST(CsvTable, CharactersBehindAClosingQuoteAreRefused) {
  EXPECT_THAT(refusal_of_texts("a.csv", csv("1,\"a\"b,x\n")),
              testing::StartsWith("'a.csv', line 2, column 6: after the quote that closes a field a comma"));
}

TEST(CsvTable, ARowWithAnotherNumberOfColumnsIsRefused) {
  EXPECT_EQ(refusal_of_texts("a.csv", csv("1,a,x\n\n2,b, and so on,y\n")),
            "'a.csv', line 4: 4 columns, expected 3 as in the first row: a text with commas is put in quotes");
  EXPECT_THAT(refusal_of_texts("a.csv", csv("x\n")), HasSubstr("line 2: 1 column, expected 3"));
}

TEST(CsvTable, AColumnThatIsNotThereIsRefusedWithThoseThatAre) {
  EXPECT_EQ(refusal_of_texts("a.csv", "id,review,stars\n1,a,x\n"),
            "'a.csv', line 1: there is no column \"text\" (`text_column`): the first row has \"id\", \"review\", "
            "\"stars\"; columns of a table without a row of names are given by their numbers");
  EXPECT_EQ(refusal_of_texts("a.csv", "a,b\n", {.text_column = "1", .label_column = "3"}),
            "'a.csv', line 1: there is no column \"3\" (`label_column`): the first row has 2 columns");
  EXPECT_THAT(refusal_of_texts("a.csv", "text;label\na;x\n"), HasSubstr("there are semicolons in it"));
  EXPECT_THAT(refusal_of_texts("a.csv", "text\tlabel\na\tx\n"), HasSubstr("`format` tsv"));
  EXPECT_THAT(refusal_of_texts("a.csv", "text,label,text\n"), HasSubstr("2 columns are called \"text\""));
}

TEST(CsvTable, NameAndNumberOfOneColumnAreRefused) {
  EXPECT_THAT(refusal_of_texts("a.csv", "text,label\na,x\n", {.label_column = "1"}),
              HasSubstr("are not three different columns"));
}

TEST(CsvTable, WeightsAreNumbersOfAtLeastZero) {
  const LabelledTextOptions options{.weight_column = "w"};
  const LabelledTexts texts = texts_of("a.csv", "text,label,w\na,x,0\nb,y, 1.5 \n", options);
  EXPECT_EQ(texts.texts[0].weight, 0);
  EXPECT_EQ(texts.texts[1].weight, 1.5);
  for (const char* weight : {"-1", "", "nan", "inf", "1e999", "two"}) {
    EXPECT_THAT(refusal_of_texts("a.csv", "text,label,w\na,x,1\nb,y," + std::string(weight) + "\n", options),
                HasSubstr("'a.csv', line 3: the weight is"))
        << weight;
  }
}

TEST(CsvTable, LabelsOfAColumnAreSeparatedOnRequest) {
  const std::string bytes = "text,label\na,\"x, y\"\nb,\nc,z\n";
  EXPECT_THAT(shown(texts_of("a.csv", bytes, {.multi_label = true})), ElementsAre("x,y: a", ": b", "z: c"));
  EXPECT_THAT(refusal_of_texts("a.csv", "text,label\na,\"x,,y\"\n", {.multi_label = true}),
              HasSubstr("line 2: a label is empty"));
  EXPECT_EQ(refusal_of_texts("a.csv", bytes), "'a.csv', line 3: the text has no label");
}

TEST(CsvTable, WithoutLabelsTheColumnNeedNotExistAndBlankLinesOfOneColumnAreTexts) {
  EXPECT_THAT(shown(texts_of("a.csv", "text\none\n\ntwo\n", {.labels_needed = false})),
              ElementsAre(": one", ": ", ": two"));
  EXPECT_THAT(shown(texts_of("a.csv", "text,label\none,x\n\n", {.labels_needed = false})), ElementsAre("x: one"));
  EXPECT_THAT(shown(texts_of("a.csv", "one\n", {.text_column = "1", .labels_needed = false})), ElementsAre(": one"));
}

TEST(TsvTable, QuotesAreCharactersUnlessAFieldIsQuotedWhole) {
  const LabelledTexts texts = texts_of("a.tsv",
                                       "text\tlabel\n"
                                       "\" hello\tx\n"
                                       "\"say \"\"hi\"\"\"\ty\r\n"
                                       "\"one\" or \"two\"\tx\n"
                                       "\"\ty\n");
  EXPECT_THAT(shown(texts), ElementsAre("x: \" hello", "y: say \"hi\"", "x: \"one\" or \"two\"", "y: \""));
}

TEST(TsvTable, ARowThatAnOpenQuoteBreaksIsRefusedWithTheLineOfTheQuote) {
  EXPECT_EQ(refusal_of_texts("a.tsv", "text\tlabel\na\tx\n\"one\ntwo\"\ty\n"),
            "'a.tsv', line 3: 1 column, expected 2 as in the first row: line 3 opens a quote that the line does not "
            "close; texts with line ends are written as csv");
  EXPECT_THAT(refusal_of_texts("a.tab", "text\tlabel\na\tb\tx\n"), HasSubstr("a text holds no tabs"));
}

}  // namespace
}  // namespace unroll
