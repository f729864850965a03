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
TaggerOptions options_of_tagger(const TagBasis& basis, int threads) {
  TaggerOptions options{.threads = threads};
  if (basis.scheme != TagScheme::kNone && basis.model_scheme != TagScheme::kNone) options.scheme = basis.scheme;
  return options;
}

// Tags sentences and sets them beside the right tags.
class TagComparer {
 public:
  TagComparer(const Model& model, const TagBasis& basis, const TaggedTexts& texts, int threads)
      : model_(model),
        texts_(texts),
        workers_(threads),
        weights_(packed_task_weights(model, workers_)),
        tagger_(model, options_of_tagger(basis, threads)) {
    for (const std::string& tag : basis.labels) labels_.emplace(tag, static_cast<std::int32_t>(labels_.size()));
  }

  std::vector<ComparedTags> compare(std::size_t first, std::size_t last) {
    std::vector<std::vector<std::string>> batch;
    for (std::size_t i = first; i < last; ++i) batch.push_back(texts_.sentences[i].words);
    const std::vector<std::vector<TagSequence>> answers = tagger_.tag(batch);
    WordEncoder encoder(model_.tokenizer(), model_.task());
    Examples examples;  // sentences whose tags the model knows all
    std::vector<ComparedTags> compared;
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ComparedTags& one = compared.emplace_back();
      one.right = tag_names(texts_, texts_.sentences[first + i]);
      one.found = answers[i].front().tags;
      encoder.append(batch[i], examples);
      one.is_new = new_words(examples, one.right.size());
      if (keep_if_known(one.right, examples)) known.push_back(i);
    }
    const std::vector<double> losses =
        losses_of_examples({.config = model_.config(), .weights = weights_, .workers = workers_}, examples);
    for (std::size_t i = 0; i < known.size(); ++i) compared[known[i]].nats = losses[i];
    return compared;
  }

 private:
  // Of the sentence that was encoded last.
  [[nodiscard]] std::vector<std::uint8_t> new_words(const Examples& examples, std::size_t words) const {
    std::vector<std::uint8_t> is_new;
    for (const std::int32_t id : std::span(examples.ids).last(words)) {
      is_new.push_back(id == model_.tokenizer().unknown() ? 1 : 0);
    }
    return is_new;
  }

  // Takes the sentence that was encoded last out again if the model lacks one of its tags; whether it stays.
  bool keep_if_known(const std::vector<std::string>& right, Examples& examples) const {
    std::vector<std::int32_t> labels;
    for (const std::string& tag : right) {
      if (const auto found = labels_.find(tag); found != labels_.end()) labels.push_back(found->second);
    }
    if (labels.size() == right.size()) {
      examples.labels.insert(examples.labels.end(), labels.begin(), labels.end());
      return true;
    }
    examples.starts.pop_back();
    const auto steps = static_cast<std::size_t>(examples.steps());
    examples.ids.resize(steps);
    examples.forms.resize(std::min(examples.forms.size(), steps));
    return false;
  }

  const Model& model_;
  const TaggedTexts& texts_;
  Workers workers_;
  NetworkWeights weights_;
  Tagger tagger_;
  std::unordered_map<std::string, std::int32_t> labels_;
};

std::optional<Interval> interval_of(std::span<const HitCounts> sentences) {
  return bootstrap_f1(sentences, {.resamples = resamples_in_seconds(std::ssize(sentences))});
}

// Sets tags, by_tag, and the counts of words whose tag or form the model lacks.
void judge_words(const TagBasis& basis, std::span<const ComparedTags> sentences, TagEvaluation& result) {
  NamedTags tags(basis.labels);
  std::vector<std::int32_t> right;
  std::vector<std::int32_t> found;
  for (const ComparedTags& sentence : sentences) {
    for (std::size_t i = 0; i < sentence.right.size(); ++i) {
      right.push_back(tags.of(sentence.right[i]));
      found.push_back(tags.of(sentence.found[i]));
      if (right.back() >= std::ssize(basis.labels)) ++result.unknown_tags;
      if (sentence.is_new[i] != 0) result.accuracy_new_words.count(right.back() == found.back());
    }
  }
  result.tags = tags.names();
  result.by_tag = judge_labels(right, found, std::ssize(result.tags));
}

std::optional<double> nats_per_known_word(std::span<const ComparedTags> sentences) {
  double nats = 0;
  std::int64_t words = 0;
  for (const ComparedTags& sentence : sentences) {
    if (!sentence.nats) continue;
    nats += *sentence.nats;
    words += std::ssize(sentence.right);
  }
  if (words == 0) return std::nullopt;
  return nats / static_cast<double>(words);
}

std::string note_on_unknown_tags(const TagBasis& basis, const TagEvaluation& result) {
  std::string names;
  const std::size_t K = basis.labels.size();
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

void add_notes(const TagBasis& basis, TagEvaluation& result) {
  std::vector<std::string>& notes = result.notes;
  if (result.unknown_tags > 0) notes.push_back(note_on_unknown_tags(basis, result));
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
  if (basis.rule == SpanRule::kConlleval &&
      (result.scheme == TagScheme::kIobes || result.scheme == TagScheme::kBilou)) {
    notes.push_back(
        fmt::format("conlleval's rules join spans of one type that touch each other in {}; strict ones do "
                    "not",
                    scheme));
  }
}

}  // namespace

TagBasis basis_of(const Model& model, const TaggedTexts& texts, SpanRule rule) {
  if (texts.sentences.empty()) throw Error(ErrorCode::kInput, "there is no sentence to evaluate on");
  const FoundScheme found = scheme_of_texts(texts);
  if (rule == SpanRule::kStrict && found.scheme == TagScheme::kNone) {
    throw Error(ErrorCode::kUsage, "the tags of the sentences mark no spans: strict rules have nothing to judge",
                "rule");
  }
  const Task& task = model.task();
  return {.labels = task.labels,
          .model_scheme = task.scheme.empty() ? TagScheme::kNone : parse_tag_scheme(task.scheme),
          .scheme = found.scheme,
          .invalid_sentences = found.invalid_sentences,
          .rule = rule};
}

std::vector<ComparedTags> compare_tags(const Model& model, const TagBasis& basis, const TaggedTexts& texts,
                                       const SentenceRange& range, int threads) {
  return TagComparer(model, basis, texts, threads).compare(range.first, range.last);
}

TagEvaluation judge_tags(const TagBasis& basis, std::span<const ComparedTags> sentences) {
  if (sentences.empty()) throw Error(ErrorCode::kInput, "there is no sentence to evaluate on");
  TagEvaluation result;
  result.scheme = basis.scheme;
  result.model_scheme = basis.model_scheme;
  result.invalid_sentences = basis.invalid_sentences;
  SpanEvaluation spans(basis.rule, basis.scheme);
  for (const ComparedTags& sentence : sentences) spans.add(sentence.right, sentence.found);
  result.accuracy = spans.words();
  result.exact_sentences = spans.sentences();
  result.accuracy_interval = interval_of(spans.words_of_sentences());
  judge_words(basis, sentences, result);
  result.nats_per_word = nats_per_known_word(sentences);
  if (result.scheme != TagScheme::kNone) {
    result.span_f1_interval = interval_of(spans.spans_of_sentences());
    result.spans = std::move(spans);
  }
  add_notes(basis, result);
  return result;
}

TagEvaluation evaluate_tags(const Model& model, const TaggedTexts& texts, const TagEvaluationOptions& options) {
  const TagBasis basis = basis_of(model, texts, options.rule);
  TagComparer comparer(model, basis, texts, options.threads);
  std::vector<ComparedTags> compared;
  const std::size_t total = texts.sentences.size();
  while (compared.size() < total) {
    std::size_t last = compared.size();
    for (std::int64_t words = 0; words < kWordsAtOnce && last < total; ++last) {
      words += std::ssize(texts.sentences[last].words);
    }
    for (ComparedTags& one : comparer.compare(compared.size(), last)) compared.push_back(std::move(one));
    if (options.progress) options.progress(std::ssize(compared), static_cast<std::int64_t>(total));
  }
  return judge_tags(basis, compared);
}

}  // namespace unroll
