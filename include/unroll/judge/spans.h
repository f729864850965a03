// Precision, recall and F1 of spans that tags mark, by the rules of conlleval and by strict ones.
//
// Sources: conlleval.pl, the script of the CoNLL-2000 shared task (Tjong Kim Sang & Buchholz 2000); seqeval's
// mode="strict" (Nakayama 2018).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/judge/tag_scheme.h"

namespace unroll {

enum class SpanRule {
  // What conlleval.pl counts, whatever the scheme. A span begins at B, unless E of the same type is before it; at a tag
  // whose type differs from the one before it, O having none; at I or E after O, and at I or E after E. It ends before
  // B, unless it ends in E; before O; before a tag of another type; and after E before E or I. So I-NP after O or B-VP
  // is the first word of a span, and of tags E-NP B-NP, S-NP S-NP the script sees one span.
  kConlleval,
  // Spans that their scheme marks in full: B I* (BIO); I+, or B after a tag of the same type and I* (IOB1); B I* E or S
  // (IOBES, BILOU). Other tags belong to none: I-NP after O in BIO is no span.
  kStrict,
};

// The spans of a sentence by a rule, in order. Tags without hyphen have the type "". Throws Error{kUsage} for kStrict
// with TagScheme::kNone.
[[nodiscard]] std::vector<TagSpan> counted_spans(SpanRule rule, TagScheme scheme, std::span<const std::string> tags);

// Spans of a type: those of the reference, those found, and those that are both.
struct SpanCounts {
  std::int64_t reference = 0;  // the support
  std::int64_t found = 0;
  std::int64_t correct = 0;

  [[nodiscard]] std::optional<double> precision() const noexcept;  // correct / found
  [[nodiscard]] std::optional<double> recall() const noexcept;     // correct / reference
  [[nodiscard]] std::optional<double> f1() const noexcept;         // 2 correct / (reference + found)
};

// Compares the tags of sentences with their reference.
class SpanEvaluation {
 public:
  // Throws Error{kUsage} for kStrict with TagScheme::kNone.
  explicit SpanEvaluation(SpanRule rule = SpanRule::kConlleval, TagScheme scheme = TagScheme::kNone);

  // Takes the tags of a sentence. Throws Error{kUsage} if these are not as many.
  void add(std::span<const std::string> reference, std::span<const std::string> found);

  [[nodiscard]] std::int64_t sentences() const noexcept { return sentences_; }
  [[nodiscard]] std::int64_t words() const noexcept { return words_; }
  [[nodiscard]] std::int64_t correct_words() const noexcept { return correct_words_; }      // the same tag
  [[nodiscard]] std::int64_t exact_sentences() const noexcept { return exact_sentences_; }  // all tags the same

  [[nodiscard]] std::optional<double> accuracy() const noexcept;  // correct words / words
  // By type, in the order of bytes: all types of the reference or of what was found.
  [[nodiscard]] const std::map<std::string, SpanCounts>& types() const noexcept { return types_; }
  // Of all types together: what conlleval and seqeval call micro average.
  [[nodiscard]] SpanCounts micro() const noexcept;
  // The mean over types of F1; of a type that is only found or only in the reference it is 0.
  [[nodiscard]] std::optional<double> macro_f1() const noexcept;

 private:
  SpanRule rule_;
  TagScheme scheme_;
  std::int64_t sentences_ = 0;
  std::int64_t words_ = 0;
  std::int64_t correct_words_ = 0;
  std::int64_t exact_sentences_ = 0;
  std::map<std::string, SpanCounts> types_;
};

}  // namespace unroll
