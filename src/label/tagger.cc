#include "unroll/label/tagger.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "infer/inference.h"
#include "label/answers.h"
#include "label/chains.h"
#include "label/encoding.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostSequences = 1000;

TagScheme scheme_of_model(const Model& model) {
  return model.task().scheme.empty() ? TagScheme::kNone : parse_tag_scheme(model.task().scheme);
}

TagScheme scheme_of_answers(const Model& model, const TaggerOptions& options) {
  const TagScheme scheme = scheme_of_model(model);
  if (!options.scheme || *options.scheme == scheme) return scheme;
  if (scheme == TagScheme::kNone) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`scheme` is {}, but the model's tags mark no spans", tag_scheme_name(*options.scheme)),
                "scheme");
  }
  if (*options.scheme == TagScheme::kNone) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`scheme` is none, but the model's tags mark spans in {}: expected iob1, bio, iobes or "
                            "bilou",
                            tag_scheme_name(scheme)),
                "scheme");
  }
  return *options.scheme;
}

const Model& checked_tag_model(const Model& model, const TaggerOptions& options) {
  if (model.task().kind != TaskKind::kTag) {
    throw Error(ErrorCode::kUsage, fmt::format("the model does not tag words: its task is {}; train one with the task "
                                               "tag",
                                               task_name(model.task().kind)));
  }
  expect_task(model, TaskKind::kTag);
  if (options.n_best < 1 || options.n_best > kMostSequences) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`n_best` is {}: expected a number from 1 to {}", options.n_best, kMostSequences),
                "n_best");
  }
  return model;
}

AllowedLabels allowed_labels(const Model& model) {
  const TagScheme scheme = scheme_of_model(model);
  if (scheme == TagScheme::kNone) return {};
  TagTransitions table = transitions_of(scheme, model.task().labels);
  return {.transitions = std::move(table.transitions), .start = std::move(table.start), .end = std::move(table.end)};
}

// A sequence of labels, and what is known of it.
struct LabelAnswer {
  std::vector<std::int32_t> labels;
  double log_prob = 0;
  std::vector<double> confidence;
};

// Answers for a window that the network has just run over.
class WindowAnswers {
 public:
  WindowAnswers(const ReadyWeights& ready, const Window& window, MatView<const float> scores)
      : window_(window),
        tables_(ready),
        shape_{.B = window.B, .K = scores.cols, .pieces = window.pieces, .texts = window.texts},
        scores_(scores) {}

  void compute_marginals(Workers& workers) {
    probabilities_.resize(static_cast<std::size_t>(scores_.rows * scores_.cols));
    CrfTape tape;
    crf_marginals(workers, shape_, tables_.params(), scores_, tape, marginals());
  }

  [[nodiscard]] std::vector<LabelAnswer> of(const WindowText& text, const AllowedLabels& allowed, std::int64_t most) {
    const double log_sum = crf_log_sum(shape_, text, tables_.params(), scores_);
    std::vector<LabelAnswer> answers;
    for (LabelSequence& best : crf_best_sequences(shape_, text, tables_.params(), scores_, allowed, most)) {
      LabelAnswer answer{.labels = std::move(best.labels), .log_prob = best.score - log_sum, .confidence = {}};
      if (!std::isfinite(answer.log_prob)) {
        throw Error(ErrorCode::kNumeric, "the network's scores of tags are NaN or infinite: its weights overflow");
      }
      if (!probabilities_.empty()) answer.confidence = confidence_in(text, answer.labels);
      answers.push_back(std::move(answer));
    }
    return answers;
  }

 private:
  [[nodiscard]] MatView<double> marginals() noexcept { return {probabilities_.data(), scores_.rows, scores_.cols}; }

  [[nodiscard]] std::vector<double> confidence_in(const WindowText& text, const std::vector<std::int32_t>& labels) {
    std::vector<double> confidence;
    for_each_entry(window_, text, [&](std::size_t entry) {
      const std::int32_t label = labels[confidence.size()];
      confidence.push_back(marginals().row(static_cast<std::int64_t>(entry))[label]);
    });
    return confidence;
  }

  const Window& window_;
  ChainTables tables_;
  CrfShape shape_;
  MatView<const float> scores_;
  std::vector<double> probabilities_;
};

// How many parts a sentence is tagged in.
std::int64_t parts_of(std::span<const std::string> words) {
  return (std::ssize(words) + kLongestTagged - 1) / kLongestTagged;
}

}  // namespace

struct Tagger::Impl {
  Impl(Model the_model, const TaggerOptions& the_options)
      : model(checked_tag_model(the_model, the_options)),
        options(the_options),
        scheme(scheme_of_answers(model, options)),
        allowed(allowed_labels(model)),
        workers(options.threads),
        weights(packed_task_weights(model, workers)) {}

  std::vector<std::vector<TagSequence>> tag(std::span<const std::vector<std::string>> sentences) {
    Examples examples;
    WordEncoder encoder(model.tokenizer(), model.task());
    for (const std::vector<std::string>& words : sentences) append_parts(words, encoder, examples);
    const std::vector<std::vector<LabelAnswer>> parts = answer(examples);
    std::vector<std::vector<TagSequence>> answers;
    auto part = parts.begin();
    for (const std::vector<std::string>& words : sentences) {
      const auto end = part + parts_of(words);
      answers.push_back(sequences_of(std::span(part, end)));
      part = end;
    }
    return answers;
  }

  static void append_parts(std::span<const std::string> words, WordEncoder& encoder, Examples& examples) {
    const auto parts = static_cast<std::size_t>(parts_of(words));
    for (std::size_t i = 0; i < parts; ++i) {
      const std::size_t first = i * words.size() / parts;
      encoder.append(words.subspan(first, (i + 1) * words.size() / parts - first), examples);
    }
  }

  std::vector<std::vector<LabelAnswer>> answer(const Examples& examples) {
    const ReadyWeights ready{.config = model.config(), .weights = weights, .workers = workers};
    std::vector<std::vector<LabelAnswer>> parts(examples.count());
    const auto visit = [&](Network& network, const Window& window, std::span<const std::size_t> texts) {
      WindowAnswers answers(ready, window, network.scores(weights));
      if (options.confidence) answers.compute_marginals(workers);
      for (std::size_t r = 0; r < texts.size(); ++r) {
        parts[texts[r]] = answers.of(window.texts[r], allowed, options.n_best);
      }
    };
    sweep_texts(ready, examples, visit, {});
    return parts;
  }

  // Of several parts the best sequences, one after the other: a scheme that allows both allows them together.
  [[nodiscard]] std::vector<TagSequence> sequences_of(std::span<const std::vector<LabelAnswer>> parts) const {
    const std::size_t count = parts.size() == 1 ? parts.front().size() : 1;
    std::vector<TagSequence> sequences(count);
    for (std::size_t n = 0; n < count; ++n) {
      for (const std::vector<LabelAnswer>& part : parts) append_answer(part.at(n), sequences[n]);
      if (scheme != model_scheme()) sequences[n].tags = convert_tags(model_scheme(), scheme, sequences[n].tags);
    }
    return sequences;
  }

  void append_answer(const LabelAnswer& answer, TagSequence& sequence) const {
    for (const std::int32_t label : answer.labels) {
      sequence.tags.push_back(model.task().labels[static_cast<std::size_t>(label)]);
    }
    sequence.log_prob += answer.log_prob;
    sequence.confidence.insert(sequence.confidence.end(), answer.confidence.begin(), answer.confidence.end());
  }

  [[nodiscard]] TagScheme model_scheme() const { return scheme_of_model(model); }

  Model model;
  TaggerOptions options;
  TagScheme scheme;
  AllowedLabels allowed;
  Workers workers;
  NetworkWeights weights;
};

Tagger::Tagger(Model model, const TaggerOptions& options) : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Tagger::~Tagger() = default;
Tagger::Tagger(Tagger&&) noexcept = default;
Tagger& Tagger::operator=(Tagger&&) noexcept = default;

std::vector<TagSequence> Tagger::tag(const std::vector<std::string>& words) {
  return std::move(impl_->tag(std::span(&words, 1)).front());
}

std::vector<std::vector<TagSequence>> Tagger::tag(std::span<const std::vector<std::string>> sentences) {
  return impl_->tag(sentences);
}

TagScheme Tagger::model_scheme() const { return impl_->model_scheme(); }
TagScheme Tagger::scheme() const noexcept { return impl_->scheme; }

}  // namespace unroll
