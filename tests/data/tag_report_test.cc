#include "unroll/data/tag_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

TaggedTexts tagged(const std::string& bytes, const std::string& name = "train.txt") {
  const TemporaryFolder folder;
  write_bytes(folder.path(name), bytes);
  TaggedTexts texts = read_tagged_texts({folder.path(name)});
  texts.files = {name};
  return texts;
}

TEST(TagReport, CountsSentencesWordsAndTags) {
  const TagReport report = describe_tags(tagged("the DT\ncat NN\n\nthe DT\ndog NN\nruns VBZ\n\nruns NN\n"));
  EXPECT_EQ(report.train.sentences, 3);
  EXPECT_EQ(report.train.words, 6);
  EXPECT_EQ(report.train.different_words, 4);
  EXPECT_EQ(report.train.tags, 3);
  EXPECT_EQ(report.train.sentence_words.max, 3);
  EXPECT_EQ(report.train.sentence_words.median, 2);
  ASSERT_EQ(report.tags.size(), 3U);
  EXPECT_EQ(report.tags[0].tag, "NN");
  EXPECT_EQ(report.tags[0].words, 3);
  EXPECT_EQ(report.tags[1].tag, "DT");
  EXPECT_EQ(report.train.scheme.scheme, TagScheme::kNone);
  EXPECT_THAT(report.notes, ElementsAre("1 tag occurs once: \"VBZ\""));
}

TEST(TagReport, FindsSentencesThatRepeatAndStandInBothSets) {
  const TaggedTexts train = tagged("a O\nb B-X\n\na O\nb B-X\n\na B-X\nb B-X\n\nc O\n");
  const TaggedTexts test = tagged("c B-Y\n\na O\nb B-X\n\nd O\n", "test.txt");
  const TagReport report = describe_tags(train, &test);
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_EQ(report.contradictions, 1);
  EXPECT_EQ(report.in_both, 2);
  EXPECT_EQ(report.in_both_with_other_tags, 1);
  EXPECT_EQ(report.new_words, 1);
  EXPECT_EQ(report.tags[2].tag, "B-Y");
  EXPECT_EQ(report.tags[2].test_words, 1);
  EXPECT_THAT(
      report.notes,
      ElementsAre(
          "the sentences to test on have 1 tag that training lacks: \"B-Y\"",
          "2 sentences to test on stand in training too (1 with other tags), such as 'test.txt', line 1, which "
          "has the words of 'train.txt', line 10",
          "1 sentence repeats an earlier one but not its tags, such as 'train.txt', line 7, which has the words "
          "of 'train.txt', line 1"));
}

TEST(TagReport, SaysWhichSchemeTagsFollowAndWhereNot) {
  const TaggedTexts train = tagged("a B-X\nb I-X\n\nc B-X\nd I-X\n\ne O\nf I-X\n");
  const TaggedTexts test = tagged("a B-X\nb E-X\n", "test.txt");
  const TagReport report = describe_tags(train, &test);
  EXPECT_EQ(report.train.scheme.scheme, TagScheme::kBio);
  EXPECT_THAT(report.notes, testing::Contains("tags of training are bio, which forbids those of 1 sentence"));
  EXPECT_THAT(report.notes, testing::Contains("tags of training are bio, those of the sentences to test on iobes"));
}

TEST(TagReport, DoubtsAColumnOfOtherThings) {
  std::string file;
  for (int i = 0; i < 1200; ++i) file += "w s" + std::to_string(i / 2) + "\n";
  EXPECT_THAT(
      describe_tags(tagged(file)).notes.front(),
      HasSubstr("600 tags of 1,200 words in column 2 of 'train.txt': is this the right column? (`tag_column`)"));
  EXPECT_THAT(describe_tags(tagged("a X\nb X\n")).notes.front(), EndsWith("is this the right column? (`tag_column`)"));
}

}  // namespace
}  // namespace unroll
