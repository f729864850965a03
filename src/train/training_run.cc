#include "train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/file.h"
#include "model/model_file.h"
#include "model/model_weights.h"
#include "train/initial_weights.h"
#include "train/options.h"
#include "unroll/error.h"

namespace unroll {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Carried state would leave the zero state to the first step of each epoch: a run shorter than that would never learn
// to begin. So each row also starts from zero at every 64th window, rows taking turns.
void start_some_rows_afresh(std::int64_t index, Window& window) {
  constexpr std::int64_t kWindows = 64;
  for (std::int64_t b = 0; b < window.B; ++b) {
    if ((index + b * kWindows / window.B) % kWindows != 0) continue;
    window.reset.resize(static_cast<std::size_t>(window.T * window.B));
    window.reset[static_cast<std::size_t>(b)] = 1;
  }
}

}  // namespace

TrainingRun::TrainingRun(const TrainOptions& options, const NetworkConfig& config, const TrainingText& text,
                         const ParametersView* start)
    : options_(options),
      config_(config),
      text_(text),
      start_(start),
      workers_(options.threads),
      batcher_(text.train, text.tokenizer.boundary(), options.state,
               equal_pieces(static_cast<std::int64_t>(text.train.size()), options.batch_size), options.bptt),
      epoch_{.windows = batcher_.windows(),
             .tokens_per_step = options.batch_size * options.bptt,
             .valid_tokens = static_cast<std::int64_t>(text.valid.size())},
      parameters_(config),
      gradients_(config, options.bptt * options.batch_size),
      moments_(update_rule(options), config),
      weights_(config, Purpose::kTraining, options.precision.value_or(Precision::kF32)),
      network_(config, Purpose::kTraining, options.bptt, options.batch_size, workers_),
      state_(config, options.batch_size),
      rate_{.schedule = options.schedule,
            .lr = options.lr,
            .warmup = 0,
            .steps = 0,
            .epoch_steps = epoch_.windows,
            .decay_after = options.decay_after.value_or(0),
            .decay = options.decay.value_or(1)} {
  if (!text.valid.empty()) best_.emplace(config);
  set_start();
}

void TrainingRun::set_start() {
  if (start_ != nullptr) {
    read_parameters(*start_, parameters_);
  } else {
    set_initial_weights(config_, options_.init, options_.seed, parameters_);
  }
  moments_.set_zero();
  state_.set_zero();
  position_ = {};
  rate_.divisor = 1;
  weights_.pack(parameters_, workers_);
}

MeasuredCost TrainingRun::measure(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kMostSteps = 200;
  constexpr std::int64_t kLeastSteps = 2;
  rate_.steps = kMostSteps;
  step();  // the first one touches all memory for the first time
  std::vector<double> durations;
  const Clock::time_point start = Clock::now();
  for (std::int64_t i = 0; i < kMostSteps; ++i) {
    const Clock::time_point before = Clock::now();
    step();
    durations.push_back(seconds_since(before));
    if (i + 1 >= kLeastSteps && seconds_since(start) > 0.7 * seconds) break;
  }
  MeasuredCost cost;
  for (const double duration : durations) cost.per_step += duration / static_cast<double>(durations.size());
  if (!text_.valid.empty()) {
    constexpr std::size_t kSample = 1 << 15;
    const std::span<const std::int32_t> sample(text_.valid.data(), std::min(kSample, text_.valid.size()));
    const Clock::time_point before = Clock::now();
    static_cast<void>(evaluate(sample, {}));
    cost.per_validation =
        seconds_since(before) * static_cast<double>(text_.valid.size()) / static_cast<double>(sample.size());
  }
  // A save writes the model, and the resume file with the present weights, the best ones and the moments.
  const auto copies = 2 + (best_ ? 1 : 0) + Moments::count(update_rule(options_));
  cost.per_save =
      2 * measure_write_seconds(options_.save, copies * static_cast<std::int64_t>(parameters_.all().size_bytes()) / 2);
  set_start();
  return cost;
}

void TrainingRun::begin(std::int64_t steps, std::int64_t save_every, const std::string& length, TrainingRecord record) {
  position_.steps = steps;
  position_.save_every = save_every;
  position_.length = length;
  record_ = std::move(record);
  fix_length();
}

void TrainingRun::fix_length() {
  constexpr std::int64_t kHistoryPoints = 100;
  rate_.steps = position_.steps;
  rate_.warmup = warmup_steps(options_, position_.steps);
  validate_every_ = validation_interval(epoch_, position_.steps);
  history_every_ = std::max<std::int64_t>(1, position_.steps / kHistoryPoints);
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  position_ = checkpoint.position();
  if (options_.save_every > 0) position_.save_every = options_.save_every;
  record_ = checkpoint.record();
  checkpoint.restore(tensors());
  rate_.divisor = position_.lr_divisor;
  fix_length();
  weights_.pack(parameters_, workers_);
}

StepOutcome TrainingRun::step() {
  const std::int64_t step = position_.step + 1;
  const DropoutKey dropout{
      .probability = config_.dropout, .seed = options_.seed, .step = static_cast<std::uint32_t>(step)};
  const std::int64_t index = position_.step % epoch_.windows;
  batcher_.window(index, window_);
  if (options_.state == StatePolicy::kCarry) start_some_rows_afresh(index, window_);
  gradients_.set_zero(workers_);
  network_.forward(weights_, window_, state_, dropout);
  StepOutcome outcome{.lr = rate_.at(step), .predictions = window_.predictions};
  outcome.nats_per_token = network_.backward(weights_, window_, dropout, gradients_);
  outcome.grad_norm = gradient_norm(workers_, gradients_);
  check_finite(outcome.nats_per_token, outcome.grad_norm);
  const bool clipped = options_.clip > 0 && outcome.grad_norm > options_.clip;
  const UpdateStep update{.scale = clipped ? options_.clip / outcome.grad_norm : 1, .rate = outcome.lr, .step = step};
  update_parameters(workers_, gradients_, update_rule(options_), update, moments_, parameters_);
  weights_.pack(parameters_, workers_);
  position_.step = step;
  position_.tokens += outcome.predictions;
  position_.nats_since_point += outcome.nats_per_token * static_cast<double>(outcome.predictions);
  position_.predictions_since_point += outcome.predictions;
  return outcome;
}

void TrainingRun::check_finite(double loss, double norm) const {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  // Not the first tensor of the file but the first on the way back: there the trouble shows first.
  std::string where = "the loss";
  for (const ParameterTensor& tensor : gradients_.tensors()) {
    const std::span<const float> values = gradients_.values(tensor);
    const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    if (bad != values.end()) where = fmt::format("the gradient of {}", tensor.name);
  }
  throw Error(
      ErrorCode::kNumeric,
      fmt::format("step {}: {} is not a finite number (loss {}): training stopped, files saved before are as they "
                  "were; try a lower --lr or a smaller --clip",
                  position_.step + 1, where, loss));
}

bool TrainingRun::validation_due() const {
  return validate_every_ > 0 && (position_.step % validate_every_ == 0 || finished());
}

// The model file is f32, so validation is too: it tells what eval will tell of that file.
IdsEvaluation TrainingRun::evaluate(std::span<const std::int32_t> ids,
                                    const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const auto run = [&](const NetworkWeights& weights) {
    return evaluate_ids(config_, weights, workers_, ids, text_.tokenizer.boundary(), text_.tokenizer.unknown(),
                        options_.state, false, progress);
  };
  if (weights_.precision() == Precision::kF32) return run(weights_);
  NetworkWeights weights(config_, Purpose::kInference);
  weights.pack(parameters_, workers_);
  return run(weights);
}

double TrainingRun::validate(const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const IdsEvaluation result = evaluate(text_.valid, progress);
  const double nats = result.nats / static_cast<double>(result.tokens);
  if (!std::isfinite(nats)) {
    throw Error(ErrorCode::kNumeric,
                fmt::format("step {}: the validation loss is not a finite number: training stopped, "
                            "files saved before are as they were; try a lower --lr",
                            position_.step));
  }
  const bool improved = position_.best_step == 0 || nats < position_.best_nats;
  if (improved) {
    position_.best_step = position_.step;
    position_.best_nats = nats;
    best_->copy_from(parameters_);
  }
  rate_.validated(improved);
  position_.lr_divisor = rate_.divisor;
  return nats;
}

void TrainingRun::note_history(const StepOutcome& outcome, std::optional<double> valid_nats_per_token) {
  if (!valid_nats_per_token && !finished() && position_.step % history_every_ != 0) return;
  record_.history.push_back(
      {.step = position_.step,
       .tokens = position_.tokens,
       .nats_per_token = position_.nats_since_point / static_cast<double>(position_.predictions_since_point),
       .lr = outcome.lr,
       .valid_nats_per_token = valid_nats_per_token});
  position_.nats_since_point = 0;
  position_.predictions_since_point = 0;
}

void TrainingRun::save(bool complete) {
  record_.complete = complete;
  save_model(options_.save, config_, text_.tokenizer, record_, position_.best_step > 0 ? *best_ : parameters_);
  if (!complete) {
    save_checkpoint(checkpoint_path(options_.save), config_, text_.tokenizer, record_, position_, tensors());
  }
}

TrainTensors TrainingRun::tensors() {
  return {.parameters = parameters_, .best = best_ ? &*best_ : nullptr, .moments = moments_, .state = state_};
}

}  // namespace unroll
