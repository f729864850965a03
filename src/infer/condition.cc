#include "infer/condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {

std::optional<std::int32_t> condition_of(const Model& model, const std::string& label, std::string_view field) {
  const bool conditional = model.config().conditions > 0;
  if (!conditional && label.empty()) return std::nullopt;
  const auto refuse_label = [&](const std::string& what) { throw Error(ErrorCode::kUsage, what, std::string(field)); };
  if (!conditional) {
    refuse_label(fmt::format("`{}` is {}, and the model knows no labels: train one with `task.kind` conditional", field,
                             quote(label)));
  }
  const std::vector<std::string>& labels = model.task().labels;
  const auto found = std::ranges::find(labels, label);
  if (found == labels.end()) {
    constexpr std::size_t kMostNamed = 40;
    const std::size_t named = std::min(kMostNamed, labels.size());
    refuse_label(fmt::format("`{}` is {}: expected a label of the model: {}{}", field,
                             label.empty() ? "missing" : quote(label),
                             fmt::join(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                             named < labels.size() ? ", ..." : ""));
  }
  return static_cast<std::int32_t>(found - labels.begin());
}

void begin_with(std::optional<std::int32_t> condition, Window& window) {
  window.conditions.clear();
  if (!condition) return;
  window.conditions.assign(static_cast<std::size_t>(window.B), *condition);
  if (!window.reset.empty()) std::fill_n(window.reset.begin(), window.B, std::uint8_t{0});
}

void set_condition(const NetworkConfig& config, const NetworkWeights& weights, std::int32_t condition, State& state) {
  const auto H = static_cast<std::ptrdiff_t>(config.hidden);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const ConditionParams<const float>& level = weights.conditions()[static_cast<std::size_t>(l)];
    std::copy_n(level.h.begin() + condition * H, H, state.h.begin() + l * H);
    if (!state.c.empty()) std::copy_n(level.c.begin() + condition * H, H, state.c.begin() + l * H);
  }
}

}  // namespace unroll
