// The settings that a search may try.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "unroll/auto_train.h"

namespace unroll {

// One number that may vary; choice 0 leaves the options as they are.
struct SettingAxis {
  std::string_view name;  // of its first field
  std::int64_t choices = 1;
  void (*set)(TrainOptions& options, std::int64_t choice) = nullptr;  // choice > 0
};

// A choice on each axis.
using Setting = std::vector<std::int64_t>;

// The axes that the task and its input have, without those that are fixed or given by a model to start from.
[[nodiscard]] std::vector<SettingAxis> setting_axes(const AutoTrainOptions& options);

// The options with a setting in place.
[[nodiscard]] TrainOptions with_choices(TrainOptions options, const std::vector<SettingAxis>& axes,
                                        const Setting& setting);

// Settings, each once: all that differ in one choice from the given options, then random ones. The given options
// themselves are not among them.
class SettingSource {
 public:
  SettingSource(const std::vector<SettingAxis>& axes, std::uint64_t seed);

  // The next one; none: there is no other.
  [[nodiscard]] std::optional<Setting> next();

 private:
  [[nodiscard]] std::optional<Setting> drawn();

  const std::vector<SettingAxis>& axes_;
  std::uint64_t seed_;
  std::vector<Setting> single_ = {};  // in reverse
  std::set<Setting> seen_ = {};
  std::uint32_t draws_ = 0;
};

}  // namespace unroll
