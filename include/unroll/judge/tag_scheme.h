// Schemes by which tags of words mark spans: IOB1, BIO, IOBES, BILOU.
//
// Sources: Ramshaw & Marcus 1995, "Text chunking using transformation-based learning" (IOB1); Tjong Kim Sang & Veenstra
// 1999, "Representing text chunks" (BIO, which is IOB2); Ratinov & Roth 2009, "Design challenges and misconceptions in
// named entity recognition" (BILOU).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// A tag is "O", outside of all spans, or a letter, a hyphen and the type of its span: "B-NP". Where spans have no
// types, it is a letter alone.
enum class TagScheme {
  kNone,   // tags by themselves, such as parts of speech: any may follow any
  kIob1,   // I within a span; B at its beginning only where it follows another of the same type
  kBio,    // B at the beginning of a span, I in the rest
  kIobes,  // B, I and E at the beginning, within and at the end of a span of several words, S for one of one word
  kBilou,  // the same with L for E and U for S
};

// "none", "iob1", "bio", "iobes", "bilou".
[[nodiscard]] std::string_view tag_scheme_name(TagScheme scheme) noexcept;

// The scheme with this name; "iob2" is "bio". Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] TagScheme parse_tag_scheme(std::string_view name);

// A tag, taken apart at its first hyphen.
struct TagParts {
  std::string_view letter;  // all before the hyphen; the whole tag if it has none
  std::string_view type;    // all after it
};
[[nodiscard]] TagParts tag_parts(std::string_view tag) noexcept;

// A span of words [first, first + size).
struct TagSpan {
  std::size_t first = 0;
  std::size_t size = 0;
  std::string type = {};

  friend bool operator==(const TagSpan&, const TagSpan&) = default;
};

// Whether a scheme allows this tag before that one; nothing stands for the beginning and the end of a sentence. A tag
// that is not of the scheme is not allowed.
[[nodiscard]] bool tag_may_follow(TagScheme scheme, std::optional<std::string_view> before,
                                  std::optional<std::string_view> tag) noexcept;

// The first word whose tag may not follow the one before it; of tags that may not end a sentence, the last word.
// Nothing if the sequence is valid.
[[nodiscard]] std::optional<std::size_t> find_invalid_tag(TagScheme scheme, std::span<const std::string> tags) noexcept;

// Which scheme tags follow.
struct FoundScheme {
  TagScheme scheme = TagScheme::kNone;
  std::int64_t sentences = 0;
  std::int64_t invalid_sentences = 0;  // those that the scheme does not allow
};

// Finds the scheme of many sentences:
//
//   any tag that is not O or one of the letters B I E S L U, alone or with a type, or no tag but O   none
//   L or U among the letters, but not E or S                                                         BILOU
//   E or S among the letters, but not L or U                                                         IOBES
//   both                                                                                             none
//   B, I and O alone: of BIO and IOB1, the one that forbids fewer sentences, BIO where both forbid as many
class SchemeFinder {
 public:
  void add(std::span<const std::string> tags);  // of a sentence
  [[nodiscard]] FoundScheme found() const;

 private:
  std::int64_t sentences_ = 0;
  std::array<std::int64_t, 5> invalid_{};  // sentences, by scheme
  bool other_ = false;                     // a tag that is of no scheme
  bool spans_ = false;                     // a tag that is not O
  bool bilou_ = false;                     // L or U
  bool iobes_ = false;                     // E or S
};

// The spans that the tags of a sentence mark, in order. Where the scheme does not allow the sequence, a span begins
// wherever one is opened or the type changes, as far as the tags say so: I after O begins one in any scheme, B and S
// always do, and E and S always end one. Throws Error{kUsage} for kNone.
[[nodiscard]] std::vector<TagSpan> spans_of(TagScheme scheme, std::span<const std::string> tags);

// The tags by which a scheme marks these spans, which are in order and apart, of a sentence of `words` words. Throws
// Error{kUsage} for kNone.
[[nodiscard]] std::vector<std::string> tags_of(TagScheme scheme, std::span<const TagSpan> spans, std::size_t words);

// The tags of a sentence by another scheme: tags_of(to, spans_of(from, tags)). The result is always valid.
[[nodiscard]] std::vector<std::string> convert_tags(TagScheme from, TagScheme to, std::span<const std::string> tags);

// Which of K labels may begin a sentence, follow another, and end a sentence.
struct TagTransitions {
  std::vector<std::uint8_t> transitions;  // K x K, row i and column j: 1 if label j may follow label i
  std::vector<std::uint8_t> start;        // K; 1 if a sentence may begin with it
  std::vector<std::uint8_t> end;          // K; 1 if a sentence may end with it
};

// The transitions of a scheme among these labels. Some sequence of every length is allowed: of labels that make this
// impossible, because there is neither O nor another one that is a span by itself, all are allowed everywhere.
[[nodiscard]] TagTransitions transitions_of(TagScheme scheme, std::span<const std::string> labels);

}  // namespace unroll
