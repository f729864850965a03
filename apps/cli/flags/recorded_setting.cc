#include "cli/flags/recorded_setting.h"

#include <charconv>

#include "cli/flags/field_flags.h"
#include "unroll/train_options.h"

namespace unroll {

std::string shown_setting(std::string_view name, const std::string& value) {
  if (value.empty()) return "\"\"";
  double number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure != std::errc() || end != value.data() + value.size()) return value;
  std::string shown = value;
  const TrainOptions defaults;
  for_each_option(defaults, [&](const TrainOption& option, const auto&) {
    if (option.name != name || !option.automatic || *option.automatic != number) return;
    shown = option.unset.empty() ? "auto" : with_flags(option.unset);
  });
  return shown;
}

}  // namespace unroll
