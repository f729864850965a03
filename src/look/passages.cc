#include "unroll/look/passages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <span>
#include <string>

#include "look/unrolled_data.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void expect_selection(const UnrolledText& text, const TextSelection& selection) {
  const auto refuse = [](const std::string& what, const char* field) { throw Error(ErrorCode::kUsage, what, field); };
  if (selection.from < 0 || selection.from >= text.steps()) {
    refuse(fmt::format("`from` is {}: expected 0 to {}, the last step of the text that was read", selection.from,
                       text.steps() - 1),
           "from");
  }
  if (selection.to < selection.from || selection.to >= text.steps()) {
    refuse(fmt::format("`to` is {}: expected {} to {}, the last step of the text that was read", selection.to,
                       selection.from, text.steps() - 1),
           "to");
  }
  if (selection.from == 0 && selection.to == text.steps() - 1) {
    refuse("`to` leaves nothing beside the selection, which is the whole text that was read", "to");
  }
}

double number_at(const UnrolledText& text, std::int64_t l, bool of_cell_state, std::int64_t unit, std::int64_t t) {
  const std::span<const float> state = of_cell_state ? text.c(l, t) : text.h(l, t);
  return static_cast<double>(state[static_cast<std::size_t>(unit)]);
}

double deviation_of(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

// Whether `values`, or with the sign turned their opposites, are higher in the selection than beside it.
void judge_side(const std::vector<double>& values, const TextSelection& selection, double sign, SelectedUnit& unit) {
  double inside = std::numeric_limits<double>::infinity();
  for (std::int64_t t = selection.from; t <= selection.to; ++t) {
    inside = std::min(inside, sign * values[static_cast<std::size_t>(t)]);
  }
  double beside = -std::numeric_limits<double>::infinity();
  for (const std::int64_t t : {selection.from - 1, selection.to + 1}) {
    if (t >= 0 && t < std::ssize(values)) beside = std::max(beside, sign * values[static_cast<std::size_t>(t)]);
  }
  if (!(inside > beside)) return;
  unit.above = sign > 0;
  unit.threshold = sign * (inside + beside) / 2;
  unit.margin = (inside - beside) / deviation_of(values);
}

bool is_on(const UnrolledText& text, const SelectedUnit& unit, std::int64_t t) {
  const double number = number_at(text, unit.layer, unit.of_cell_state, unit.unit, t);
  return unit.above ? number > unit.threshold : number < unit.threshold;
}

// Runs of free steps at which at least `fewest` units are on, the length closest to `length` first.
std::vector<Passage> runs_with(const std::vector<std::int64_t>& on, const std::vector<char>& taken, std::int64_t fewest,
                               std::int64_t length) {
  std::vector<Passage> runs;
  const auto fits = [&](std::int64_t t) {
    return t < std::ssize(on) && taken[static_cast<std::size_t>(t)] == 0 && on[static_cast<std::size_t>(t)] >= fewest;
  };
  for (std::int64_t t = 0; t < std::ssize(on); ++t) {
    if (!fits(t)) continue;
    Passage run{.from = t, .to = t, .units = fewest};
    while (fits(run.to + 1)) ++run.to;
    runs.push_back(run);
    t = run.to;
  }
  std::ranges::stable_sort(runs, {}, [&](const Passage& run) { return std::abs(run.to - run.from + 1 - length); });
  return runs;
}

}  // namespace

std::string read_in(const UnrolledText& text, const TextSelection& selection) {
  const Tokenizer& tokenizer = text.model().tokenizer();
  std::string read;
  if (!text.predicts()) {
    for (std::int64_t t = selection.from; t <= selection.to; ++t) {
      const std::string& bytes = text.data().labels.bytes[static_cast<std::size_t>(t)];
      read += t == selection.from && bytes != "\n" ? bytes.substr(bytes.find_first_not_of(" \n")) : bytes;
    }
    return read;
  }
  for (std::int64_t t = selection.from; t <= selection.to; ++t) {
    if (text.input(t) < 0) continue;
    read += tokenizer.written(t == selection.from ? -1 : text.input(t - 1), text.input(t));
  }
  return read;
}

std::vector<SelectedUnit> units_of_selection(const UnrolledText& text, const TextSelection& selection,
                                             std::int64_t count, std::optional<std::int64_t> layer) {
  expect_selection(text, selection);
  const NetworkConfig& config = text.model().config();
  if (layer && (*layer < 0 || *layer >= text.layers())) {
    throw Error(ErrorCode::kUsage, fmt::format("`layer` is {}: expected 0 to {}", *layer, text.layers() - 1), "layer");
  }
  std::vector<SelectedUnit> all;
  std::vector<double> values(static_cast<std::size_t>(text.steps()));
  for (std::int64_t l = layer.value_or(0); l < (layer ? *layer + 1 : text.layers()); ++l) {
    for (const bool of_cell_state : {false, true}) {
      if (of_cell_state && !has_cell_state(config.cell)) continue;
      for (std::int64_t unit = 0; unit < config.hidden; ++unit) {
        for (std::int64_t t = 0; t < text.steps(); ++t) {
          values[static_cast<std::size_t>(t)] = number_at(text, l, of_cell_state, unit, t);
        }
        SelectedUnit one{.layer = l, .of_cell_state = of_cell_state, .unit = unit};
        judge_side(values, selection, 1, one);
        judge_side(values, selection, -1, one);
        if (one.margin > 0) all.push_back(one);
      }
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &SelectedUnit::margin);
  all.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, std::ssize(all))));
  return all;
}

bool holds_together(const SelectedUnit& unit) noexcept {
  constexpr double kLeastMargin = 0.5;
  return unit.margin >= kLeastMargin;
}

std::vector<Passage> passages_alike(const UnrolledText& text, const TextSelection& selection,
                                    const std::vector<SelectedUnit>& units, std::int64_t count) {
  expect_selection(text, selection);
  std::vector<SelectedUnit> holding;
  std::ranges::copy_if(units, std::back_inserter(holding), holds_together);
  const auto steps = static_cast<std::size_t>(text.steps());
  std::vector<std::int64_t> on(steps);
  std::vector<char> taken(steps);
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    for (const SelectedUnit& unit : holding) on[static_cast<std::size_t>(t)] += is_on(text, unit, t) ? 1 : 0;
    if (t >= selection.from && t <= selection.to) taken[static_cast<std::size_t>(t)] = 1;
  }
  std::vector<Passage> passages;
  const std::int64_t half = std::max<std::int64_t>(1, (std::ssize(holding) + 1) / 2);
  for (std::int64_t fewest = std::ssize(holding); fewest >= half; --fewest) {
    for (const Passage& run : runs_with(on, taken, fewest, selection.to - selection.from + 1)) {
      if (std::ssize(passages) >= count) return passages;
      passages.push_back(run);
      // What stands next to it would be the same passage with fewer units.
      for (std::int64_t t = std::max<std::int64_t>(0, run.from - 1); t <= std::min(run.to + 1, text.steps() - 1); ++t) {
        taken[static_cast<std::size_t>(t)] = 1;
      }
    }
  }
  return passages;
}

}  // namespace unroll
