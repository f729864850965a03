#include "unroll/judge/spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "support/error_of.h"

namespace unroll {
namespace {

using Tags = std::vector<std::string>;

// "0-2 X, 2-3 Y": first word, word after the last one, type.
std::string spans_in(SpanRule rule, TagScheme scheme, const Tags& tags) {
  std::string all;
  for (const TagSpan& span : counted_spans(rule, scheme, tags)) {
    all += all.empty() ? "" : ", ";
    all += std::to_string(span.first) + "-" + std::to_string(span.first + span.size) + " " + span.type;
  }
  return all;
}

std::string by_conlleval(const Tags& tags) { return spans_in(SpanRule::kConlleval, TagScheme::kNone, tags); }
std::string strictly(TagScheme scheme, const Tags& tags) { return spans_in(SpanRule::kStrict, scheme, tags); }

// The whole file as one list of tags, which conlleval reads a line at a time: whether spans of both columns that began
// together end together. "" is the line between two sentences.
struct LineByLine {
  std::int64_t reference = 0;
  std::int64_t found = 0;
  std::int64_t correct = 0;

  struct Half {
    std::string letter = "O";
    std::string type = {};
    bool begins = false;
    bool ends = false;

    void read(const std::string& line) {
      const std::string tag = line.empty() ? "O" : line;
      const std::size_t hyphen = tag.find('-');
      const std::string now = tag.substr(0, hyphen);
      const std::string now_type = hyphen == std::string::npos ? "" : tag.substr(hyphen + 1);
      const std::set<std::string> ending{"BB", "BO", "IB", "IO", "EE", "EI", "EO"};
      const std::set<std::string> beginning{"BB", "IB", "OB", "OI", "EE", "EI", "OE"};
      const bool changes = type != now_type;
      ends = ending.count(letter + now) > 0 || (letter != "O" && changes);
      begins = beginning.count(letter + now) > 0 || (now != "O" && changes);
      letter = now;
      type = now_type;
    }
  };

  LineByLine(const Tags& right, const Tags& guessed) {
    Half a;
    Half b;
    bool together = false;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const bool same_type_before = a.type == b.type;
      a.read(right[i]);
      b.read(guessed[i]);
      if (together && (a.ends || b.ends)) {
        correct += a.ends && b.ends && same_type_before ? 1 : 0;
        together = false;
      }
      if (a.begins && b.begins && a.type == b.type) together = true;
      reference += a.begins ? 1 : 0;
      found += b.begins ? 1 : 0;
    }
  }
};

// Tries every part of a sentence.
std::string spans_by_trying(TagScheme scheme, const Tags& tags) {
  std::string all;
  const auto is = [&](std::size_t i, char letter, const std::string& type) {
    return i < tags.size() && tags[i] == std::string(1, letter) + "-" + type;
  };
  const auto in_span = [&](std::size_t i, const std::string& type) { return is(i, 'B', type) || is(i, 'I', type); };
  const auto marks = [&](std::size_t i, std::size_t end, const std::string& type) {
    for (std::size_t k = i + 1; k + 1 < end; ++k) {
      if (!is(k, 'I', type)) return false;
    }
    switch (scheme) {
      case TagScheme::kBio:
        return is(i, 'B', type) && (end - i == 1 || is(end - 1, 'I', type)) && !is(end, 'I', type);
      case TagScheme::kIob1: {
        const bool after_same = i > 0 && in_span(i - 1, type);
        return is(i, after_same ? 'B' : 'I', type) && (end - i == 1 || is(end - 1, 'I', type)) && !is(end, 'I', type);
      }
      default:
        return end - i == 1 ? is(i, 'S', type) : is(i, 'B', type) && is(end - 1, 'E', type);
    }
  };
  for (std::size_t i = 0; i < tags.size(); ++i) {
    for (std::size_t end = i + 1; end <= tags.size(); ++end) {
      for (const std::string type : {"X", "Y"}) {
        if (!marks(i, end, type)) continue;
        all += all.empty() ? "" : ", ";
        all += std::to_string(i) + "-" + std::to_string(end) + " " + type;
      }
    }
  }
  return all;
}

Tags random_tags(std::mt19937& random, const Tags& alphabet) {
  Tags tags;
  for (std::size_t i = random() % 10; i > 0; --i) tags.push_back(alphabet[random() % alphabet.size()]);
  return tags;
}

TEST(Spans, ConllevalTakesIAfterAnythingElseAsABeginning) {
  EXPECT_EQ(by_conlleval({"B-X", "I-X", "O", "I-X", "I-Y", "B-Y"}), "0-2 X, 3-4 X, 4-5 Y, 5-6 Y");
  EXPECT_EQ(by_conlleval({"I-X", "B-X", "B-Y", "I-X"}), "0-1 X, 1-2 X, 2-3 Y, 3-4 X");
  EXPECT_EQ(by_conlleval({"B", "I", "O", "I", "B"}), "0-2 , 3-4 , 4-5 ");
  EXPECT_EQ(by_conlleval({}), "");
}

// Of conlleval.pl's own pairs of letters, E before B and all with S are missing.
TEST(Spans, ConllevalJoinsBToAnEAndSToAnS) {
  EXPECT_EQ(by_conlleval({"B-X", "E-X", "B-X", "E-X"}), "0-4 X");
  EXPECT_EQ(by_conlleval({"B-X", "E-X", "B-Y", "E-Y"}), "0-2 X, 2-4 Y");
  EXPECT_EQ(by_conlleval({"S-X", "S-X", "O", "S-X"}), "0-2 X, 3-4 X");
  EXPECT_EQ(by_conlleval({"E-X", "E-X", "I-X"}), "0-1 X, 1-2 X, 2-3 X");
  EXPECT_EQ(strictly(TagScheme::kIobes, {"B-X", "E-X", "B-X", "E-X"}), "0-2 X, 2-4 X");
  EXPECT_EQ(strictly(TagScheme::kIobes, {"S-X", "S-X", "O", "S-X"}), "0-1 X, 1-2 X, 3-4 X");
}

TEST(Spans, StrictRulesTakeOnlyWhatTheSchemeMarksInFull) {
  EXPECT_EQ(strictly(TagScheme::kBio, {"B-X", "I-X", "O", "I-X", "I-Y", "B-Y"}), "0-2 X, 5-6 Y");
  EXPECT_EQ(strictly(TagScheme::kBio, {"B-X", "I-Y"}), "0-1 X");
  EXPECT_EQ(strictly(TagScheme::kIob1, {"I-X", "B-X", "O", "B-X"}), "0-1 X, 1-2 X");
  EXPECT_EQ(strictly(TagScheme::kIobes, {"B-X", "I-X", "O", "E-X", "S-X"}), "4-5 X");
  EXPECT_EQ(strictly(TagScheme::kBilou, {"B-X", "I-X", "L-X", "U-X"}), "0-3 X, 3-4 X");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "mark no spans", [] { SpanEvaluation(SpanRule::kStrict); }));
}

// Reference 0-2 X, 3-4 Y; found 0-2 X, 3-4 X, 4-5 Z. Of 5 words 3 have their tag.
TEST(Spans, ValuesAreThoseThatWereComputedByHand) {
  SpanEvaluation evaluation;
  evaluation.add(Tags{"B-X", "I-X", "O", "B-Y", "O"}, Tags{"B-X", "I-X", "O", "B-X", "B-Z"});
  evaluation.add(Tags{"O"}, Tags{"O"});
  EXPECT_EQ(evaluation.types().size(), 3U);
  const HitCounts& x = evaluation.types().at("X");
  EXPECT_DOUBLE_EQ(x.precision().value(), 0.5);
  EXPECT_DOUBLE_EQ(x.recall().value(), 1);
  EXPECT_DOUBLE_EQ(x.f1().value(), 2.0 / 3);
  EXPECT_EQ(evaluation.types().at("Y").precision(), std::nullopt);
  EXPECT_EQ(evaluation.types().at("Y").recall(), 0);
  EXPECT_EQ(evaluation.types().at("Z").recall(), std::nullopt);
  EXPECT_DOUBLE_EQ(evaluation.micro().precision.value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(evaluation.micro().recall.value(), 0.5);
  EXPECT_DOUBLE_EQ(evaluation.micro().f1.value(), 0.4);
  EXPECT_DOUBLE_EQ(evaluation.macro().f1.value(), 2.0 / 9);
  EXPECT_DOUBLE_EQ(evaluation.words().share(), 4.0 / 6);
  EXPECT_EQ(evaluation.sentences().of, 2);
  EXPECT_EQ(evaluation.sentences().hits, 1);
  EXPECT_EQ(evaluation.spans_of_sentences()[0].answered, 3);
  EXPECT_EQ(evaluation.words_of_sentences()[0].hits, 3);
}

// The same tags by both rules, as in reports of other programs: of the spans found, those that begin with I count by
// one of them only.
TEST(Spans, TheRulesDifferOnTheSameTags) {
  const Tags reference{"B-X", "I-X", "O", "B-X"};
  const Tags found{"I-X", "I-X", "O", "B-X"};
  SpanEvaluation conlleval;
  conlleval.add(reference, found);
  EXPECT_EQ(conlleval.micro().f1, 1);
  SpanEvaluation strict(SpanRule::kStrict, TagScheme::kBio);
  strict.add(reference, found);
  EXPECT_DOUBLE_EQ(strict.micro().precision.value(), 1);
  EXPECT_DOUBLE_EQ(strict.micro().recall.value(), 0.5);
}

TEST(Spans, NothingHasNoValue) {
  SpanEvaluation evaluation;
  EXPECT_EQ(evaluation.macro().f1, std::nullopt);
  evaluation.add(Tags{"O"}, Tags{"O"});
  EXPECT_EQ(evaluation.words().share(), 1);
  EXPECT_EQ(evaluation.micro().precision, std::nullopt);
  EXPECT_EQ(evaluation.micro().recall, std::nullopt);
  EXPECT_EQ(evaluation.micro().f1, std::nullopt);
  EXPECT_EQ(evaluation.macro().f1, std::nullopt);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "1 tags in the reference and 2", [&] {
    evaluation.add(Tags{"O"}, Tags{"O", "O"});
  }));
}

TEST(Spans, SentencesAreResampledForAnInterval) {
  SpanEvaluation evaluation;
  for (int i = 0; i < 60; ++i) evaluation.add(Tags{"B-X", "O"}, i % 3 == 0 ? Tags{"O", "O"} : Tags{"B-X", "O"});
  const std::optional<Interval> interval = bootstrap_f1(evaluation.spans_of_sentences());
  ASSERT_TRUE(interval);
  EXPECT_LT(interval->low, 0.8);
  EXPECT_GT(interval->low, 0.65);
  EXPECT_GT(interval->high, 0.8);
  EXPECT_LT(interval->high, 0.95);
  EXPECT_EQ(bootstrap_f1(std::vector<HitCounts>(9)), std::nullopt);
}

TEST(Spans, RandomTagsCountAsLineByLine) {
  std::mt19937 random(3);
  for (const Tags& alphabet :
       {Tags{"O", "B-X", "I-X", "B-Y", "I-Y"}, Tags{"O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"},
        Tags{"O", "B", "I"}}) {
    SpanEvaluation evaluation;
    Tags right_lines;
    Tags guessed_lines;
    for (int sentence = 0; sentence < 300; ++sentence) {
      const Tags right = random_tags(random, alphabet);
      Tags guessed = right;
      for (std::string& tag : guessed) tag = random() % 3 == 0 ? alphabet[random() % alphabet.size()] : tag;
      evaluation.add(right, guessed);
      right_lines.insert(right_lines.end(), right.begin(), right.end());
      guessed_lines.insert(guessed_lines.end(), guessed.begin(), guessed.end());
      right_lines.emplace_back();
      guessed_lines.emplace_back();
    }
    const LineByLine lines(right_lines, guessed_lines);
    HitCounts all;
    for (const HitCounts& sentence : evaluation.spans_of_sentences()) all += sentence;
    EXPECT_EQ(all.support, lines.reference);
    EXPECT_EQ(all.answered, lines.found);
    EXPECT_EQ(all.hits, lines.correct);
    EXPECT_GT(lines.correct, 50);
    EXPECT_LT(lines.correct, lines.found);
  }
}

TEST(Spans, RandomTagsHaveTheStrictSpansThatTryingFinds) {
  std::mt19937 random(4);
  const Tags alphabet{"O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y"};
  for (int sentence = 0; sentence < 400; ++sentence) {
    const Tags tags = random_tags(random, alphabet);
    for (const TagScheme scheme : {TagScheme::kBio, TagScheme::kIob1, TagScheme::kIobes}) {
      ASSERT_EQ(strictly(scheme, tags), spans_by_trying(scheme, tags)) << tag_scheme_name(scheme);
    }
  }
}

}  // namespace
}  // namespace unroll
