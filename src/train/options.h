// Options of a run: checked, completed by defaults, and told as names and values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/train.h"

namespace unroll {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

// Options with every default put in place: learning rate, embedding size, length of the run. What depends on the text
// (warm-up, batch size) is as it was. Throws Error{kUsage} naming the flag, its value and what is expected.
[[nodiscard]] TrainOptions resolve(TrainOptions options);

// The longest run: a step is 32 bits of a random counter.
inline constexpr std::int64_t kMostSteps = std::int64_t{1} << 31;

// A precision of training and why it was taken; the reason is empty where it was asked for.
struct ChosenPrecision {
  Precision precision = Precision::kF32;
  std::string reason;
};

// The precision of a run: what was asked for; else what the run that is resumed began with, whose `saved` options are
// given then (f32 where they name none); else what this processor does best.
[[nodiscard]] ChosenPrecision choose_precision(std::optional<Precision> asked, const NamedValues* saved);

// What decides the result, as flag names without dashes and values: all but the text itself, files, threads and the
// length of the run. Requires options.precision to be chosen. `config` stands for the flags that it came from, so that
// --from changes nothing here.
[[nodiscard]] NamedValues describe(const TrainOptions& options, const NetworkConfig& config);

// The value of that name.
[[nodiscard]] std::optional<std::string> named_value(const NamedValues& values, std::string_view name);

// What describe() leaves out, or left out in earlier versions, and the value that is meant then.
[[nodiscard]] NamedValues meant_where_unnamed();

// The length as it was asked for: "epochs 10", "steps 500", "minutes 2".
[[nodiscard]] std::string describe_length(const TrainOptions& options);

// Steps of linear warm-up in a run of `steps`.
[[nodiscard]] std::int64_t warmup_steps(const TrainOptions& options, std::int64_t steps);

}  // namespace unroll
