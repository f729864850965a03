// Options of a run: checked, completed by defaults, and described as names and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/train_options.h"

namespace unroll {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

// An option and its value as text: "0.004", "lstm", "true"; "not set" for an optional without a value.
struct DescribedOption {
  TrainOption option;
  std::string value;
};

// Every option, in the order of for_each_option().
[[nodiscard]] std::vector<DescribedOption> describe_all(const TrainOptions& options);

// `options` with every default in place that does not depend on the text: learning rate, embedding size. Throws
// Error{kUsage} naming the field, its value and what is expected.
[[nodiscard]] TrainOptions resolve(TrainOptions options);

// The length of a run where nobody asked for one; `windows` are the updates of an epoch.
[[nodiscard]] std::int64_t default_epochs(const TrainOptions& options, std::int64_t windows) noexcept;

// Decides regularization.input where it is kByTexts.
void settle_dropout(TrainOptions& options, std::size_t texts) noexcept;

// Units of the character network where nobody asked for a number: of taggers of words alone.
[[nodiscard]] std::int64_t default_characters(const TaskOptions& task) noexcept;

// What decides the result, as a model file records it: names and values of options, without files, threads and the
// length of the run. Requires options in which everything is decided: the network is the one that is trained, the
// precision is chosen.
[[nodiscard]] NamedValues recorded_options(const TrainOptions& options);

// What a record holds as the share that is held out, where the validation text has a file of its own.
inline constexpr std::string_view kFromFile = "from a file";

// The value of that name.
[[nodiscard]] std::optional<std::string> named_value(const NamedValues& values, std::string_view name);

// The values of options that a record may omit.
[[nodiscard]] NamedValues option_defaults();

}  // namespace unroll
