#include "unroll/judge/tag_scheme.h"

#include <algorithm>

#include "base/names.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view scheme_name(TagScheme scheme) noexcept {
  switch (scheme) {
    case TagScheme::kNone:
      return "none";
    case TagScheme::kIob1:
      return "iob1";
    case TagScheme::kBio:
      return "bio";
    case TagScheme::kIobes:
      return "iobes";
    case TagScheme::kBilou:
      return "bilou";
  }
  return {};
}

// What a tag says of its word, whatever letters its scheme writes.
enum class Part { kOther, kOutside, kBegin, kInside, kEnd, kSingle };

struct Mark {
  Part part = Part::kOther;
  std::string_view type = {};
};

Part part_of_letter(TagScheme scheme, char letter) noexcept {
  switch (letter) {
    case 'B':
      return Part::kBegin;
    case 'I':
      return Part::kInside;
    case 'E':
      return scheme == TagScheme::kIobes ? Part::kEnd : Part::kOther;
    case 'S':
      return scheme == TagScheme::kIobes ? Part::kSingle : Part::kOther;
    case 'L':
      return scheme == TagScheme::kBilou ? Part::kEnd : Part::kOther;
    case 'U':
      return scheme == TagScheme::kBilou ? Part::kSingle : Part::kOther;
    default:
      return Part::kOther;
  }
}

Mark mark_of(TagScheme scheme, std::string_view tag) noexcept {
  if (tag == "O") return {Part::kOutside};
  const TagParts parts = tag_parts(tag);
  if (parts.letter.size() != 1 || (parts.type.empty() && tag.size() > 1)) return {};
  return {part_of_letter(scheme, parts.letter.front()), parts.type};
}

bool is_closed(TagScheme scheme) noexcept { return scheme == TagScheme::kIobes || scheme == TagScheme::kBilou; }

// Whether a span of this mark goes on after it, as far as its scheme tells: in IOBES and BILOU it must.
bool is_open(const Mark& mark) noexcept { return mark.part == Part::kBegin || mark.part == Part::kInside; }

bool continues(const Mark& before, const Mark& mark) noexcept { return is_open(before) && before.type == mark.type; }

bool may_follow(TagScheme scheme, const Mark& before, const Mark& mark) noexcept {
  if (before.part == Part::kOther || mark.part == Part::kOther) return false;
  if (is_closed(scheme)) {
    const bool goes_on = mark.part == Part::kInside || mark.part == Part::kEnd;
    return is_open(before) ? goes_on && before.type == mark.type : !goes_on;
  }
  if (scheme == TagScheme::kBio) return mark.part != Part::kInside || continues(before, mark);
  return mark.part != Part::kBegin || continues(before, mark);
}

constexpr Mark kEdge{Part::kOutside};  // what is before and after a sentence

void expect_scheme(TagScheme scheme) {
  expect_enumerator("scheme", scheme, scheme_name(scheme));
  if (scheme != TagScheme::kNone) return;
  throw Error(ErrorCode::kUsage, "tags of the scheme none mark no spans: expected iob1, bio, iobes or bilou", "scheme");
}

char letter_of(TagScheme scheme, bool first, bool last, bool touches) noexcept {
  switch (scheme) {
    case TagScheme::kIob1:
      return first && touches ? 'B' : 'I';
    case TagScheme::kIobes:
      return first && last ? 'S' : first ? 'B' : last ? 'E' : 'I';
    case TagScheme::kBilou:
      return first && last ? 'U' : first ? 'B' : last ? 'L' : 'I';
    case TagScheme::kNone:
    case TagScheme::kBio:
      break;
  }
  return first ? 'B' : 'I';
}

}  // namespace

std::string_view tag_scheme_name(TagScheme scheme) noexcept { return scheme_name(scheme); }

TagScheme parse_tag_scheme(std::string_view name) {
  return name == "iob2" ? TagScheme::kBio : parse_name<TagScheme, scheme_name>("scheme", name);
}

TagParts tag_parts(std::string_view tag) noexcept {
  const std::size_t hyphen = tag.find('-');
  if (hyphen == std::string_view::npos) return {.letter = tag, .type = {}};
  return {.letter = tag.substr(0, hyphen), .type = tag.substr(hyphen + 1)};
}

bool tag_may_follow(TagScheme scheme, std::optional<std::string_view> before,
                    std::optional<std::string_view> tag) noexcept {
  if (scheme == TagScheme::kNone) return true;
  return may_follow(scheme, before ? mark_of(scheme, *before) : kEdge, tag ? mark_of(scheme, *tag) : kEdge);
}

std::optional<std::size_t> find_invalid_tag(TagScheme scheme, std::span<const std::string> tags) noexcept {
  if (scheme == TagScheme::kNone || tags.empty()) return std::nullopt;
  Mark before = kEdge;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const Mark mark = mark_of(scheme, tags[i]);
    if (!may_follow(scheme, before, mark)) return i;
    before = mark;
  }
  if (!may_follow(scheme, before, kEdge)) return tags.size() - 1;
  return std::nullopt;
}

void SchemeFinder::add(std::span<const std::string> tags) {
  ++sentences_;
  for (const std::string& tag : tags) {
    if (tag == "O") continue;
    const bool iobes = mark_of(TagScheme::kIobes, tag).part != Part::kOther;
    const bool bilou = mark_of(TagScheme::kBilou, tag).part != Part::kOther;
    spans_ = true;
    other_ |= !iobes && !bilou;
    iobes_ |= iobes && !bilou;
    bilou_ |= bilou && !iobes;
  }
  if (other_) return;
  for (const TagScheme scheme : kAllValues<TagScheme, scheme_name>) {
    if (find_invalid_tag(scheme, tags)) ++invalid_[static_cast<std::size_t>(scheme)];
  }
}

FoundScheme SchemeFinder::found() const {
  const auto of = [&](TagScheme scheme) {
    return FoundScheme{scheme, sentences_, invalid_[static_cast<std::size_t>(scheme)]};
  };
  if (other_ || !spans_ || (iobes_ && bilou_)) return {TagScheme::kNone, sentences_, 0};
  if (iobes_) return of(TagScheme::kIobes);
  if (bilou_) return of(TagScheme::kBilou);
  const FoundScheme bio = of(TagScheme::kBio);
  const FoundScheme iob1 = of(TagScheme::kIob1);
  return iob1.invalid_sentences < bio.invalid_sentences ? iob1 : bio;
}

std::vector<TagSpan> spans_of(TagScheme scheme, std::span<const std::string> tags) {
  expect_scheme(scheme);
  std::vector<TagSpan> spans;
  Mark before = kEdge;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const Mark mark = mark_of(scheme, tags[i]);
    const bool within = mark.part != Part::kOutside && mark.part != Part::kOther;
    const bool begins = mark.part == Part::kBegin || mark.part == Part::kSingle;
    if (within && (begins || !continues(before, mark))) {
      spans.push_back({.first = i, .size = 1, .type = std::string(mark.type)});
    } else if (within) {
      ++spans.back().size;
    }
    before = mark;
  }
  return spans;
}

std::vector<std::string> tags_of(TagScheme scheme, std::span<const TagSpan> spans, std::size_t words) {
  expect_scheme(scheme);
  std::vector<std::string> tags(words, "O");
  for (std::size_t s = 0; s < spans.size(); ++s) {
    const TagSpan& span = spans[s];
    const bool touches =
        s > 0 && spans[s - 1].first + spans[s - 1].size == span.first && spans[s - 1].type == span.type;
    for (std::size_t i = 0; i < span.size; ++i) {
      std::string& tag = tags[span.first + i];
      tag = letter_of(scheme, i == 0, i + 1 == span.size, touches);
      if (!span.type.empty()) tag.append("-").append(span.type);
    }
  }
  return tags;
}

std::vector<std::string> convert_tags(TagScheme from, TagScheme to, std::span<const std::string> tags) {
  return tags_of(to, spans_of(from, tags), tags.size());
}

TagTransitions transitions_of(TagScheme scheme, std::span<const std::string> labels) {
  const std::size_t K = labels.size();
  std::vector<Mark> marks(K);
  std::ranges::transform(labels, marks.begin(), [&](std::string_view label) { return mark_of(scheme, label); });
  // One that may begin, follow itself, and end makes a sequence of any length.
  const bool restricted =
      scheme != TagScheme::kNone && std::ranges::any_of(marks, [&](const Mark& mark) {
        return may_follow(scheme, kEdge, mark) && may_follow(scheme, mark, mark) && may_follow(scheme, mark, kEdge);
      });
  const auto allowed = [&](const Mark& before, const Mark& mark) -> std::uint8_t {
    return !restricted || may_follow(scheme, before, mark) ? 1 : 0;
  };
  TagTransitions found;
  for (const Mark& mark : marks) {
    found.start.push_back(allowed(kEdge, mark));
    found.end.push_back(allowed(mark, kEdge));
  }
  found.transitions.reserve(K * K);
  for (const Mark& before : marks) {
    for (const Mark& mark : marks) found.transitions.push_back(allowed(before, mark));
  }
  return found;
}

}  // namespace unroll
