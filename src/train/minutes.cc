#include "train/minutes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/stopwatch.h"
#include "train/memory_plan.h"
#include "train/settings.h"

namespace unroll {
namespace {

// Measuring takes this share of the minutes, and little of long runs.
double measuring_seconds(double minutes) {
  constexpr double kShare = 0.03;
  constexpr double kMost = 1.5;
  return std::min(kMost, kShare * 60 * minutes);
}

// What is left for steps, validations and saves, `used` seconds after the start: a machine may slow down a little.
double seconds_left(double minutes, double used) {
  constexpr double kShare = 0.94;
  constexpr double kEnd = 0.2;
  return std::max(0.0, kShare * 60 * minutes - kEnd - used);
}

std::optional<MeasuredCost> measure(const RunPlan& plan, const RunInputs& inputs, double seconds,
                                    const StopQuery& stop) {
  check_memory(plan.memory);
  TrainingRun run(plan, inputs.text, inputs.from);
  return run.measure(seconds, stop);
}

double products_per_step(const RunPlan& plan) {
  return static_cast<double>(trained_products(plan)) * static_cast<double>(plan.batch_size * plan.bptt);
}

// The largest setting of which enough steps fit into `seconds`, judged by the speed of the smallest. Empty if it was to
// stop.
std::optional<TrainOptions> fitting_options(const RunInputs& inputs, double measuring, double seconds,
                                            const StopQuery& stop) {
  constexpr double kMostBytes = 4e9;
  const auto planned = [&](const TrainOptions& options) { return plan_run({options, inputs.text}, {}); };
  const std::span<const Setting> settings = settings_for(inputs.text.tokenizer.size());
  TrainOptions fitting = with_setting(inputs.options, settings.front());
  const RunPlan smallest = planned(fitting);
  const std::optional<MeasuredCost> cost = measure(smallest, inputs, measuring, stop);
  if (!cost) return std::nullopt;
  const double products_per_s = products_per_step(smallest) / cost->per_step;
  for (const Setting& setting : settings.subspan(1)) {
    const TrainOptions larger = with_setting(inputs.options, setting);
    const RunPlan plan = planned(larger);
    const double steps = products_per_s * seconds / products_per_step(plan);
    if (steps >= setting.least_steps && total_bytes(plan.memory) <= kMostBytes) fitting = larger;
  }
  return fitting;
}

void note_overrun(const MinutesPlan& plan, double seconds, double minutes, const TrainObserver& observer) {
  constexpr double kTolerance = 1.1;
  if (seconds <= kTolerance * 60 * minutes) return;
  note(observer,
       fmt::format("the run will take about {:.3g} s, more than `run.minutes` {} allow: {} step{} of {:.2g} s, "
                   "and the validation after it",
                   seconds, minutes, plan.steps, plan.steps == 1 ? "" : "s", plan.cost.per_step));
}

// Whether an option is one of a Setting's.
bool is_of_setting(std::string_view name) {
  constexpr std::array<std::string_view, 13> kNames{
      "cell",           "layers", "hidden",    "embed", "tied", "softmax", "dropout-input", "dropout-between",
      "dropout-output", "bptt",   "optimizer", "lr",    "clip"};
  return std::ranges::find(kNames, name) != kNames.end();
}

bool is_recorded(const TrainOptions& options, const NamedValues& recorded) {
  const NamedValues defaults = option_defaults();
  return std::ranges::all_of(describe_all(options), [&](const DescribedOption& described) {
    const std::string name(described.option.name);
    if (!is_of_setting(name)) return true;  // a short text may have had room for fewer rows
    return named_value(recorded, name).value_or(named_value(defaults, name).value_or("")) == described.value;
  });
}

// Sets a number that is 0, undecided, to what the record says.
void take_recorded(const NamedValues& recorded, std::string_view name, std::int64_t& value) {
  if (value != 0) return;
  const std::string text = named_value(recorded, name).value_or("0");
  std::from_chars(text.data(), text.data() + text.size(), value);
}

}  // namespace

std::optional<MinutesPlan> plan_minutes(const RunInputs& inputs, double used, const TrainObserver& observer,
                                        const StopQuery& stop) {
  const Stopwatch watch;
  const double minutes = *inputs.options.run.minutes;
  const double measuring = measuring_seconds(minutes) / (inputs.options.run.fit_to_minutes ? 2 : 1);
  MinutesPlan result{.options = inputs.options};
  if (inputs.options.run.fit_to_minutes) {
    std::optional<TrainOptions> fitting = fitting_options(inputs, measuring, seconds_left(minutes, used), stop);
    if (!fitting) return std::nullopt;
    result.options = *std::move(fitting);
  }
  const RunPlan plan = plan_run({result.options, inputs.text, inputs.from}, {});
  const std::optional<MeasuredCost> cost = measure(plan, inputs, measuring, stop);
  if (!cost || stop()) return std::nullopt;
  result.cost = *cost;
  const std::int64_t save_every = save_interval(plan.save_every, result.cost);
  const Pace pace = pace_within(plan.epoch, result.cost, save_every, seconds_left(minutes, used + watch.seconds()));
  result.steps = pace.steps;
  result.options.run.validate_every = pace.validate_every;
  if (pace.valid_tokens < plan.epoch.valid_tokens) result.options.text.valid_tokens = pace.valid_tokens;
  note_overrun(result, used + watch.seconds() + seconds_of(pace, result.cost, save_every), minutes, observer);
  return result;
}

TrainOptions as_begun(TrainOptions asked, const NamedValues& recorded) {
  if (!asked.run.minutes) return asked;
  if (asked.run.fit_to_minutes) {
    std::int64_t V = 0;
    take_recorded(recorded, "vocabulary", V);
    for (const Setting& setting : settings_for(V)) {
      TrainOptions options = with_setting(asked, setting);
      if (!is_recorded(options, recorded)) continue;
      asked = std::move(options);
      break;
    }
  }
  take_recorded(recorded, "validate-every", asked.run.validate_every);
  take_recorded(recorded, "valid-tokens", asked.text.valid_tokens);
  return asked;
}

NamedValues decided_options(const TrainOptions& asked, const RunPlan& plan, const TrainOptions& decided,
                            std::int64_t steps) {
  NamedValues values;
  const std::vector<DescribedOption> before = describe_all(asked);
  std::size_t i = 0;
  for (auto& [option, value] : describe_all(decided)) {
    const bool chosen = asked.run.fit_to_minutes && (is_of_setting(option.name) || option.name == "batch-size");
    const bool is_off = value == "false" || value == "0";
    if (value != before[i++].value || (chosen && !is_off)) values.emplace_back(option.name, std::move(value));
  }
  if (!asked.run.precision) values.emplace_back("precision", precision_name(plan.precision));
  values.emplace_back("steps", fmt::format("{}", steps));
  return values;
}

}  // namespace unroll
