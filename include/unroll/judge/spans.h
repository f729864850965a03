// Precision, recall and F1 of spans that tags mark, by the rules of conlleval and by strict ones.
//
// Sources: conlleval.pl, the script of the CoNLL-2000 shared task (Tjong Kim Sang & Buchholz 2000); seqeval's
// mode="strict" (Nakayama 2018).
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "unroll/judge/classification.h"
#include "unroll/judge/interval.h"
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

// Compares the tags of sentences with their reference.
class SpanEvaluation {
 public:
  // Throws Error{kUsage} for kStrict with TagScheme::kNone.
  explicit SpanEvaluation(SpanRule rule = SpanRule::kConlleval, TagScheme scheme = TagScheme::kNone);

  // Takes the tags of a sentence. Throws Error{kUsage} if these are not as many.
  void add(std::span<const std::string> reference, std::span<const std::string> found);

  // By type, in the order of bytes: the spans of all types that are in a reference or were found.
  [[nodiscard]] const std::map<std::string, HitCounts>& types() const noexcept { return types_; }

  // Averages over types, as Classification defines them; of all spans together, micro is what conlleval prints.
  [[nodiscard]] LabelAverages macro() const;
  [[nodiscard]] LabelAverages micro() const;

  // Of each sentence: its spans, and its words, of which a hit has the tag of the reference; `answered` and `support`
  // are all. compare_f1() (unroll/judge/paired.h) and bootstrap_f1() take these.
  [[nodiscard]] std::span<const HitCounts> spans_of_sentences() const noexcept { return spans_; }
  [[nodiscard]] std::span<const HitCounts> words_of_sentences() const noexcept { return words_; }

  // Words whose tag is that of the reference, and sentences of which all are.
  [[nodiscard]] const Proportion& words() const noexcept { return right_words_; }
  [[nodiscard]] const Proportion& sentences() const noexcept { return right_sentences_; }

 private:
  SpanRule rule_;
  TagScheme scheme_;
  std::map<std::string, HitCounts> types_;
  std::vector<HitCounts> spans_;
  std::vector<HitCounts> words_;
  Proportion right_words_;
  Proportion right_sentences_;
};

}  // namespace unroll
