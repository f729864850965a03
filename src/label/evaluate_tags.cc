#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/quote.h"
#include "infer/inference.h"
#include "label/answers.h"
#include "label/encoding.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

constexpr std::int64_t kWordsAtOnce = 8192;
constexpr std::size_t kMostNamedTags = 5;

// Numbers of tags: those of the model, and after these the others as they come.
class NamedTags {
 public:
  explicit NamedTags(const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) static_cast<void>(of(tag));
  }

  std::int32_t of(const std::string& tag) {
    const auto [found, is_new] = numbers_.emplace(tag, static_cast<std::int32_t>(names_.size()));
    if (is_new) names_.push_back(tag);
    return found->second;
  }

  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

std::vector<std::string> tag_names(const TaggedTexts& texts, const TaggedSentence& sentence) {
  std::vector<std::string> names;
  for (const std::int32_t tag : sentence.tags) names.push_back(texts.tags[static_cast<std::size_t>(tag)]);
  return names;
}

FoundScheme scheme_of_texts(const TaggedTexts& texts) {
  SchemeFinder finder;
  for (const TaggedSentence& sentence : texts.sentences) finder.add(tag_names(texts, sentence));
  return finder.found();
}

// The answers are given in the scheme of the sentences, where both have one.
TaggerOptions options_of_tagger(const TagEvaluation& result, int threads) {
  TaggerOptions options{.threads = threads};
  if (result.scheme != TagScheme::kNone && result.model_scheme != TagScheme::kNone) options.scheme = result.scheme;
  return options;
}

// Compares sentence by sentence.
class TagComparison {
 public:
  TagComparison(const Model& model, const TaggedTexts& texts, SpanRule rule, TagEvaluation& result)
      : model_(model),
        texts_(texts),
        tags_(model.task().labels),
        encoder_(model.tokenizer(), model.task()),
        spans_(rule, result.scheme),
        result_(result) {}

  void add(const TaggedSentence& sentence, const std::vector<std::string>& found) {
    const std::vector<std::string> right = tag_names(texts_, sentence);
    spans_.add(right, found);
    encoder_.append(sentence.words, examples_);
    const std::size_t first = right_.size();
    for (std::size_t i = 0; i < right.size(); ++i) {
      right_.push_back(tags_.of(right[i]));
      found_.push_back(tags_.of(found[i]));
      const std::int32_t id = examples_.ids[examples_.ids.size() - right.size() + i];
      if (id == model_.tokenizer().unknown()) result_.accuracy_new_words.count(right[i] == found[i]);
    }
    keep_if_known(std::span(right_).subspan(first));
  }

  void finish(const ReadyWeights& ready) {
    result_.accuracy = spans_.words();
    result_.exact_sentences = spans_.sentences();
    result_.accuracy_interval = interval_of(spans_.words_of_sentences());
    result_.tags = tags_.names();
    result_.by_tag = judge_labels(right_, found_, std::ssize(result_.tags));
    if (examples_.count() > 0) {
      result_.nats_per_word = evaluate_examples(ready, examples_, {}).loss / static_cast<double>(examples_.steps());
    }
    if (result_.scheme == TagScheme::kNone) return;
    result_.span_f1_interval = interval_of(spans_.spans_of_sentences());
    result_.spans = std::move(spans_);
  }

 private:
  static std::optional<Interval> interval_of(std::span<const HitCounts> sentences) {
    return bootstrap_f1(sentences, {.resamples = resamples_in_seconds(std::ssize(sentences))});
  }

  // Takes the sentence that was encoded last out again if the model lacks one of its tags.
  void keep_if_known(std::span<const std::int32_t> right) {
    const std::int64_t K = model_.config().outputs;
    const auto unknown = std::ranges::count_if(right, [K](std::int32_t tag) { return tag >= K; });
    result_.unknown_tags += unknown;
    if (unknown == 0) {
      examples_.labels.insert(examples_.labels.end(), right.begin(), right.end());
      return;
    }
    examples_.starts.pop_back();
    const auto steps = static_cast<std::size_t>(examples_.steps());
    examples_.ids.resize(steps);
    examples_.forms.resize(std::min(examples_.forms.size(), steps));
  }

  const Model& model_;
  const TaggedTexts& texts_;
  NamedTags tags_;
  WordEncoder encoder_;
  SpanEvaluation spans_;
  TagEvaluation& result_;
  std::vector<std::int32_t> right_;
  std::vector<std::int32_t> found_;
  Examples examples_;  // sentences whose tags the model knows all
};

void compare_all(Tagger& tagger, const TaggedTexts& texts, const TagEvaluationOptions& options,
                 TagComparison& comparison) {
  const auto total = static_cast<std::int64_t>(texts.sentences.size());
  std::size_t first = 0;
  while (first < texts.sentences.size()) {
    std::vector<std::vector<std::string>> batch;
    for (std::int64_t words = 0; words < kWordsAtOnce && first + batch.size() < texts.sentences.size();) {
      batch.push_back(texts.sentences[first + batch.size()].words);
      words += std::ssize(batch.back());
    }
    const std::vector<std::vector<TagSequence>> answers = tagger.tag(batch);
    for (const std::vector<TagSequence>& answer : answers) {
      comparison.add(texts.sentences[first++], answer.front().tags);
    }
    if (options.progress) options.progress(static_cast<std::int64_t>(first), total);
  }
}

std::string note_on_unknown_tags(const Model& model, const TagEvaluation& result) {
  std::string names;
  const std::size_t K = model.task().labels.size();
  const std::size_t end = std::min(result.tags.size(), K + kMostNamedTags);
  for (std::size_t i = K; i < end; ++i) names += (i == K ? "" : ", ") + quote(result.tags[i]);
  if (end < result.tags.size()) names += fmt::format(" and {} more", result.tags.size() - end);
  const bool one = result.unknown_tags == 1;
  return fmt::format("{} word{} a tag that the model does not have, and count{} as wrong: {}", result.unknown_tags,
                     one ? " has" : "s have", one ? "s" : "", names);
}

// Of types of spans where there are some, else of tags: which are never answered.
std::vector<std::string> notes_on_figures(const TagEvaluation& result) {
  if (!result.spans) return notes_on(result.by_tag, result.tags);
  Classification figures;
  std::vector<std::string> types;
  for (const auto& [type, counts] : result.spans->types()) {
    figures.labels.push_back(counts);
    types.push_back(type);
  }
  return notes_on(figures, types);
}

void add_notes(const Model& model, SpanRule rule, TagEvaluation& result) {
  std::vector<std::string>& notes = result.notes;
  if (result.unknown_tags > 0) notes.push_back(note_on_unknown_tags(model, result));
  for (std::string& note : notes_on_figures(result)) notes.push_back(std::move(note));
  if (result.scheme == TagScheme::kNone) return;
  const std::string_view scheme = tag_scheme_name(result.scheme);
  if (result.model_scheme != result.scheme && result.model_scheme != TagScheme::kNone) {
    notes.push_back(fmt::format("the model's tags are {}, and were converted to {}, the scheme of the sentences",
                                tag_scheme_name(result.model_scheme), scheme));
  }
  if (result.invalid_sentences > 0) {
    notes.push_back(fmt::format("the tags of {} sentence{} are not valid in {}", result.invalid_sentences,
                                result.invalid_sentences == 1 ? "" : "s", scheme));
  }
  if (rule == SpanRule::kConlleval && (result.scheme == TagScheme::kIobes || result.scheme == TagScheme::kBilou)) {
    notes.push_back(
        fmt::format("conlleval's rules join spans of one type that touch each other in {}; strict ones do "
                    "not",
                    scheme));
  }
}

}  // namespace

TagEvaluation evaluate_tags(const Model& model, const TaggedTexts& texts, const TagEvaluationOptions& options) {
  const FoundScheme found = scheme_of_texts(texts);
  TagEvaluation result;
  result.scheme = found.scheme;
  result.invalid_sentences = found.invalid_sentences;
  result.model_scheme = model.task().scheme.empty() ? TagScheme::kNone : parse_tag_scheme(model.task().scheme);
  if (options.rule == SpanRule::kStrict && found.scheme == TagScheme::kNone) {
    throw Error(ErrorCode::kUsage, "the tags of the sentences mark no spans: strict rules have nothing to judge",
                "rule");
  }
  if (texts.sentences.empty()) throw Error(ErrorCode::kInput, "there is no sentence to evaluate on");
  Tagger tagger(model, options_of_tagger(result, options.threads));
  TagComparison comparison(model, texts, options.rule, result);
  compare_all(tagger, texts, options, comparison);
  Workers workers(options.threads);
  const NetworkWeights weights = packed_task_weights(model, workers);
  comparison.finish({.config = model.config(), .weights = weights, .workers = workers});
  add_notes(model, options.rule, result);
  return result;
}

}  // namespace unroll
