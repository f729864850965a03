#include "unroll/judge/spans.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "judge/counted_texts.h"
#include "unroll/error.h"

namespace unroll {
namespace {

bool is_one_of(std::string_view letter, std::string_view letters) noexcept {
  return letter.size() == 1 && letters.find(letter.front()) != std::string_view::npos;
}

constexpr TagParts kOutsideParts{.letter = "O", .type = {}};

// "." is a letter that the script knows beside O, for words outside of spans.
bool is_outside(std::string_view letter) noexcept { return is_one_of(letter, "O."); }

bool span_ends(const TagParts& before, const TagParts& now) noexcept {
  if (!is_outside(before.letter) && before.type != now.type) return true;
  return (is_one_of(before.letter, "BI") && is_one_of(now.letter, "BO")) ||
         (before.letter == "E" && is_one_of(now.letter, "EIO")) || is_one_of(before.letter, "[]");
}

bool span_begins(const TagParts& before, const TagParts& now) noexcept {
  if (!is_outside(now.letter) && before.type != now.type) return true;
  return (is_one_of(before.letter, "BIO") && now.letter == "B") ||
         (is_one_of(before.letter, "OE") && is_one_of(now.letter, "IE")) || is_one_of(now.letter, "[]");
}

std::vector<TagSpan> conlleval_spans(std::span<const std::string> tags) {
  std::vector<TagSpan> spans;
  bool open = false;
  TagParts before = kOutsideParts;
  for (std::size_t i = 0; i <= tags.size(); ++i) {
    const TagParts now = i < tags.size() ? tag_parts(tags[i]) : kOutsideParts;
    const bool begins = span_begins(before, now);
    if (open && (begins || span_ends(before, now))) {
      spans.back().size = i - spans.back().first;
      open = false;
    }
    if (begins) {
      spans.push_back({.first = i, .size = 1, .type = std::string(now.type)});
      open = true;
    }
    before = now;
  }
  if (open) spans.back().size = tags.size() - spans.back().first;
  return spans;
}

// A span of the lenient reading counts if its tags are those that the scheme gives to it.
std::vector<TagSpan> strict_spans(TagScheme scheme, std::span<const std::string> tags) {
  std::vector<TagSpan> spans = spans_of(scheme, tags);
  const std::vector<std::string> valid = tags_of(scheme, spans, tags.size());
  std::erase_if(spans, [&](const TagSpan& span) {
    return !std::equal(tags.begin() + static_cast<std::ptrdiff_t>(span.first),
                       tags.begin() + static_cast<std::ptrdiff_t>(span.first + span.size),
                       valid.begin() + static_cast<std::ptrdiff_t>(span.first));
  });
  return spans;
}

}  // namespace

std::vector<TagSpan> counted_spans(SpanRule rule, TagScheme scheme, std::span<const std::string> tags) {
  return rule == SpanRule::kConlleval ? conlleval_spans(tags) : strict_spans(scheme, tags);
}

SpanEvaluation::SpanEvaluation(SpanRule rule, TagScheme scheme) : rule_(rule), scheme_(scheme) {
  static_cast<void>(counted_spans(rule, scheme, {}));  // refuses strict rules without a scheme
}

void SpanEvaluation::add(std::span<const std::string> reference, std::span<const std::string> found) {
  if (reference.size() != found.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("a sentence of {} words has {} tags in the reference and {} to compare",
                                               reference.size(), reference.size(), found.size()));
  }
  const std::vector<TagSpan> right = counted_spans(rule_, scheme_, reference);
  const std::vector<TagSpan> guessed = counted_spans(rule_, scheme_, found);
  HitCounts spans{.answered = std::ssize(guessed), .support = std::ssize(right)};
  for (const TagSpan& span : right) ++types_[span.type].support;
  auto candidate = right.begin();
  for (const TagSpan& span : guessed) {
    while (candidate != right.end() && candidate->first < span.first) ++candidate;
    const bool hit = candidate != right.end() && *candidate == span;
    types_[span.type] += {.hits = hit ? 1 : 0, .answered = 1};
    spans.hits += hit ? 1 : 0;
  }
  spans_.push_back(spans);

  HitCounts words{.answered = std::ssize(found), .support = std::ssize(found)};
  for (std::size_t i = 0; i < found.size(); ++i) words.hits += reference[i] == found[i] ? 1 : 0;
  words_.push_back(words);
  right_words_.hits += words.hits;
  right_words_.of += words.support;
  right_sentences_.count(words.hits == words.support);
}

LabelAverages SpanEvaluation::macro() const {
  std::vector<HitCounts> counts;
  for (const auto& [type, its] : types_) counts.push_back(its);
  return macro_average(counts);
}

LabelAverages SpanEvaluation::micro() const { return micro_average(spans_); }

}  // namespace unroll
