// One option of a training run, described.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "unroll/number_range.h"

namespace unroll {

// Whether a model file records an option. Records of earlier versions lack the later options, whose default they mean.
enum class Recorded { kNever, kAlways, kUnlessDefault };

struct TrainOption {
  std::string_view field;  // its path in TrainOptions, as errors name it: "run.batch_size"
  std::string_view name;   // in model files, recipes and on command lines: "batch-size"
  std::string_view help;   // what it does; names other fields between backticks
  std::string_view unset =
      {};  // what holds while it has its default, where that does not say it: "as `network.hidden`"
  NumberRange range = {};
  std::optional<double> automatic = {};  // a value out of range that leaves the choice to the trainer; its default
  Recorded recorded = Recorded::kNever;
  bool from_model = false;  // with files.from, that model's is taken instead
  // The option is for one value of another option alone: {"run.optimizer", "sgd"}. Elsewhere it must have its default.
  std::pair<std::string_view, std::string_view> only_with = {};
};

// Ranges that several options share.
inline constexpr NumberRange kSizeRange{.least = 1, .most = 1 << 24};
inline constexpr NumberRange kWindowRange{.least = 1, .most = 1 << 16};
inline constexpr NumberRange kCountRange{.least = 1, .most = 2147483648.0};
inline constexpr NumberRange kShareRange{.least = 0, .most = 1, .with_most = false};
inline constexpr NumberRange kPositiveRange{
    .least = 0, .most = std::numeric_limits<double>::max(), .with_least = false};
inline constexpr NumberRange kFactorRange{.least = 0, .most = std::numeric_limits<double>::max()};

}  // namespace unroll
