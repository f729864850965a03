#include "draw/asked_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kMostUnits = 16;

}  // namespace

std::vector<double> spread_of(const UnrolledText& text, std::int64_t layer, const StepRange& steps) {
  const auto H = static_cast<std::size_t>(text.model().config().hidden);
  std::vector<double> sums(H);
  std::vector<double> squares(H);
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
    const std::span<const float> h = text.h(layer, t);
    for (std::size_t j = 0; j < H; ++j) {
      sums[j] += static_cast<double>(h[j]);
      squares[j] += static_cast<double>(h[j]) * static_cast<double>(h[j]);
    }
  }
  const auto n = static_cast<double>(steps.count);
  for (std::size_t j = 0; j < H; ++j) squares[j] -= steps.count > 1 ? sums[j] * sums[j] / n : 0;
  return squares;
}

StepRange shown_steps(const PictureRequest& request, const UnrolledText& text, std::int64_t most, std::int64_t until) {
  StepRange steps{.count = std::min(text.steps(), most)};
  const std::int64_t wanted = request.options.from.value_or(until - steps.count + 1);
  steps.first = std::clamp<std::int64_t>(wanted, 0, text.steps() - steps.count);
  return steps;
}

std::string beyond_text(const PictureRequest& request, const UnrolledText& text) {
  const std::int64_t from = request.options.from.value_or(0);
  if (from < text.steps()) return {};
  return fmt::format("; step {} is beyond the text, which ends with step {}", from, text.steps() - 1);
}

std::int64_t asked_layer(const PictureRequest& request, const UnrolledText& text) {
  const std::int64_t last = text.layers() - 1;
  const std::int64_t layer = request.options.layer.value_or(last);
  if (layer <= last) return layer;
  throw Error(ErrorCode::kUsage,
              fmt::format("`layer` is {}: the network has the layers 0 to {}{}", layer, last,
                          directions(text.model().config()) > 1 ? ", each direction by itself" : ""),
              "layer");
}

void check_unit(const UnrolledText& text, std::int64_t unit, const char* field) {
  const std::int64_t H = text.model().config().hidden;
  if (unit < H) return;
  throw Error(ErrorCode::kUsage, fmt::format("`{}` has {}: a layer has the units 0 to {}", field, unit, H - 1), field);
}

std::vector<std::int64_t> asked_units(const PictureRequest& request, const UnrolledText& text, std::int64_t layer,
                                      const StepRange& steps, std::int64_t count) {
  std::vector<std::int64_t> units = request.options.units;
  if (units.size() > kMostUnits) {
    throw Error(ErrorCode::kUsage, fmt::format("`units` has {}: expected at most {}", units.size(), kMostUnits),
                "units");
  }
  for (const std::int64_t unit : units) check_unit(text, unit, "units");
  if (!units.empty()) return units;
  const std::vector<double> spread = spread_of(text, layer, steps);
  for (std::int64_t j = 0; j < std::ssize(spread); ++j) units.push_back(j);
  std::ranges::stable_sort(units, [&](std::int64_t a, std::int64_t b) {
    return spread[static_cast<std::size_t>(a)] > spread[static_cast<std::size_t>(b)];
  });
  units.resize(static_cast<std::size_t>(std::min(count, std::ssize(spread))));
  std::ranges::sort(units);
  return units;
}

}  // namespace unroll
