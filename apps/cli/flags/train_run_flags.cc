#include <fmt/core.h>

#include <array>
#include <limits>
#include <optional>
#include <string>

#include "cli/flags/flags.h"
#include "cli/flags/train_flags.h"
#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void add_length_flags(Flags* flags, TrainOptions* options) {
  flags->whole({"--epochs", "N", "train for N passes over the text", "10 without --steps and --minutes"},
               {1, kLargestCount}, [options](std::int64_t n) { options->epochs = n; });
  flags->whole({"--steps", "N", "train for N updates", ""}, {1, kLargestCount},
               [options](std::int64_t n) { options->steps = n; });
  flags->real(
      {"--minutes", "X",
       "train for X minutes from start to exit; a short measurement turns them into steps, which are printed and "
       "stored, so that --steps repeats the run",
       ""},
      {.least = 0, .most = 1e6, .with_least = false}, [options](double x) { options->minutes = x; });
  flags->exclusive({"--epochs", "--steps", "--minutes"});
}

// Two flags name an average, --optimizer asgd and --average.
void set_average(Average average, TrainOptions* options) {
  if (options->average != Average::kNone && options->average != average) {
    throw Error(ErrorCode::kUsage, "--optimizer asgd means --average triggered: leave one of them out");
  }
  options->average = average;
}

void add_optimizer_flags(Flags* flags, TrainOptions* options) {
  flags->text({"--optimizer", "NAME", "sgd, adam, or asgd (sgd with --average triggered)",
               std::string(optimizer_name(options->optimizer))},
              [options](const std::string& value) {
                constexpr std::array kOptimizers{Optimizer::kSgd, Optimizer::kAdam, Optimizer::kSgd};
                options->optimizer = kOptimizers.at(parse_choice(value, {"sgd", "adam", "asgd"}));
                if (value == "asgd") set_average(Average::kTriggered, options);
              });
  flags->real({"--momentum", "M", "sgd: share of the last update's direction that is kept",
               fmt::format("{}", options->momentum)},
              {.least = 0, .most = 1, .with_most = false}, [options](double m) { options->momentum = m; });
  flags->real({"--beta2", "B", "adam: share of the mean of squares that is kept", fmt::format("{}", options->beta2)},
              {.least = 0, .most = 1, .with_most = false}, [options](double b) { options->beta2 = b; });
  flags->belongs_to("--optimizer", {"--momentum", "--beta2"});
  flags->real({"--weight-decay,--wdecay", "W", "at each step, matrices lose this share times the learning rate",
               fmt::format("{}", options->weight_decay)},
              {.least = 0, .most = kInfinity}, [options](double w) { options->weight_decay = w; });
  flags->real({"--lr", "X", "learning rate", "0.004 for adam, 1 for sgd"},
              {.least = 0, .most = kInfinity, .with_least = false}, [options](double x) { options->lr = x; });
}

void add_schedule_flags(Flags* flags, TrainOptions* options) {
  flags->text({"--schedule", "NAME",
               "constant, cosine (falls along half a wave), linear (falls to 0), plateau (falls when validation stops "
               "improving), or step (falls after each epoch beyond --decay-after)",
               std::string(schedule_name(options->schedule))},
              [options](const std::string& value) { options->schedule = parse_schedule(value); });
  flags->whole({"--decay-after", "N", "step: epochs at the full rate", ""}, {1, kLargestCount},
               [options](std::int64_t n) { options->decay_after = n; });
  flags->real({"--decay", "F", "step: each epoch after those divides the rate by F", "2"},
              {.least = 1, .most = kInfinity, .with_least = false}, [options](double f) { options->decay = f; });
  flags->belongs_to("--schedule", {"--decay-after", "--decay"});
  flags->whole({"--warmup", "N", "steps in which the learning rate rises from 0",
                "a twentieth of the run, 100 at most; 0 for sgd"},
               {0, kLargestCount}, [options](std::int64_t n) { options->warmup = n; });
  flags->real({"--clip", "X", "scale gradients down to this norm; 0: never", fmt::format("{}", options->clip)},
              {.least = 0, .most = kInfinity}, [options](double x) { options->clip = x; });
}

void add_validation_flags(Flags* flags, TrainOptions* options) {
  flags->whole({"--validate-every", "N", "validate every N steps", "after each epoch, but ten times in a run"},
               {1, kLargestCount}, [options](std::int64_t n) { options->validate_every = n; });
  flags->whole({"--patience", "N", "end the run after N validations without a new best", ""}, {1, kLargestCount},
               [options](std::int64_t n) { options->patience = n; });
  flags->text({"--average", "HOW",
               "validate averaged weights beside the last ones, and keep the best of all. none; ema: a moving average; "
               "triggered: the mean since validation stopped improving",
               std::string(average_name(options->average))},
              [options](const std::string& value) { set_average(parse_average(value), options); });
  flags->real(
      {"--ema-decay", "D", "ema: what the average keeps of itself at each step", fmt::format("{}", options->ema_decay)},
      {.least = 0, .most = 1, .with_least = false, .with_most = false},
      [options](double d) { options->ema_decay = d; });
  flags->whole({"--nonmono", "N", "triggered: begins when validation is worse than the best of more than N before",
                std::to_string(options->nonmono)},
               {1, kLargestCount}, [options](std::int64_t n) { options->nonmono = n; });
  flags->belongs_to("--average", {"--ema-decay", "--nonmono"});
}

}  // namespace

void add_run_flags(Flags* flags, TrainOptions* options) {
  flags->heading("Run");
  flags->whole({"--batch-size", "N", "rows of text that run side by side", std::to_string(options->batch_size)},
               {1, kLargestWindow}, [options](std::int64_t n) { options->batch_size = n; });
  flags->whole({"--bptt,--seq-length", "N", "steps that gradients go back in time", std::to_string(options->bptt)},
               {1, kLargestWindow}, [options](std::int64_t n) { options->bptt = n; });
  flags->whole({"--bptt-jitter", "J", "cut the text up to J steps earlier or later, anew in each epoch",
                std::to_string(options->bptt_jitter)},
               {0, kLargestWindow}, [options](std::int64_t n) { options->bptt_jitter = n; });
  add_optimizer_flags(flags, options);
  add_schedule_flags(flags, options);
  add_length_flags(flags, options);
  add_validation_flags(flags, options);
  flags->text(
      {"--precision", "P",
       "numbers that products multiply: f32, or bf16 (about twice as fast on processors that have it; sums, "
       "weights and the saved model stay f32); auto: bf16 where the processor has it",
       "auto"},
      [options](const std::string& value) {
        constexpr std::array<std::optional<Precision>, 3> kChoices{std::nullopt, Precision::kF32, Precision::kBf16};
        options->precision = kChoices.at(parse_choice(value, {"auto", "f32", "bf16"}));
      });
  flags->seed(&options->seed);
  flags->whole({"--threads,-t", "N", "threads; any number gives the same model", "all cores"}, {1, 1024},
               [options](std::int64_t n) { options->threads = static_cast<int>(n); });
}

}  // namespace unroll
