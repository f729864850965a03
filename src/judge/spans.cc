#include "unroll/judge/spans.h"

#include <fmt/core.h>

#include <algorithm>

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

std::optional<double> share(std::int64_t part, std::int64_t whole) noexcept {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<TagSpan> counted_spans(SpanRule rule, TagScheme scheme, std::span<const std::string> tags) {
  return rule == SpanRule::kConlleval ? conlleval_spans(tags) : strict_spans(scheme, tags);
}

std::optional<double> SpanCounts::precision() const noexcept { return share(correct, found); }
std::optional<double> SpanCounts::recall() const noexcept { return share(correct, reference); }
std::optional<double> SpanCounts::f1() const noexcept { return share(2 * correct, reference + found); }

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
  for (const TagSpan& span : right) ++types_[span.type].reference;
  auto candidate = right.begin();
  for (const TagSpan& span : guessed) {
    SpanCounts& counts = types_[span.type];
    ++counts.found;
    while (candidate != right.end() && candidate->first < span.first) ++candidate;
    if (candidate != right.end() && *candidate == span) ++counts.correct;
  }
  std::int64_t equal = 0;
  for (std::size_t i = 0; i < found.size(); ++i) equal += reference[i] == found[i] ? 1 : 0;
  ++sentences_;
  words_ += static_cast<std::int64_t>(found.size());
  correct_words_ += equal;
  exact_sentences_ += equal == static_cast<std::int64_t>(found.size()) ? 1 : 0;
}

std::optional<double> SpanEvaluation::accuracy() const noexcept { return share(correct_words_, words_); }

SpanCounts SpanEvaluation::micro() const noexcept {
  SpanCounts all;
  for (const auto& [type, counts] : types_) {
    all.reference += counts.reference;
    all.found += counts.found;
    all.correct += counts.correct;
  }
  return all;
}

std::optional<double> SpanEvaluation::macro_f1() const noexcept {
  if (types_.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [type, counts] : types_) sum += counts.f1().value_or(0);
  return sum / static_cast<double>(types_.size());
}

}  // namespace unroll
