#include "unroll/label/classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/quote.h"
#include "label/answers.h"
#include "label/encoding.h"
#include "label/probabilities.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// A model, packed, and where its labels stand among those of the first.
struct LabelModel {
  Model model;
  NetworkWeights weights;
  std::vector<std::size_t> places;
};

// Throws Error{kUsage} unless the label is known.
std::size_t place_of(const std::string& label, const std::vector<std::string>& labels, std::string_view what) {
  const auto found = std::ranges::find(labels, label);
  if (found != labels.end()) return static_cast<std::size_t>(found - labels.begin());
  constexpr std::size_t kShown = 8;
  std::string known;
  for (std::size_t k = 0; k < std::min(kShown, labels.size()); ++k) known += (k > 0 ? ", " : "") + quote(labels[k]);
  throw Error(ErrorCode::kUsage,
              fmt::format("{}: the label {} is not among the {} of the model: {}{}", what, quote(label), labels.size(),
                          known, labels.size() > kShown ? ", ..." : ""));
}

std::vector<std::size_t> places_among(const Task& first, const Task& task) {
  if (task.multi_label != first.multi_label) {
    throw Error(ErrorCode::kUsage,
                "models that are averaged differ: of one a text has one label, of another any "
                "number");
  }
  if (task.labels.size() != first.labels.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("models that are averaged differ: one has {} labels, another {}",
                                               first.labels.size(), task.labels.size()));
  }
  std::vector<std::size_t> places;
  for (const std::string& label : task.labels) {
    places.push_back(place_of(label, first.labels, "models that are averaged differ"));
  }
  return places;
}

double checked_threshold(double threshold) {
  if (threshold >= 0 && threshold <= 1) return threshold;
  throw Error(ErrorCode::kUsage, fmt::format("`thresholds`: {} is not a probability, from 0 to 1", threshold),
              "thresholds");
}

double checked_factor(double factor) {
  if (std::isfinite(factor) && factor > 0) return factor;
  throw Error(ErrorCode::kUsage, fmt::format("`factors`: {}: expected a finite number above 0", factor), "factors");
}

// The mean of the models' rules.
AnswerRule mean_rule(const std::vector<LabelModel>& models) {
  const std::size_t K = models.front().places.size();
  const auto count = static_cast<double>(models.size());
  AnswerRule rule{.thresholds = std::vector<double>(K), .factors = std::vector<double>(K, 1.0)};
  for (const LabelModel& one : models) {
    const Task& task = one.model.task();
    const double usual = task.multi_label ? 0.5 : 0;
    for (std::size_t k = 0; k < K; ++k) {
      rule.thresholds[one.places[k]] += task.thresholds.empty() ? usual : task.thresholds[k];
      if (!task.factors.empty()) rule.factors[one.places[k]] *= std::pow(task.factors[k], 1 / count);
    }
  }
  for (double& threshold : rule.thresholds) threshold /= count;
  return rule;
}

// Labels of a model at their places among those of the first.
void reorder(const std::vector<std::size_t>& places, std::vector<double>& values) {
  if (values.empty()) return;
  const std::vector<double> before = values;
  for (std::size_t k = 0; k < places.size(); ++k) values[places[k]] = before[k];
}

}  // namespace

struct Classifier::Impl {
  Workers workers;
  std::vector<LabelModel> models;
  AnswerRule rule;

  Impl(std::vector<Model> given, const ClassifierOptions& options) : workers(options.threads) {
    if (given.empty()) throw Error(ErrorCode::kUsage, "no model to classify with: expected at least one");
    for (Model& model : given) {
      expect_task(model, TaskKind::kClassify);
      std::vector<std::size_t> places = places_among(given.front().task(), model.task());
      NetworkWeights weights = packed_task_weights(model, workers);
      models.push_back({model, std::move(weights), std::move(places)});
    }
    set_rule(options);
  }

  void set_rule(const ClassifierOptions& options) {
    rule = mean_rule(models);
    if (options.threshold) std::ranges::fill(rule.thresholds, checked_threshold(*options.threshold));
    for (const auto& [label, threshold] : options.thresholds) {
      rule.thresholds[place_of(label, task().labels, "`thresholds`")] = checked_threshold(threshold);
    }
    if (!options.factors.empty() && task().multi_label) {
      throw Error(ErrorCode::kUsage, "`factors` choose one label of a text: the model gives it any number of labels",
                  "factors");
    }
    for (const auto& [label, factor] : options.factors) {
      rule.factors[place_of(label, task().labels, "`factors`")] = checked_factor(factor);
    }
  }

  [[nodiscard]] const Task& task() const noexcept { return models.front().model.task(); }

  // What one model says about all texts.
  std::vector<ClassifiedText> classify(const LabelModel& one, std::span<const std::string> texts,
                                       const TextNames& names) {
    std::vector<ClassifiedText> classified(texts.size());
    const Examples examples = encode(one, texts, names, classified);
    const ReadyWeights ready{one.model.config(), one.weights, workers};
    const auto visit = [&](Network& network, const Window&, std::span<const std::size_t> places) {
      const MatView<const float> scores = network.scores(one.weights);
      for (std::size_t r = 0; r < places.size(); ++r) {
        const std::span<const float> row(scores.row(static_cast<std::int64_t>(r)),
                                         static_cast<std::size_t>(scores.cols));
        set_probabilities(one, row, places[r], names, classified[places[r]]);
      }
    };
    sweep_texts(ready, examples, visit, {});
    return classified;
  }

  static Examples encode(const LabelModel& one, std::span<const std::string> texts, const TextNames& names,
                         std::vector<ClassifiedText>& classified) {
    const Tokenizer& tokenizer = one.model.tokenizer();
    TextEncoder encoder(tokenizer, one.model.task());
    Examples examples;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      try {
        classified[i].was_cut = encoder.append(texts[i], names(i), examples);
      } catch (const Error& error) {
        throw error.at(static_cast<std::int64_t>(i));
      }
      classified[i].tokens = examples.length(i) - 1;
      if (tokenizer.unknown() < 0) continue;
      classified[i].unknown_tokens =
          std::count(examples.ids.end() - examples.length(i), examples.ids.end(), tokenizer.unknown());
    }
    return examples;
  }

  static void set_probabilities(const LabelModel& one, std::span<const float> scores, std::size_t i,
                                const TextNames& names, ClassifiedText& text) {
    if (!std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) {
      throw Error(ErrorCode::kNumeric, fmt::format("{}: the network's scores are NaN or infinite", names(i)),
                  static_cast<std::int64_t>(i));
    }
    ClassifiedText made = probabilities_of(one.model.task(), scores);
    text.probabilities = std::move(made.probabilities);
    text.log_probs = std::move(made.log_probs);
    text.log_complements = std::move(made.log_complements);
    reorder(one.places, text.probabilities);
    reorder(one.places, text.log_probs);
    reorder(one.places, text.log_complements);
  }
};

Classifier::Classifier(Model model, const ClassifierOptions& options)
    : Classifier(std::vector<Model>{std::move(model)}, options) {}
Classifier::Classifier(std::vector<Model> models, const ClassifierOptions& options)
    : impl_(std::make_unique<Impl>(std::move(models), options)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::labels() const noexcept { return impl_->task().labels; }
bool Classifier::multi_label() const noexcept { return impl_->task().multi_label; }
const AnswerRule& Classifier::rule() const noexcept { return impl_->rule; }

ClassifiedText Classifier::classify(std::string_view text) {
  const std::string one(text);
  return classify(std::span(&one, 1), [](std::size_t) { return std::string("the text"); }).front();
}

std::vector<ClassifiedText> Classifier::classify(std::span<const std::string> texts, const TextNames& names) {
  const TextNames named = names ? names : [](std::size_t index) { return fmt::format("text {}", index + 1); };
  std::vector<std::vector<ClassifiedText>> of_models;
  for (const LabelModel& one : impl_->models) of_models.push_back(impl_->classify(one, texts, named));
  if (of_models.size() == 1) return std::move(of_models.front());
  std::vector<ClassifiedText> means;
  std::vector<ClassifiedText> of_text;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    of_text.clear();
    for (std::vector<ClassifiedText>& of_model : of_models) of_text.push_back(std::move(of_model[i]));
    means.push_back(mean_of(of_text));
  }
  return means;
}

std::vector<std::int32_t> Classifier::ranked(const ClassifiedText& text) const { return ranked_labels(text); }

std::vector<std::int32_t> Classifier::answers(const ClassifiedText& text) const {
  return answers_by(impl_->rule, text, multi_label());
}

}  // namespace unroll
