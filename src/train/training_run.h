// A run in progress: the network that is trained, and its position in the text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/workers.h"
#include "infer/evaluate_ids.h"
#include "network/network.h"
#include "network/parameters.h"
#include "train/averaging.h"
#include "train/calibrate.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/pacing.h"
#include "train/replicas.h"
#include "train/run_plan.h"
#include "train/schedule.h"
#include "train/training_text.h"
#include "unroll/model.h"
#include "unroll/ranks.h"
#include "unroll/train.h"

namespace unroll {

// How good weights are on the validation text.
struct ValidationLoss {
  double nats = 0;                 // per prediction
  std::optional<double> accuracy;  // share of right answers, where answers are labels

  bool by_accuracy = false;  // whether that decides: over the labels of steps, of which there are many

  // By accuracy, or by loss: of some hundred texts, by chance the right ones are a few more or less.
  [[nodiscard]] bool better_than(const ValidationLoss& other) const noexcept;
};

// The result of a validation.
struct ValidationOutcome {
  ValidationLoss last;                    // of the last weights
  std::optional<ValidationLoss> average;  // of the averaged ones

  // That of the better of both.
  [[nodiscard]] std::optional<double> best_accuracy() const noexcept {
    return average && average->better_than(last) ? average->accuracy : last.accuracy;
  }
};

// Asked now and then; true: stop.
using StopQuery = std::function<bool()>;

// Trains a network step by step, as planned. Not for two threads at once; a step uses plan.threads workers.
class TrainingRun {
 public:
  // `from` has the weights to begin with, of any precision: all, or of a task's network those that take_tensors()
  // copies; null: random ones. All three must outlive the run. Throws
  // Error{kMemory}.
  // All ranks of `ranks` train together: they make the same calls in the same order, with equal arguments.
  TrainingRun(const RunPlan& plan, const TrainingText& text, const Model* from, Ranks& ranks = one_rank());

  // Makes and undoes a few steps and part of a validation to measure what they cost, in about `seconds` at most. Empty
  // if it was to stop.
  std::optional<MeasuredCost> measure(double seconds, const StopQuery& stop);

  // Starts a run of `steps` that saves every `save_every` steps.
  void begin(std::int64_t steps, std::int64_t save_every);

  // Continues the run of a resume file.
  void resume(const Checkpoint& checkpoint);

  // One update. Throws Error{kNumeric} naming step and tensor when a loss or norm is not a number; nothing is
  // updated then.
  StepOutcome step();

  // Whether the step just made is one after which validation is due.
  [[nodiscard]] bool validation_due() const;

  // Computes the loss on the validation text; keeps the weights, last or averaged, that are the best so far. If it was
  // to stop, returns nothing, and `last` stays unvalidated, to be validated when the run is resumed.
  std::optional<ValidationOutcome> validate(const StepOutcome& last, const EvaluationProgress& progress,
                                            const StopQuery& stop);

  // Adds a point to the history if one is due after the step just made.
  void note_history(const StepOutcome& outcome, const std::optional<ValidationOutcome>& validation);

  // Writes the model file (the best weights; without validation the averaged or else the last ones), and the resume
  // file, which a complete run removes; of several ranks the first does. Throws Error{kNumeric}, and writes nothing,
  // where weights that no validation has seen are not finite or have no finite loss on the beginning of the text. A
  // complete classifier is calibrated first, where there are texts to validate on.
  void save(bool complete);

  // A copy of the last weights as the model that save() would write of them.
  [[nodiscard]] Model present() const;

  // How many tensors a task's network took from the model to start from.
  [[nodiscard]] std::int64_t taken() const noexcept { return taken_; }

  // Of a complete run that was calibrated.
  [[nodiscard]] const std::optional<CalibratedTask>& calibrated() const noexcept { return calibrated_; }

  [[nodiscard]] const RunPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] const TrainPosition& position() const noexcept { return position_; }
  [[nodiscard]] const TrainingRecord& record() const noexcept { return record_; }
  [[nodiscard]] std::int64_t validate_every() const noexcept { return validate_every_; }
  [[nodiscard]] int threads() const noexcept { return workers_.count(); }
  // Of the last step.
  [[nodiscard]] double exchange_seconds() const noexcept { return exchange_seconds_; }
  [[nodiscard]] std::int64_t sent_bytes() const noexcept { return sent_bytes_; }
  [[nodiscard]] bool finished() const noexcept {
    return !position_.unvalidated && (stopped_early_ || position_.step >= position_.steps);
  }
  // Whether that is because validation stopped improving.
  [[nodiscard]] bool stopped_early() const noexcept { return stopped_early_; }

 private:
  void set_start();
  // Seconds per prediction; empty if it was to stop.
  std::optional<double> measure_validation(double seconds, const StopQuery& stop);
  double measure_step();
  std::optional<double> measure_steps(double seconds, const StopQuery& stop);  // seconds per step; none: to stop
  void fix_length();
  // The part of the validation text, of symbols or of texts.
  ValidationLoss evaluate(const Parameters& parameters, std::size_t part, const EvaluationProgress& progress);
  ValidationLoss evaluate_task(const ReadyWeights& ready, const Examples& examples, std::size_t part,
                               const EvaluationProgress& progress) const;
  [[nodiscard]] double loss_of_sample(const Parameters& parameters);
  ValidationLoss validate(const Parameters& parameters, const EvaluationProgress& progress);
  ValidationOutcome validate(const EvaluationProgress& progress);
  bool keep_if_best(const ValidationLoss& loss, bool is_average);
  void gather_average();
  void gather_moments();
  void check_finite(double loss, double norm);
  void check_weights(const Parameters& weights);
  [[nodiscard]] NetworkConfig saved_config() const;
  void save_model(const std::string& path, const Parameters& kept) const;
  void calibrate_on(const Parameters& weights);
  TrainTensors tensors(NetworkState& states);
  [[nodiscard]] ModelUse use() const;

  const RunPlan& plan_;
  const TrainingText& text_;
  const Model* from_;
  Workers workers_;
  Ranks& ranks_;
  Parameters parameters_;
  std::optional<Parameters> best_;
  std::optional<Parameters> average_;
  Moments moments_;
  NetworkWeights weights_;
  Replicas replicas_;
  LearningRate rate_;
  Averaging averaging_;
  double exchange_seconds_ = 0;
  std::int64_t sent_bytes_ = 0;
  bool stopped_early_ = false;
  std::int64_t validate_every_ = 0;
  std::int64_t history_every_ = 1;
  TrainPosition position_;
  TrainingRecord record_;
  std::int64_t taken_ = 0;
  std::optional<CalibratedTask> calibrated_;
};

}  // namespace unroll
