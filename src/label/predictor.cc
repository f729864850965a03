#include "unroll/label/predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/label_numbers.h"
#include "label/answers.h"
#include "label/chains.h"
#include "label/dense_examples.h"
#include "label/probabilities.h"
#include "nn/crf.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_model(const Model& model) {
  throw Error(ErrorCode::kUsage,
              fmt::format("the model's task is {}, and its input text: expected a model of sequences of numbers",
                          task_name(model.task().kind)));
}

// The answers of one window after another, in the order of the data.
class AnswerSink {
 public:
  AnswerSink(const ReadyWeights& ready, const Task& task, const DenseData& data, Predictions& out)
      : ready_(ready), task_(task), data_(data), out_(out) {}

  void take(Network& network, const Window& window, std::span<const std::size_t> sequences) {
    const MatView<const float> scores = network.scores(ready_.weights);
    expect_finite(scores);
    if (ready_.config.loss == Loss::kCrf) return take_chains(window, scores, sequences);
    for (std::size_t r = 0; r < sequences.size(); ++r) {
      if (!out_.per_step) {
        answer(scores, r, sequences[r]);
        continue;
      }
      auto step = static_cast<std::size_t>(data_.starts[sequences[r]]);
      for_each_entry(window, window.texts[r], [&](std::size_t entry) { answer(scores, entry, step++); });
    }
  }

 private:
  static void expect_finite(MatView<const float> scores) {
    if (std::ranges::all_of(scores.flat(), [](float y) { return std::isfinite(y); })) return;
    throw Error(ErrorCode::kNumeric,
                "an answer is not finite: inputs are far from those of training, or the model's "
                "weights overflow");
  }

  [[nodiscard]] std::span<double> values(std::size_t i) {
    return std::span(out_.values).subspan(i * out_.names.size(), out_.names.size());
  }

  // Sets answer `i` from a row of scores.
  void answer(MatView<const float> scores, std::size_t row, std::size_t i) {
    const std::span<const float> y(scores.row(static_cast<std::int64_t>(row)), out_.names.size());
    const std::span<double> to = values(i);
    if (!out_.label_of.empty()) {
      std::ranges::copy(probabilities_of(task_, y).probabilities, to.begin());
      out_.label_of[i] = greatest(y);
      return;
    }
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double factor = task_.output_factor.empty() ? 1 : task_.output_factor[k];
      const double shift = task_.output_shift.empty() ? 0 : task_.output_shift[k];
      to[k] = static_cast<double>(y[k]) * factor + shift;
    }
  }

  void take_chains(const Window& window, MatView<const float> scores, std::span<const std::size_t> sequences) {
    const std::int64_t K = scores.cols;
    const CrfTables<const float>& tables = ready_.weights.crf();
    const CrfShape shape{.B = window.B, .K = K, .pieces = window.pieces, .texts = window.texts};
    marginals_.resize(static_cast<std::size_t>(scores.size()));
    const MatView<double> marginals(marginals_.data(), scores.rows, K);
    crf_marginals(ready_.workers, shape,
                  {.transitions = {tables.transitions.data(), K, K}, .start = tables.start, .end = tables.end}, scores,
                  tape_, marginals);
    for (std::size_t r = 0; r < sequences.size(); ++r) {
      const LabelSequence best = best_chains(ready_, window, window.texts[r], scores, {}, 1).front();
      auto step = static_cast<std::size_t>(data_.starts[sequences[r]]);
      std::size_t next = 0;
      for_each_entry(window, window.texts[r], [&](std::size_t entry) {
        std::copy_n(marginals.row(static_cast<std::int64_t>(entry)), K, values(step).begin());
        out_.label_of[step++] = best.labels[next++];
      });
    }
  }

  const ReadyWeights& ready_;
  const Task& task_;
  const DenseData& data_;
  Predictions& out_;
  std::vector<double> marginals_;
  CrfTape tape_;
};

std::size_t answers_in(const Predictions& answers, const DenseData& data) {
  const std::size_t targets = data.target_per_step ? static_cast<std::size_t>(data.steps()) : data.sequences();
  if (data.target_per_step == answers.per_step && targets == answers.answers()) return targets;
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {} targets for {} answers: the model answers for each {}", text_name(data.files),
                          targets, answers.answers(), answers.per_step ? "step" : "sequence"));
}

}  // namespace

struct Predictor::Impl {
  Impl(Model the_model, int threads)
      : model(std::move(the_model)), workers(threads), weights(checked(model, workers)) {}

  static NetworkWeights checked(const Model& model, Workers& workers) {
    if (model.config().vocabulary != 0) refuse_model(model);
    return packed_task_weights(model, workers);
  }

  Model model;
  Workers workers;
  NetworkWeights weights;
};

Predictor::Predictor(Model model, int threads) : impl_(std::make_unique<Impl>(std::move(model), threads)) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

const Model& Predictor::model() const noexcept { return impl_->model; }

DenseOptions Predictor::reading(DenseOptions options) const {
  const Task& task = impl_->model.task();
  options.target = task.kind == TaskKind::kRegress ? DenseTarget::kNumbers : DenseTarget::kLabels;
  options.target_per_step = impl_->model.config().readout == Readout::kSteps;
  options.targets_needed = false;
  if (options.target_columns.empty()) options.target_columns = task.targets;
  if (options.columns.empty() && !options.sequence_column.empty()) options.columns = task.inputs;
  if (options.step == 0 && options.sequence_column.empty()) options.step = impl_->model.config().embed;
  return options;
}

Predictions Predictor::predict(const DenseData& data,
                               const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  const NetworkConfig& config = impl_->model.config();
  const Task& task = impl_->model.task();
  if (data.D != config.embed) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {} numbers per step: the model reads {}", text_name(data.files),
                                               data.D, config.embed));
  }
  std::vector<std::size_t> all(data.sequences());
  std::iota(all.begin(), all.end(), std::size_t{0});
  Examples examples = dense_examples(data, all, {.shift = task.input_shift, .factor = task.input_factor}, {});
  examples.labels.clear();
  examples.wanted.clear();
  Predictions out{.per_step = config.readout == Readout::kSteps, .names = task.labels};
  const std::size_t answers = out.per_step ? static_cast<std::size_t>(data.steps()) : data.sequences();
  out.values.resize(answers * out.names.size());
  if (task.kind != TaskKind::kRegress) out.label_of.resize(answers);
  const ReadyWeights ready{config, impl_->weights, impl_->workers};
  AnswerSink sink(ready, task, data, out);
  sweep_texts(
      ready, examples,
      [&](Network& network, const Window& window, std::span<const std::size_t> sequences) {
        sink.take(network, window, sequences);
      },
      progress);
  return out;
}

std::vector<std::int32_t> right_labels(const Predictions& answers, const DenseData& data) {
  if (data.label_of.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no labels to compare answers with", text_name(data.files)));
  }
  static_cast<void>(answers_in(answers, data));
  const LabelNumbers known = label_numbers(data.labels, answers.names);
  std::vector<std::int32_t> right;
  for (const std::int32_t label : data.label_of) {
    const std::int32_t number = known.numbers[static_cast<std::size_t>(label)];
    right.push_back(number < std::ssize(answers.names) ? number : -1);
  }
  return right;
}

std::vector<Regression> judge_predictions(const Predictions& answers, const DenseData& data) {
  const std::size_t K = answers.names.size();
  if (data.outputs.size() != K) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {} numbers to compare answers with, and the model answers {}",
                                               text_name(data.files), data.outputs.size(), K));
  }
  const std::size_t count = answers_in(answers, data);
  std::vector<Regression> result;
  for (std::size_t k = 0; k < K; ++k) {
    std::vector<double> targets;
    std::vector<double> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      targets.push_back(data.numbers[i * K + k]);
      numbers.push_back(answers.values[i * K + k]);
    }
    result.push_back(judge_numbers(targets, numbers));
  }
  return result;
}

}  // namespace unroll
