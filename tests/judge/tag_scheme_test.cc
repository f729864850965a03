#include "unroll/judge/tag_scheme.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "support/error_of.h"

namespace unroll {
namespace {

using Tags = std::vector<std::string>;

constexpr std::array<TagScheme, 4> kSpanSchemes{TagScheme::kIob1, TagScheme::kBio, TagScheme::kIobes,
                                                TagScheme::kBilou};

FoundScheme scheme_of(const std::vector<Tags>& sentences) {
  SchemeFinder finder;
  for (const Tags& tags : sentences) finder.add(tags);
  return finder.found();
}

// Spans of two types, some of them side by side.
std::vector<TagSpan> random_spans(std::mt19937& random, std::size_t words) {
  std::vector<TagSpan> spans;
  for (std::size_t at = random() % 3; at < words; at += random() % 2) {
    const std::size_t size = 1 + random() % std::min<std::size_t>(words - at, 4);
    spans.push_back({.first = at, .size = size, .type = random() % 2 == 0 ? "NP" : "VP-x"});
    at += size;
  }
  return spans;
}

TEST(TagScheme, ATagIsALetterAndAType) {
  EXPECT_EQ(tag_parts("B-NP").letter, "B");
  EXPECT_EQ(tag_parts("B-NP").type, "NP");
  EXPECT_EQ(tag_parts("I-A-B").type, "A-B");
  EXPECT_EQ(tag_parts("NOUN").letter, "NOUN");
  EXPECT_EQ(tag_parts("-LRB-").letter, "");
  EXPECT_EQ(tag_parts("").type, "");
}

TEST(TagScheme, NamesAreKnown) {
  for (const TagScheme scheme : kSpanSchemes) EXPECT_EQ(parse_tag_scheme(tag_scheme_name(scheme)), scheme);
  EXPECT_EQ(parse_tag_scheme("iob2"), TagScheme::kBio);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected one of none, iob1, bio, iobes, bilou",
                         [] { (void)parse_tag_scheme("bmes"); }));
}

TEST(TagScheme, IsFoundByItsLettersAndByTheSentencesThatItForbids) {
  EXPECT_EQ(scheme_of({{"B-NP", "I-NP", "B-NP", "O"}}).scheme, TagScheme::kBio);
  EXPECT_EQ(scheme_of({{"I-NP", "I-NP", "B-NP", "O"}}).scheme, TagScheme::kIob1);
  EXPECT_EQ(scheme_of({{"I-NP", "O", "I-VP"}}).scheme, TagScheme::kIob1);
  EXPECT_EQ(scheme_of({{"B-NP", "E-NP"}, {"S-NP"}}).scheme, TagScheme::kIobes);
  EXPECT_EQ(scheme_of({{"B-NP", "L-NP"}, {"U-NP"}}).scheme, TagScheme::kBilou);
  EXPECT_EQ(scheme_of({{"B", "I", "O"}}).scheme, TagScheme::kBio);
  EXPECT_EQ(scheme_of({{"B-NP", "E-NP"}, {"U-NP"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({{"B-NP", "I-NP"}, {"NOUN"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({{"O", "O"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({{"BI-NP"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({{"O-NP"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({{"B-"}}).scheme, TagScheme::kNone);
  EXPECT_EQ(scheme_of({}).scheme, TagScheme::kNone);
}

TEST(TagScheme, WhereTwoForbidSentencesTheOneWithFewerIsTaken) {
  const Tags bio{"B-NP", "I-NP"};
  const Tags iob1{"I-NP", "B-NP"};
  const FoundScheme mostly_bio = scheme_of({bio, bio, iob1, {"O"}});
  EXPECT_EQ(mostly_bio.scheme, TagScheme::kBio);
  EXPECT_EQ(mostly_bio.sentences, 4);
  EXPECT_EQ(mostly_bio.invalid_sentences, 1);
  EXPECT_EQ(scheme_of({bio, iob1, iob1}).scheme, TagScheme::kIob1);
  EXPECT_EQ(scheme_of({bio, iob1}).scheme, TagScheme::kBio);
}

TEST(TagScheme, InvalidSequencesAreFound) {
  const auto invalid = [](TagScheme scheme, const Tags& tags) { return find_invalid_tag(scheme, tags); };
  EXPECT_EQ(invalid(TagScheme::kBio, {"B-X", "I-X", "B-X", "O"}), std::nullopt);
  EXPECT_EQ(invalid(TagScheme::kBio, {"I-X"}), 0U);
  EXPECT_EQ(invalid(TagScheme::kBio, {"O", "I-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kBio, {"B-X", "I-Y"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kBio, {"B-X", "E-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIob1, {"I-X", "I-Y", "B-Y", "B-Y"}), std::nullopt);
  EXPECT_EQ(invalid(TagScheme::kIob1, {"B-X"}), 0U);
  EXPECT_EQ(invalid(TagScheme::kIob1, {"I-Y", "B-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"B-X", "I-X", "E-X", "S-X", "O"}), std::nullopt);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"O", "E-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"B-X", "O"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"B-X", "E-Y"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"S-X", "I-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kIobes, {"O", "B-X", "I-X"}), 2U);  // it does not end
  EXPECT_EQ(invalid(TagScheme::kBilou, {"B-X", "L-X", "U-X"}), std::nullopt);
  EXPECT_EQ(invalid(TagScheme::kBilou, {"B-X", "E-X"}), 1U);
  EXPECT_EQ(invalid(TagScheme::kNone, {"I-X", "whatever"}), std::nullopt);
  EXPECT_EQ(invalid(TagScheme::kIobes, {}), std::nullopt);
}

TEST(TagScheme, SpansHaveTheirTagsInEachScheme) {
  const std::vector<TagSpan> spans{
      {.first = 0, .size = 1, .type = "X"}, {.first = 1, .size = 3, .type = "X"}, {.first = 5, .size = 2, .type = "Y"}};
  const auto tags = [&](TagScheme scheme) { return tags_of(scheme, spans, 8); };
  EXPECT_EQ(tags(TagScheme::kIob1), (Tags{"I-X", "B-X", "I-X", "I-X", "O", "I-Y", "I-Y", "O"}));
  EXPECT_EQ(tags(TagScheme::kBio), (Tags{"B-X", "B-X", "I-X", "I-X", "O", "B-Y", "I-Y", "O"}));
  EXPECT_EQ(tags(TagScheme::kIobes), (Tags{"S-X", "B-X", "I-X", "E-X", "O", "B-Y", "E-Y", "O"}));
  EXPECT_EQ(tags(TagScheme::kBilou), (Tags{"U-X", "B-X", "I-X", "L-X", "O", "B-Y", "L-Y", "O"}));
  EXPECT_EQ(convert_tags(TagScheme::kBio, TagScheme::kIobes, Tags{"B", "I", "O", "B"}), (Tags{"B", "E", "O", "S"}));
}

TEST(TagScheme, RandomSpansComeBackThroughEveryPairOfSchemes) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t words = random() % 12;
    const std::vector<TagSpan> spans = random_spans(random, words);
    for (const TagScheme from : kSpanSchemes) {
      const Tags tags = tags_of(from, spans, words);
      ASSERT_EQ(find_invalid_tag(from, tags), std::nullopt);
      ASSERT_EQ(spans_of(from, tags), spans);
      for (const TagScheme to : kSpanSchemes) {
        ASSERT_EQ(convert_tags(from, to, tags), tags_of(to, spans, words));
      }
    }
  }
}

TEST(TagScheme, AnySequenceBecomesAValidOne) {
  std::mt19937 random(2);
  const Tags alphabet{"O", "B-X", "I-X", "E-X", "S-X", "I-Y", "L-Y", "B", "odd"};
  for (int trial = 0; trial < 500; ++trial) {
    Tags tags;
    for (std::size_t i = random() % 9; i > 0; --i) tags.push_back(alphabet[random() % alphabet.size()]);
    for (const TagScheme scheme : kSpanSchemes) {
      const Tags mended = convert_tags(scheme, scheme, tags);
      EXPECT_EQ(find_invalid_tag(scheme, mended), std::nullopt);
      EXPECT_TRUE(find_invalid_tag(scheme, tags) || mended == tags);
    }
  }
}

TEST(TagScheme, InvalidSequencesAreReadAsFarAsTheySay) {
  const auto spans = [](TagScheme scheme, const Tags& tags) { return spans_of(scheme, tags); };
  EXPECT_EQ(spans(TagScheme::kBio, {"O", "I-X", "I-X", "I-Y"}),
            (std::vector<TagSpan>{{.first = 1, .size = 2, .type = "X"}, {.first = 3, .size = 1, .type = "Y"}}));
  EXPECT_EQ(spans(TagScheme::kIobes, {"B-X", "B-X", "I-X", "O", "E-X", "E-X"}),
            (std::vector<TagSpan>{{.first = 0, .size = 1, .type = "X"},
                                  {.first = 1, .size = 2, .type = "X"},
                                  {.first = 4, .size = 1, .type = "X"},
                                  {.first = 5, .size = 1, .type = "X"}}));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "the scheme none mark no spans", [] { (void)spans_of(TagScheme::kNone, {}); }));
}

TEST(TagScheme, TransitionsAreThoseThatMayFollow) {
  const Tags labels{"O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"};
  const std::size_t K = labels.size();
  for (const TagScheme scheme : {TagScheme::kNone, TagScheme::kIobes}) {
    const TagTransitions table = transitions_of(scheme, labels);
    ASSERT_EQ(table.transitions.size(), K * K);
    for (std::size_t i = 0; i < K; ++i) {
      EXPECT_EQ(table.start[i] == 1, tag_may_follow(scheme, std::nullopt, labels[i]));
      EXPECT_EQ(table.end[i] == 1, tag_may_follow(scheme, labels[i], std::nullopt));
      for (std::size_t j = 0; j < K; ++j) {
        EXPECT_EQ(table.transitions[i * K + j] == 1, tag_may_follow(scheme, labels[i], labels[j]));
      }
    }
  }
}

TEST(TagScheme, LabelsOfWhichNoSequenceIsValidMayAllFollow) {
  const auto first_start = [](TagScheme scheme, const Tags& labels) { return transitions_of(scheme, labels).start[0]; };
  EXPECT_EQ(first_start(TagScheme::kIobes, {"I-X", "B-X"}), 1);
  EXPECT_EQ(first_start(TagScheme::kIobes, {"I-X", "B-X", "S-X"}), 0);
  EXPECT_EQ(first_start(TagScheme::kBio, {"I-X", "B-X"}), 0);
  EXPECT_EQ(first_start(TagScheme::kIob1, {"B-X"}), 1);
  EXPECT_EQ(first_start(TagScheme::kIob1, {"B-X", "I-X"}), 0);
}

}  // namespace
}  // namespace unroll
