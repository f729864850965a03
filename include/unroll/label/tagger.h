// Tags words with a trained model.
//
//   unroll::Tagger tagger(unroll::Model::load("chunks.safetensors"));
//   const std::vector<std::string> words = {"the", "cat", "sleeps"};
//   for (const std::string& tag : tagger.tag(words).front().tags) std::cout << tag << '\n';
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/data/columns.h"
#include "unroll/judge/classification.h"
#include "unroll/judge/spans.h"
#include "unroll/judge/tag_scheme.h"
#include "unroll/model.h"

namespace unroll {

// Words of a sentence that are tagged together: a longer one is tagged in parts of about equal length, each by itself.
inline constexpr std::int64_t kLongestTagged = 8192;

struct TaggerOptions {
  int threads = 0;          // 0: one per core that the process may use
  std::int64_t n_best = 1;  // sequences for each sentence, from 1 to 1000; of one that is tagged in parts, one
  bool confidence = false;  // the probability of each tag, too
  // The scheme in which spans are answered. Unset: that of the model.
  std::optional<TagScheme> scheme = {};
};

// A sequence of tags for a sentence.
struct TagSequence {
  std::vector<std::string> tags;   // one per word
  double log_prob = 0;             // nats, of these tags among all sequences, also those that are never answered
  std::vector<double> confidence;  // per word, the probability of the model's tag given all words; empty: not asked for
};

// Answers with the most probable sequence of tags. With a scheme of spans (Task::scheme) that is the most probable one
// that the scheme allows: no other is ever answered. A sentence gets the same bits whatever it is tagged with, and with
// any number of threads. Not for two threads at once; several Taggers may share a Model.
class Tagger {
 public:
  // Throws Error{kUsage} for a model of another task, for options out of range, for a scheme where the model has none,
  // and for TagScheme::kNone where it has one; Error{kMemory} where threads cannot be started.
  explicit Tagger(Model model, const TaggerOptions& options = {});
  ~Tagger();
  Tagger(Tagger&&) noexcept;
  Tagger& operator=(Tagger&&) noexcept;

  // The sequences of a sentence, best first: at least one, fewer than asked for if no more are allowed. Of no words,
  // one without tags. Throws Error{kNumeric} where weights or state overflow.
  [[nodiscard]] std::vector<TagSequence> tag(const std::vector<std::string>& words);

  // The same for many sentences, in order; faster, for sentences of about equal length run side by side: give it some
  // thousands of words at once.
  [[nodiscard]] std::vector<std::vector<TagSequence>> tag(std::span<const std::vector<std::string>> sentences);

  // The scheme of the model's labels, and of the answers.
  [[nodiscard]] TagScheme model_scheme() const;
  [[nodiscard]] TagScheme scheme() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct TagEvaluationOptions {
  SpanRule rule = SpanRule::kConlleval;
  int threads = 0;
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // sentences
};

// How good a model's tags are, compared with those of sentences.
struct TagEvaluation {
  Proportion accuracy;                        // words with the right tag
  std::optional<Interval> accuracy_interval;  // 95%, by resampling sentences
  Proportion accuracy_new_words;              // of words that the vocabulary lacks
  Proportion exact_sentences;                 // sentences of which all tags are right
  std::int64_t unknown_tags = 0;              // words whose tag the model does not have: never right
  std::optional<double> nats_per_word;        // -ln p of the right tags, of sentences whose tags the model has all

  // Of each tag: those of the model, in their order, and then others of the sentences.
  std::vector<std::string> tags;
  Classification by_tag;

  // Where the tags of the sentences mark spans. The model's are converted to their scheme.
  TagScheme scheme = TagScheme::kNone;        // of the sentences
  TagScheme model_scheme = TagScheme::kNone;  // of the model
  std::int64_t invalid_sentences = 0;         // of which the scheme forbids the tags
  std::optional<SpanEvaluation> spans;
  std::optional<Interval> span_f1_interval;  // 95%, by resampling sentences

  std::vector<std::string> notes;  // what a reader should know, a sentence each
};

// Tags the sentences and compares. Throws as Tagger does; Error{kUsage} for SpanRule::kStrict where the sentences' tags
// mark no spans; Error{kInput} without a sentence.
[[nodiscard]] TagEvaluation evaluate_tags(const Model& model, const TaggedTexts& texts,
                                          const TagEvaluationOptions& options = {});

// What all sentences of an evaluation have in common.
struct TagBasis {
  std::vector<std::string> labels = {};  // the model's tags
  TagScheme model_scheme = TagScheme::kNone;
  TagScheme scheme = TagScheme::kNone;  // of the sentences
  std::int64_t invalid_sentences = 0;
  SpanRule rule = SpanRule::kConlleval;
};

// What is compared of one sentence.
struct ComparedTags {
  std::vector<std::string> right = {};
  std::vector<std::string> found = {};    // by the model
  std::vector<std::uint8_t> is_new = {};  // 1: a word that the vocabulary lacks
  std::optional<double> nats = {};        // -ln p of the right tags; none where the model lacks one
};

// Sentences [first, last) of some texts.
struct SentenceRange {
  std::size_t first = 0;
  std::size_t last = 0;
};

// evaluate_tags() in parts: judge_tags() of what compare_tags() returns of all sentences, in any parts and in order, is
// that evaluation to the bit. Throw as that.
[[nodiscard]] TagBasis basis_of(const Model& model, const TaggedTexts& texts, SpanRule rule);
[[nodiscard]] std::vector<ComparedTags> compare_tags(const Model& model, const TagBasis& basis,
                                                     const TaggedTexts& texts, const SentenceRange& range, int threads);
[[nodiscard]] TagEvaluation judge_tags(const TagBasis& basis, std::span<const ComparedTags> sentences);

}  // namespace unroll
