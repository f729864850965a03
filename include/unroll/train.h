// Training a language model from text files to one model file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"
#include "unroll/regularization.h"
#include "unroll/state_policy.h"

namespace unroll {

enum class Optimizer { kSgd, kAdam };
enum class Schedule { kConstant, kCosine, kLinear, kPlateau, kStep };
enum class Average { kNone, kEma, kTriggered };
enum class Init { kUniform, kIdentity };
enum class Softmax { kFull, kAdaptive, kSampled };

[[nodiscard]] std::string_view optimizer_name(Optimizer optimizer) noexcept;  // "sgd", "adam"
[[nodiscard]] Optimizer parse_optimizer(std::string_view name);               // throws Error{kUsage}
[[nodiscard]] std::string_view schedule_name(Schedule schedule) noexcept;     // "constant", "cosine", ...
[[nodiscard]] Schedule parse_schedule(std::string_view name);                 // throws Error{kUsage}
[[nodiscard]] std::string_view average_name(Average average) noexcept;        // "none", "ema", "triggered"
[[nodiscard]] Average parse_average(std::string_view name);                   // throws Error{kUsage}
[[nodiscard]] std::string_view softmax_name(Softmax softmax) noexcept;        // "full", "adaptive", "sampled"
[[nodiscard]] Softmax parse_softmax(std::string_view name);                   // throws Error{kUsage}
[[nodiscard]] std::string_view init_name(Init init) noexcept;                 // "uniform", "identity"
[[nodiscard]] Init parse_init(std::string_view name);                         // throws Error{kUsage}

// Everything that decides what is learned, and how the run is driven. Defaults do well on a small text.
struct TrainOptions {
  // Text.
  std::vector<std::string> texts;  // paths, read as one text; "-" is standard input
  std::string valid;               // path of a validation text; empty: split off
  double valid_split = 0.1;        // share of the text's tail that is held out; 0: none, the last weights are kept
  TokenizerOptions tokenizer;
  StatePolicy state = StatePolicy::kCarry;

  // Network.
  Cell cell = Cell::kLstm;
  std::int64_t layers = 1;
  std::int64_t hidden = 256;
  std::int64_t embed = 0;  // 0: as hidden
  bool tied = false;
  bool residual = false;
  // kSampled: the network of kFull, trained on a sampled estimate of its loss; validation is exact.
  Softmax softmax = Softmax::kFull;
  std::vector<std::int64_t> cutoffs = {};  // of the adaptive softmax, see NetworkConfig; empty: default_cutoffs(V)
  std::int64_t samples = 0;                // symbols that a sampled softmax draws in each step; 0: V / 10, 8192 at most
  bool layer_norm = false;
  Regularization regularization;
  Init init = Init::kUniform;  // kIdentity: rnn-relu only, W starts as the identity (Le et al. 2015)
  // Matrices start uniform in +-init_range; 0: +-1/sqrt(H), the embedding with variance 1/E unless tied.
  double init_range = 0;

  // Run.
  std::int64_t batch_size = 16;  // B: rows that run side by side
  std::int64_t bptt = 64;        // T: steps that a gradient goes back
  // J: windows are cut up to so many steps earlier or later, anew in each epoch; 2 J < T. The rate of a step is then
  // multiplied by its window's length / T.
  std::int64_t bptt_jitter = 0;
  Optimizer optimizer = Optimizer::kAdam;
  double momentum = 0;      // of SGD: v = momentum v + g, w -= lr v; from 0 to below 1
  double beta2 = 0.999;     // of Adam: how slowly its mean of squares moves; from 0 to below 1
  double weight_decay = 0;  // w -= lr weight_decay w, apart from the gradient; matrices only, no biases and no gains
  double lr = 0;            // 0: 0.004 for Adam, 1 for SGD
  Schedule schedule = Schedule::kCosine;
  std::optional<std::int64_t> decay_after;  // kStep: the first epochs, at the full rate; must be given
  std::optional<double> decay;              // kStep: each later epoch divides the rate by this; none: 2
  std::int64_t warmup = -1;  // steps of linear warm-up; -1: a twentieth of the run, 100 at most, none for SGD
  double clip = 1;           // gradients are scaled down to this norm; 0: never
  // A second copy of the weights, validated beside the last ones; the best of all becomes the model. Without
  // validation, kEma's average does. kEma: moving average. kTriggered: mean since the first validation that was worse
  // than the best of those more than `nonmono` validations before it (Merity et al. 2018).
  Average average = Average::kNone;
  double ema_decay = 0.999;            // kEma: what it keeps of itself at each step; above 0, below 1
  std::int64_t nonmono = 5;            // kTriggered
  std::int64_t validate_every = 0;     // steps; 0: after each epoch, but ten times in a run and at a tenth of its cost
  std::int64_t patience = 0;           // > 0: the run ends after so many validations in a row without a new best
  std::optional<std::int64_t> epochs;  // one of these three; none: 10 epochs
  std::optional<std::int64_t> steps;
  std::optional<double> minutes;  // wall time from start to exit; turned into steps after a short measurement
  // Of the products; what is learned is f32 always, and validation is computed in f32. Empty: bf16 where the processor
  // multiplies it natively, else f32, and for a run that is resumed what it began with. kInt8 is refused.
  std::optional<Precision> precision;
  std::uint64_t seed = 1;
  int threads = 0;  // 0: as many as there are cores; changes no bit of the result

  // Files.
  std::string save;             // the model file
  std::int64_t save_every = 0;  // steps; 0: about every 30 s, fixed at the start
  bool resume = false;          // go on from save + ".resume" if it is there
  bool overwrite = false;       // replace an existing model
  // Start from this model's weights, with its network and tokenizer instead of those above; empty: from random
  // weights.
  std::string from;
};

// One line of a plan: what takes memory, and how much.
struct MemoryItem {
  std::string name;
  std::int64_t bytes = 0;
};

// What a run is going to be, told before its first step.
struct TrainPlan {
  NetworkConfig config;
  std::int64_t samples = 0;  // of a sampled softmax; 0: the training loss is exact
  Precision precision = Precision::kF32;
  std::string precision_reason;  // why, where nobody asked for it: "this processor multiplies bf16"; else empty
  std::int64_t parameters = 0;
  std::vector<MemoryItem> memory = {};
  std::int64_t memory_bytes = 0;  // sum of `memory`
  double flops_per_token = 0;     // 6 per multiplied weight
  double uniform_nats = 0;        // ln V: the loss of a uniform guess
  std::int64_t train_tokens = 0;  // predictions in one epoch
  std::int64_t valid_tokens = 0;  // 0: no validation
  std::int64_t batch_size = 0;    // may be smaller than asked for where the text is short
  std::int64_t bptt = 0;
  std::int64_t bptt_jitter = 0;
  std::int64_t steps = 0;  // of the whole run
  std::int64_t steps_per_epoch = 0;
  std::int64_t validate_every = 0;  // steps
  std::int64_t save_every = 0;      // steps
  std::int64_t first_step = 0;      // > 0: resumed after this many
  double seconds_per_step = 0;      // measured; 0: unknown (not measured yet)
  int threads = 0;
};

// One step, or one validation.
struct StepReport {
  std::int64_t step = 0;    // counted from 1
  std::int64_t tokens = 0;  // predictions trained on so far
  double nats_per_token = 0;
  double lr = 0;
  double grad_norm = 0;                                     // before clipping
  double tokens_per_s = 0;                                  // of this step
  std::optional<double> valid_nats_per_token = {};          // of the last weights
  std::optional<double> average_valid_nats_per_token = {};  // of the averaged ones
};

// What the trainer tells while it runs. Empty functions are not called. Called from the thread that called train().
struct TrainObserver {
  // A sentence worth a line: "batch size 16 -> 4: the text has 9 tokens, ...".
  std::function<void(std::string_view)> on_note = {};
  std::function<void(const TrainPlan&)> on_plan = {};   // once, before the first step
  std::function<void(const StepReport&)> on_step = {};  // after each step, before a save of that step
  std::function<void(std::int64_t done, std::int64_t total)> on_validation = {};  // while validating: predictions
  std::function<void(std::int64_t step)> on_save = {};  // after files of that step are safe on disk
  std::function<bool()> stop_requested = {};            // asked after each step; true: save, return as interrupted
};

struct TrainResult {
  bool already_complete = false;  // resumed a finished run: nothing was done
  bool interrupted = false;       // stop_requested said so; files are saved, --resume goes on
  bool stopped_early = false;     // options.patience said so; the run is complete
  std::int64_t steps = 0;         // made so far, resumed ones included
  std::int64_t tokens = 0;
  double nats_per_token = 0;  // mean training loss of the last steps
  std::optional<double> best_valid_nats_per_token = {};
  std::int64_t best_step = 0;    // the step whose weights are in the model file
  bool best_is_average = false;  // they are the average as of that step
  double seconds = 0;            // of this call
};

// Trains until the asked number of steps is done, keeping the best model on validation in options.save.
//
// Same text, options, seed and instruction set give the same file, bit for bit, whatever the number of threads, and
// whether or not the run was killed and resumed on the way. While it runs, save + ".resume" holds all that is needed
// to go on; it is removed at the end. Files are replaced as a whole or not at all. A lock on save + ".lock" keeps other
// processes from training to the same path.
// Throws Error; files saved before stay as they are.
TrainResult train(const TrainOptions& options, const TrainObserver& observer = {});

}  // namespace unroll
