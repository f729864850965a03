#include "unroll/data/data_report.h"

#include "data/texts_of.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LabelledTexts bare(const std::string& name, const std::string& bytes) {
  LabelledTexts texts = texts_of(name, bytes, {.bare_labels = true});
  texts.files = {name};
  return texts;
}

TEST(DataReport, CountsLabelsByFallingNumber) {
  const DataReport report = describe_data(bare("a", "a x\nb y\nb z\nc v\nc w\n"));
  ASSERT_EQ(report.labels.size(), 3U);
  EXPECT_EQ(report.labels[0].label, "b");
  EXPECT_EQ(report.labels[1].label, "c");
  EXPECT_EQ(report.labels[2].label, "a");
  EXPECT_EQ(report.labels[0].texts, 2);
  EXPECT_EQ(report.labels[0].weight, 2);
  EXPECT_EQ(report.train.texts, 5);
  EXPECT_EQ(report.train.labels, 5);
}

TEST(DataReport, SummarisesLengthsInCharactersAndWords) {
  std::string bytes = "a\nb \xC3\xA4\n";
  for (int i = 0; i < 18; ++i) bytes += "a two  words\n";
  const DataReport report = describe_data(bare("a", bytes + "b " + std::string(99, 'x') + "\n"));
  EXPECT_EQ(report.train.empty, 1);
  EXPECT_EQ(report.train.characters.min, 0);
  EXPECT_EQ(report.train.characters.median, 10);
  EXPECT_EQ(report.train.characters.mean, (0 + 1 + 18 * 10 + 99) / 21.0);
  EXPECT_EQ(report.train.characters.p95, 10);
  EXPECT_EQ(report.train.characters.max, 99);
  EXPECT_EQ(report.train.words.median, 2);
  EXPECT_EQ(report.train.words.max, 2);
}

TEST(DataReport, TheMedianOfAnEvenNumberLiesBetweenTwo) {
  EXPECT_EQ(describe_data(bare("a", "a x\nb xxxx\n")).train.characters.median, 2.5);
}

TEST(DataReport, FindsDuplicatesAndContradictions) {
  const DataReport report = describe_data(bare("f", "a x\nb y\na x\nb x\nb\na\nb y\na y\n"));
  EXPECT_EQ(report.duplicates, 2);
  EXPECT_EQ(report.contradictions, 2);
  ASSERT_EQ(report.contradiction_examples.size(), 2U);
  EXPECT_EQ(report.contradiction_examples[0].first, "'f', line 1");
  EXPECT_EQ(report.contradiction_examples[0].second, "'f', line 4");
  EXPECT_THAT(
      report.notes,
      ElementsAre("2 texts repeat an earlier one but not its labels, such as 'f', line 4, which equals 'f', line 1"));
}

TEST(DataReport, FindsTextsThatStandInTrainingAndTest) {
  const LabelledTexts train = bare("train", "a x\na y\nb z\nb v\n");
  const LabelledTexts test = bare("test", "c new\na x\nb y\nb\n");
  const DataReport report = describe_data(train, &test);
  EXPECT_EQ(report.test.texts, 4);
  EXPECT_EQ(report.in_both, 2);
  EXPECT_EQ(report.in_both_with_other_labels, 1);
  ASSERT_EQ(report.labels.size(), 3U);
  EXPECT_EQ(report.labels[2].label, "c");
  EXPECT_EQ(report.labels[2].texts, 0);
  EXPECT_EQ(report.labels[2].test_texts, 1);
  EXPECT_EQ(report.labels[1].test_texts, 2);
  EXPECT_THAT(report.notes,
              ElementsAre("the texts to test on have 1 label that training lacks: \"c\"",
                          "2 texts to test on stand in training too (1 with other labels), such as 'test', line 2, "
                          "which equals 'train', line 1"));
}

TEST(DataReport, NotesLabelsThatOccurOnceAndWhatSeemsAWrongColumn) {
  EXPECT_THAT(describe_data(bare("a", "a x\na y\nb z\nc v\n")).notes, ElementsAre("2 labels occur once: \"b\", \"c\""));
  std::string bytes;
  for (int i = 0; i < 1200; ++i) bytes += "id" + std::to_string(i) + " text " + std::to_string(i) + "\n";
  const std::vector<std::string> notes = describe_data(bare("a", bytes)).notes;
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0], "1,200 labels in 1,200 texts: is this the right column? (`label_column`)");
  EXPECT_THAT(notes[1], HasSubstr("\"id1005\" and 1,190 more"));
  EXPECT_THAT(describe_data(bare("a", "a x\na y\n")).notes,
              ElementsAre("every text has the label \"a\": there is nothing to choose"));
  EXPECT_THAT(describe_data(bare("a", "a x\na y\nb z\nb v\n")).notes, IsEmpty());
}

TEST(DataReport, CountsTextsWithoutLabelAndWithSeveral) {
  const LabelledTexts texts =
      texts_of("a.csv", "text,label,w\nx,\"a,b\",2\ny,,3\nz,a,0\n", {.weight_column = "w", .multi_label = true});
  const DataReport report = describe_data(texts);
  EXPECT_TRUE(report.multi_label);
  EXPECT_EQ(report.train.unlabelled, 1);
  EXPECT_EQ(report.train.labels, 3);
  EXPECT_EQ(report.train.weight, 5);
  EXPECT_EQ(report.labels[0].weight, 2);
}

}  // namespace
}  // namespace unroll
