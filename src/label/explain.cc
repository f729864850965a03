#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "label/answers.h"
#include "label/dense_twin.h"
#include "label/encoding.h"
#include "label/probabilities.h"
#include "model/model_file.h"
#include "unroll/error.h"
#include "unroll/label/explanation.h"

namespace unroll {
namespace {

constexpr std::int64_t kFewestAlphas = 16;
constexpr std::int64_t kMostAlphas = 4096;
constexpr std::int64_t kMostSteps = std::int64_t{1} << 21;  // of all texts together
constexpr std::int64_t kMostLeftOut = 512;
constexpr double kMostError = 0.005;  // half of what is promised: the sum is one of floats

std::vector<double> middles(std::int64_t count) {
  std::vector<double> alphas;
  for (std::int64_t i = 0; i < count; ++i)
    alphas.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(count));
  return alphas;
}

// Copies of a text, each without one of its symbols but for the boundary at its end; the first has all.
Examples without_each(const Examples& text) {
  Examples examples;
  examples.words = text.words;
  for (std::size_t without = 0; without < text.ids.size(); ++without) {
    for (std::size_t i = 0; i < text.ids.size(); ++i) {
      if (without > 0 && i == without - 1) continue;
      examples.ids.push_back(text.ids[i]);
      if (!text.forms.empty()) examples.forms.push_back(text.forms[i]);
    }
    examples.starts.push_back(std::ssize(examples.ids));
  }
  return examples;
}

}  // namespace

double Explanation::error() const noexcept {
  double sum = end_attribution;
  for (const ExplainedToken& token : tokens) sum += token.attribution;
  return sum - (score - baseline_score);
}

struct Explainer::Impl {
  Model model;
  Workers workers;
  NetworkWeights weights;
  DenseTwin twin;

  Impl(Model given, int threads)
      : model(expected(std::move(given))),
        workers(threads),
        weights(packed_task_weights(model, workers)),
        twin(model, workers) {}

  static Model expected(Model model) {
    expect_task(model, TaskKind::kClassify);
    return model;
  }

  // Of each of the texts.
  std::vector<ClassifiedText> probabilities(const Examples& examples) {
    std::vector<ClassifiedText> all(examples.count());
    const auto visit = [&](Network& network, const Window&, std::span<const std::size_t> texts) {
      const MatView<const float> scores = network.scores(weights);
      for (std::size_t r = 0; r < texts.size(); ++r) {
        const std::span<const float> row(scores.row(static_cast<std::int64_t>(r)),
                                         static_cast<std::size_t>(scores.cols));
        all[texts[r]] = probabilities_of(model.task(), row);
      }
    };
    sweep_texts({model.config(), weights, workers}, examples, visit, {});
    return all;
  }

  std::int32_t label_of(const ClassifiedText& text, std::optional<std::int32_t> asked) const {
    const auto K = static_cast<std::int32_t>(text.probabilities.size());
    if (asked && (*asked < 0 || *asked >= K)) {
      throw Error(ErrorCode::kUsage, fmt::format("label {}: expected 0 to {}", *asked, K - 1));
    }
    return asked.value_or(static_cast<std::int32_t>(std::ranges::max_element(text.log_probs) - text.log_probs.begin()));
  }

  static void expect_finite(const ClassifiedText& text) {
    if (std::ranges::all_of(text.log_probs, [](double x) { return std::isfinite(x); })) return;
    throw Error(ErrorCode::kNumeric, "the text: the network's scores are NaN or infinite");
  }

  // Sets the attributions of tokens and end, with more alphas until they add up.
  void attribute(const Examples& text, Explanation& explanation) {
    const std::vector<float> x = twin.embed(text);
    const std::vector<double> ends{0, 1};
    std::vector<double> unused(x.size());
    const std::vector<double> scores = twin.scores_along(x, ends, explanation.label, unused);
    explanation.baseline_score = scores[0];
    explanation.score = scores[1];
    const double change = std::fabs(scores[1] - scores[0]);
    const std::int64_t most = std::max(kFewestAlphas, std::min(kMostAlphas, kMostSteps / text.steps()));
    for (std::int64_t alphas = kFewestAlphas; alphas <= most; alphas *= 2) {
      std::vector<double> gradient(x.size());
      static_cast<void>(twin.scores_along(x, middles(alphas), explanation.label, gradient));
      set_attributions(x, gradient, alphas, explanation);
      if (std::fabs(explanation.error()) <= kMostError * change) break;
    }
  }

  static void set_attributions(std::span<const float> x, std::span<const double> gradient, std::int64_t alphas,
                               Explanation& explanation) {
    const std::size_t E = x.size() / (explanation.tokens.size() + 1);
    explanation.alphas = alphas;
    for (std::size_t t = 0; t <= explanation.tokens.size(); ++t) {
      double sum = 0;
      for (std::size_t e = t * E; e < (t + 1) * E; ++e) sum += static_cast<double>(x[e]) * gradient[e];
      sum /= static_cast<double>(alphas);
      (t < explanation.tokens.size() ? explanation.tokens[t].attribution : explanation.end_attribution) = sum;
    }
  }

  void leave_out(const Examples& text, Explanation& explanation) {
    if (std::ssize(explanation.tokens) > kMostLeftOut) return;
    const std::vector<ClassifiedText> texts = probabilities(without_each(text));
    const auto label = static_cast<std::size_t>(explanation.label);
    for (std::size_t t = 0; t < explanation.tokens.size(); ++t) {
      explanation.tokens[t].left_out = explanation.probability - texts[t + 1].probabilities[label];
    }
  }
};

Explainer::Explainer(Model model, int threads) : impl_(std::make_unique<Impl>(std::move(model), threads)) {}
Explainer::~Explainer() = default;
Explainer::Explainer(Explainer&&) noexcept = default;
Explainer& Explainer::operator=(Explainer&&) noexcept = default;

Explanation Explainer::explain(std::string_view text, std::optional<std::int32_t> label) {
  const Tokenizer& tokenizer = impl_->model.tokenizer();
  Examples examples;
  static_cast<void>(TextEncoder(tokenizer, impl_->model.task()).append(text, "the text", examples));
  const ClassifiedText classified = impl_->probabilities(examples).front();
  Impl::expect_finite(classified);
  Explanation explanation{.label = impl_->label_of(classified, label), .tokens = {}};
  explanation.probability = classified.probabilities[static_cast<std::size_t>(explanation.label)];
  const std::vector<Token> tokens = tokenizer.encode_line({text, "the text"});
  for (std::size_t t = 0; t + 1 < examples.ids.size(); ++t) {
    const auto first = static_cast<std::size_t>(tokens[t].offset);
    explanation.tokens.push_back({.text = std::string(text.substr(first, static_cast<std::size_t>(tokens[t].length))),
                                  .offset = tokens[t].offset,
                                  .is_unknown = tokens[t].id == tokenizer.unknown()});
  }
  impl_->attribute(examples, explanation);
  impl_->leave_out(examples, explanation);
  return explanation;
}

}  // namespace unroll
