#include "train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/stopwatch.h"
#include "dist/collect.h"
#include "label/answers.h"
#include "model/model_file.h"
#include "model/model_weights.h"
#include "train/initial_weights.h"
#include "train/starting_vectors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Thrown out of an evaluation that was to stop.
struct Stopped {};

EvaluationProgress stopping(const EvaluationProgress& progress, const StopQuery& stop) {
  return [progress, &stop](std::int64_t done, std::int64_t total) {
    if (progress) progress(done, total);
    if (stop && stop()) throw Stopped();
  };
}

// Adds that of this processor to the list of a run that began before; the list of an older file stays unknown.
void add_instruction_set(std::string& list) {
  const std::string present = training_instruction_set();
  if (list.empty() || list == present || list.ends_with("; " + present)) return;
  list += "; " + present;
}

}  // namespace

TrainingRun::TrainingRun(const RunPlan& plan, const TrainingText& text, const Model* from, Ranks& ranks)
    : plan_(plan),
      text_(text),
      from_(from),
      workers_(plan.threads),
      ranks_(ranks),
      parameters_(plan.config),
      moments_(plan.update, plan.config),
      weights_(plan.config, Purpose::kTraining, plan.precision, plan.regularization.recurrent, plan.samples > 0),
      replicas_(plan, text, workers_, ranks),
      rate_{.schedule = plan.schedule,
            .lr = plan.lr,
            .warmup = 0,
            .steps = 0,
            .epoch_steps = plan.epoch.windows,
            .decay_after = plan.decay_after,
            .decay = plan.decay},
      averaging_(plan.average) {
  if (plan.average.kind != Average::kNone) average_.emplace(plan.config);
  if (plan.epoch.valid_tokens > 0) best_.emplace(plan.config);
  set_start();
}

void TrainingRun::set_start() {
  if (from_ != nullptr && !text_.task) {
    read_parameters(plan_.config, from_->data().weights.view(), parameters_);
  } else {
    set_initial_weights(plan_.config, plan_.initial, parameters_);
    if (from_ != nullptr) taken_ = std::ssize(take_tensors(*from_, plan_.config, parameters_));
    if (text_.vectors) set_word_vectors(*text_.vectors, parameters_);
  }
  moments_.set_zero();
  replicas_.set_zero_states();
  if (average_) average_->set_zero();
  averaging_.restart();
  position_ = {};
  position_.average_start = averaging_.start;
  rate_.divisor = 1;
}

// A step is measured even if it ends in a loss that is not finite: this is not the run yet, whose steps may be fewer or
// have other learning rates, and which will report what happens to it.
double TrainingRun::measure_step() {
  const Stopwatch watch;
  try {
    step();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNumeric) throw;
  }
  return watch.seconds();
}

std::optional<double> TrainingRun::measure_steps(double seconds, const StopQuery& stop) {
  constexpr std::int64_t kMostMeasured = 200;
  constexpr std::int64_t kLeastMeasured = 2;
  // Learning rates are those of the run's first steps, as far as its length is known.
  const std::int64_t steps = planned_steps(plan_).value_or(kMostMeasured);
  rate_.steps = steps;
  rate_.warmup = warmup_steps(plan_, steps);
  const double first = measure_step();  // touches all memory for the first time
  double sum = 0;
  std::int64_t count = 0;
  while (count < std::min(kMostMeasured, steps - 1)) {
    sum += measure_step();
    ++count;
    if (stop && stop()) return std::nullopt;
    if (value_of_first(ranks_, count >= kLeastMeasured && sum > 0.7 * seconds)) break;
  }
  return count == 0 ? first : sum / static_cast<double>(count);
}

std::optional<MeasuredCost> TrainingRun::measure(double seconds, const StopQuery& stop) {
  const std::optional<double> per_step = measure_steps(seconds, stop);
  if (!per_step) return std::nullopt;
  MeasuredCost cost;
  cost.per_step = *per_step;
  if (!planned_steps(plan_)) {
    const std::optional<double> per_valid_token = measure_validation(0.2 * seconds, stop);
    if (!per_valid_token) return std::nullopt;
    cost.per_valid_token = (average_ ? 2 : 1) * *per_valid_token;
    // A save writes the model, and the resume file with the present weights, the best ones and the moments.
    const auto copies = 2 + (best_ ? 1 : 0) + (average_ ? 1 : 0) + Moments::count(plan_.update);
    const std::int64_t bytes = copies * static_cast<std::int64_t>(parameters_.all().size_bytes());
    if (ranks_.rank() == 0) cost.per_save = 2 * measure_write_seconds(plan_.save, bytes / 2);
  }
  set_start();
  return value_of_first(ranks_, cost);
}

std::optional<double> TrainingRun::measure_validation(double seconds, const StopQuery& stop) {
  constexpr std::size_t kLeast = 1 << 10;
  constexpr std::size_t kMost = 1 << 15;
  constexpr std::size_t kSymbolsOfText = 16;
  if (plan_.epoch.valid_tokens == 0) return 0;
  const std::size_t all = text_.task ? text_.task->valid.count() : text_.valid.size();
  const Stopwatch watch;
  for (std::size_t symbols = kLeast;; symbols *= 2) {
    const std::size_t part = std::min(text_.task ? symbols / kSymbolsOfText : symbols, all);
    const Stopwatch one;
    try {
      static_cast<void>(evaluate(parameters_, part, stopping({}, stop)));
    } catch (const Stopped&) {
      return std::nullopt;
    }
    const double taken = one.seconds();
    const double predictions =
        static_cast<double>(plan_.epoch.valid_text_tokens) * static_cast<double>(part) / static_cast<double>(all);
    const bool enough = symbols >= kMost || part == all || watch.seconds() + 2 * taken > seconds;
    if (value_of_first(ranks_, enough)) return taken / predictions;
  }
}

void TrainingRun::begin(std::int64_t steps, std::int64_t save_every) {
  position_.steps = steps;
  position_.save_every = save_every;
  position_.length = describe(plan_.length);
  position_.instruction_sets = training_instruction_set();
  record_ = {.options = plan_.recorded, .history = {}, .complete = false};
  record_.options.emplace_back("steps", fmt::format("{}", steps));
  fix_length();
}

void TrainingRun::fix_length() {
  constexpr std::int64_t kHistoryPoints = 100;
  rate_.steps = position_.steps;
  rate_.warmup = warmup_steps(plan_, position_.steps);
  validate_every_ = validation_interval(plan_.epoch, position_.steps);
  history_every_ = std::max<std::int64_t>(1, position_.steps / kHistoryPoints);
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  position_ = checkpoint.position();
  add_instruction_set(position_.instruction_sets);
  if (plan_.save_every > 0) position_.save_every = plan_.save_every;
  record_ = checkpoint.record();
  NetworkState states(plan_.config, plan_.batch_size);  // a window of whole texts has none
  checkpoint.restore(tensors(states));
  if (!text_.task) replicas_.set_states(states);
  rate_.divisor = position_.lr_divisor;
  averaging_.start = position_.average_start;
  fix_length();
}

StepOutcome TrainingRun::step() {
  const Stopwatch watch;
  const std::int64_t sent_before = ranks_.sent_bytes();
  const std::int64_t step = position_.step + 1;
  const std::int64_t epoch = position_.step / plan_.epoch.windows;
  const std::int64_t index = position_.step % plan_.epoch.windows;
  const NoiseKey noise{.seed = plan_.seed, .step = static_cast<std::uint32_t>(step)};
  weights_.pack(parameters_, workers_, noise);
  const StepLoss loss = replicas_.run(epoch, index, weights_, noise);
  const Gradients& gradients = replicas_.gradients();
  const Owners& owners = replicas_.sum().owners();
  StepOutcome outcome{.nats_per_token = loss.nats, .lr = replicas_.rate_share(epoch, index) * rate_.at(step)};
  outcome.grad_norm = gradient_norm(workers_, gradients, owners);
  check_finite(outcome.nats_per_token, outcome.grad_norm);
  const bool clipped = plan_.clip > 0 && outcome.grad_norm > plan_.clip;
  const std::vector<double> rates = tensor_rates(plan_.layer_rates, plan_.config, gradients.tensors(), epoch);
  const UpdateStep update{.scale = clipped ? plan_.clip / outcome.grad_norm : 1,
                          .rate = outcome.lr,
                          .step = step,
                          .rates = rates,
                          .average_share = averaging_.share(step)};
  update_parameters(workers_, gradients, owners.mine(), plan_.update, update,
                    {moments_, parameters_, average_ ? &*average_ : nullptr});
  const Stopwatch gathering;
  owners.gather(parameters_);
  exchange_seconds_ = replicas_.exchange_seconds() + gathering.seconds();
  sent_bytes_ = ranks_.sent_bytes() - sent_before;
  position_.step = step;
  position_.tokens += loss.predictions;
  position_.nats_since_point += outcome.nats_per_token * static_cast<double>(loss.predictions);
  position_.predictions_since_point += loss.predictions;
  outcome.tokens_per_s = static_cast<double>(loss.predictions) / watch.seconds();
  return outcome;
}

void TrainingRun::check_finite(double loss, double norm) {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  // The last tensor of the list: the first on the backward pass, where the trouble starts.
  std::string where = "the loss";
  replicas_.sum().gather_dense();
  const Gradients& gradients = replicas_.gradients();
  for (const ParameterTensor& tensor : gradients.tensors()) {
    const std::span<const float> values = gradients.values(tensor);
    const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    if (bad != values.end()) where = fmt::format("the gradient of {}", tensor.name);
  }
  throw Error(
      ErrorCode::kNumeric,
      fmt::format("step {}: {} is not a finite number (loss {}): training stopped, files saved before are as they "
                  "were; try a lower `run.lr` or a smaller `run.clip`",
                  position_.step + 1, where, loss));
}

bool TrainingRun::validation_due() const {
  return position_.unvalidated || (validate_every_ > 0 && (position_.step % validate_every_ == 0 || finished()));
}

// The model file is f32, so validation is too: it reports what evaluate() reports for that file.
ValidationLoss TrainingRun::evaluate(const Parameters& parameters, std::size_t part,
                                     const EvaluationProgress& progress) {
  NetworkWeights weights(plan_.config, Purpose::kInference);
  weights.pack(parameters, workers_);
  const ReadyWeights ready{plan_.config, weights, workers_};
  if (text_.task) return evaluate_task(ready, text_.task->valid, part, progress);
  const Symbols symbols{.reading = plan_.reading, .unknown = text_.tokenizer.unknown()};
  std::vector<std::int32_t> room;
  const LossSums result = evaluate_ids(ready, text_.valid.view().first(part).in_memory(room), symbols, progress);
  return {.nats = result.nats / static_cast<double>(result.tokens), .accuracy = {}};
}

ValidationLoss TrainingRun::evaluate_task(const ReadyWeights& ready, const Examples& examples, std::size_t part,
                                          const EvaluationProgress& progress) const {
  const AnswersEvaluation sum = part == examples.count()
                                    ? evaluate_examples(ready, examples, progress)
                                    : evaluate_examples(ready, first_examples(examples, part, plan_.config), progress);
  const auto answers = static_cast<double>(std::max<std::int64_t>(1, sum.answers));
  ValidationLoss loss{.nats = sum.loss / answers, .accuracy = {}};
  if (sum.has_right) loss.accuracy = static_cast<double>(sum.right) / answers;
  loss.by_accuracy = plan_.config.readout == Readout::kSteps;
  return loss;
}

bool ValidationLoss::better_than(const ValidationLoss& other) const noexcept {
  const bool differ = accuracy && other.accuracy && *accuracy != *other.accuracy;
  return by_accuracy && differ ? *accuracy > *other.accuracy : nats < other.nats;
}

ValidationLoss TrainingRun::validate(const Parameters& parameters, const EvaluationProgress& progress) {
  const std::size_t part = text_.task ? text_.task->valid.count() : static_cast<std::size_t>(plan_.epoch.valid_read);
  const ValidationLoss loss = evaluate(parameters, part, progress);
  if (std::isfinite(loss.nats)) return loss;
  throw Error(ErrorCode::kNumeric, fmt::format("step {}: the validation loss is not a finite number: training stopped, "
                                               "files saved before are as they were; try a lower `run.lr`",
                                               position_.step));
}

bool TrainingRun::keep_if_best(const ValidationLoss& loss, bool is_average) {
  const ValidationLoss best{.nats = position_.best_nats, .accuracy = position_.best_accuracy};
  if (position_.best_step > 0 && !loss.better_than(best)) return false;
  position_.best_step = position_.step;
  position_.best_nats = loss.nats;
  position_.best_accuracy = loss.accuracy;
  position_.best_is_average = is_average;
  best_->copy_from(is_average ? *average_ : parameters_);
  return true;
}

std::optional<ValidationOutcome> TrainingRun::validate(const StepOutcome& last, const EvaluationProgress& progress,
                                                       const StopQuery& stop) {
  position_.unvalidated = last;
  try {
    const ValidationOutcome outcome = validate(stopping(progress, stop));
    position_.unvalidated.reset();
    return outcome;
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

// Each rank averages what it owns.
void TrainingRun::gather_average() {
  if (average_) replicas_.sum().owners().gather(*average_);
}

ValidationOutcome TrainingRun::validate(const EvaluationProgress& progress) {
  gather_average();
  // Both losses first: a validation that is stopped changes nothing.
  ValidationOutcome outcome{.last = validate(parameters_, progress), .average = {}};
  if (averaging_.began()) outcome.average = validate(*average_, progress);
  bool improved = keep_if_best(outcome.last, false);
  if (outcome.average) improved = keep_if_best(*outcome.average, true) || improved;
  rate_.validated(improved);
  position_.lr_divisor = rate_.divisor;

  std::vector<double> before;
  std::int64_t in_vain = improved ? 0 : 1;
  for (const HistoryPoint& point : record_.history) {
    if (!point.valid_nats_per_token) continue;
    before.push_back(*point.valid_nats_per_token);
    if (point.step > position_.best_step) ++in_vain;
  }
  averaging_.validated(position_.step, outcome.last.nats, before);
  position_.average_start = averaging_.start;
  stopped_early_ = plan_.patience > 0 && in_vain >= plan_.patience && position_.step < position_.steps;
  return outcome;
}

void TrainingRun::note_history(const StepOutcome& outcome, const std::optional<ValidationOutcome>& validation) {
  if (!validation && !finished() && position_.step % history_every_ != 0) return;
  const auto predictions = static_cast<double>(std::max<std::int64_t>(1, position_.predictions_since_point));
  HistoryPoint point{.step = position_.step,
                     .tokens = position_.tokens,
                     .nats_per_token = position_.nats_since_point / predictions,
                     .lr = outcome.lr,
                     .valid_nats_per_token = {}};
  if (validation) {
    point.valid_nats_per_token = validation->last.nats;
    point.valid_accuracy = validation->best_accuracy();
    if (validation->average) point.average_valid_nats_per_token = validation->average->nats;
  }
  record_.history.push_back(point);
  position_.nats_since_point = 0;
  position_.predictions_since_point = 0;
}

double TrainingRun::loss_of_sample(const Parameters& parameters) {
  constexpr std::size_t kSymbols = 256;
  constexpr std::size_t kTexts = 16;
  NetworkWeights weights(plan_.config, Purpose::kInference);
  weights.pack(parameters, workers_);
  const ReadyWeights ready{plan_.config, weights, workers_};
  if (text_.task) {
    const Examples& all = text_.task->train;
    return evaluate_task(ready, all, std::min(kTexts, all.count()), {}).nats;
  }
  const Symbols symbols{.reading = plan_.reading, .unknown = text_.tokenizer.unknown()};
  const IdView first = text_.train.view().first(std::min(kSymbols, text_.train.size()));
  std::vector<std::int32_t> room;
  return evaluate_ids(ready, first.in_memory(room), symbols, {}).nats;
}

// The last update of a file is followed by no step that would notice what it did.
void TrainingRun::check_weights(const Parameters& weights) {
  const bool finite = std::ranges::all_of(weights.all(), [](float weight) { return std::isfinite(weight); });
  if (finite && std::isfinite(loss_of_sample(weights))) return;
  throw Error(
      ErrorCode::kNumeric,
      fmt::format("step {}: the weights after it overflow, {}: training stopped, files saved before are as they "
                  "were; try a lower `run.lr` or a smaller `run.clip`",
                  position_.step, finite ? "and their loss is not a finite number" : "and are infinite or NaN"));
}

void TrainingRun::save(bool complete) {
  gather_average();
  const Parameters& last = averaging_.began() ? *average_ : parameters_;
  const bool validated = position_.best_step > 0;
  if (!validated) check_weights(last);
  if (!complete && (validated || averaging_.began())) check_weights(parameters_);
  record_.complete = complete;
  const Parameters& kept = validated ? *best_ : last;
  if (complete) calibrate_on(kept);
  if (!complete) gather_moments();
  NetworkState states = complete || text_.task ? NetworkState(plan_.config, 1) : replicas_.states();
  together(ranks_, [&] {
    if (ranks_.rank() > 0) return;
    // The resume file first: a model of an unfinished run never exists without it.
    if (!complete) {
      save_checkpoint(checkpoint_path(plan_.save), plan_.config, text_.tokenizer, record_, position_, tensors(states),
                      use());
    }
    save_model(plan_.save, kept);
    if (complete) remove_file(checkpoint_path(plan_.save));
  });
}

void TrainingRun::gather_moments() {
  const Owners& owners = replicas_.sum().owners();
  if (moments_.m) owners.gather(*moments_.m);
  if (moments_.v) owners.gather(*moments_.v);
}

// The output layer that predicts symbols served the training alone.
NetworkConfig TrainingRun::saved_config() const {
  NetworkConfig config = plan_.config;
  config.language = false;
  return config;
}

Model TrainingRun::present() const {
  Parameters weights(saved_config());
  if (plan_.config.language) {
    leave_language_out(parameters_, weights);
  } else {
    weights.copy_from(parameters_);
  }
  return Model(std::make_shared<const Model::Data>(Model::Data{.config = saved_config(),
                                                               .tokenizer = text_.tokenizer,
                                                               .training = record_,
                                                               .weights = ModelWeights(std::move(weights)),
                                                               .use = use()}));
}

void TrainingRun::save_model(const std::string& path, const Parameters& kept) const {
  if (!plan_.config.language) {
    return unroll::save_model(path, plan_.config, text_.tokenizer, record_, kept, use());
  }
  const NetworkConfig config = saved_config();
  const Parameters without(config);
  leave_language_out(kept, without);
  unroll::save_model(path, config, text_.tokenizer, record_, without, use());
}

void TrainingRun::calibrate_on(const Parameters& weights) {
  if (!text_.task || text_.task->task.kind != TaskKind::kClassify || text_.task->valid.count() == 0) return;
  NetworkWeights packed(plan_.config, Purpose::kInference);
  packed.pack(weights, workers_);
  calibrated_ = calibrate({plan_.config, packed, workers_}, text_.task->task, text_.task->valid);
}

ModelUse TrainingRun::use() const {
  if (calibrated_) return {plan_.reading.begin, calibrated_->task};
  return {plan_.reading.begin, text_.task ? text_.task->task : Task()};
}

TrainTensors TrainingRun::tensors(NetworkState& states) {
  return {.parameters = parameters_,
          .best = best_ ? &*best_ : nullptr,
          .moments = moments_,
          .state = text_.task ? nullptr : &states,
          .average = average_ ? &*average_ : nullptr};
}

}  // namespace unroll
