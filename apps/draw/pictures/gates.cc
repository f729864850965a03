#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/chart.h"
#include "draw/heat_rows.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/cell.h"
#include "unroll/error.h"
#include "unroll/look/dynamics.h"

namespace unroll {
namespace {

constexpr std::int64_t kGateLags = 40;
constexpr double kGatesPage = 860;

// How much of its state each unit keeps in a step, by its gates: f of an LSTM, z of a GRU.
std::vector<double> kept_shares(const UnrolledText& text, std::int64_t layer, std::int64_t t) {
  const Cell cell = text.model().config().cell;
  const auto H = static_cast<std::size_t>(text.model().config().hidden);
  const std::vector<float> gates = text.gates(layer, t);
  std::vector<double> shares(H);
  for (std::size_t j = 0; j < H; ++j) {
    const auto gate = [&](char letter) { return static_cast<double>(gates[gate_letters(cell).find(letter) * H + j]); };
    switch (cell) {
      case Cell::kLstm:
        shares[j] = gate('f');
        break;
      case Cell::kGru:
      case Cell::kGruResetBefore:
        shares[j] = gate('z');
        break;
      case Cell::kMinGru:
        shares[j] = 1 - gate('z');
        break;
      case Cell::kMinLstm:
        shares[j] = gate('f') / (gate('f') + gate('i'));
        break;
      case Cell::kRnnTanh:
      case Cell::kRnnRelu:
        break;
    }
  }
  return shares;
}

bool reads_backwards(const UnrolledText& text, std::int64_t layer) {
  return directions(text.model().config()) > 1 && layer % 2 == 1;
}

// What the gates alone would keep of a unit's state, and what is kept, by steps back.
struct KeptByLag {
  std::vector<double> gates;
  std::vector<double> measured;
};

KeptByLag kept_by_lag(const PictureRequest& request, const UnrolledText& text, std::int64_t layer, std::int64_t unit,
                      std::int64_t at) {
  check_wanted(request);
  KeptByLag kept{.gates = {1},
                 .measured = unit_memory(text, layer, unit, at, request.options.lags.value_or(kGateLags))};
  for (std::int64_t lag = 1; lag < std::ssize(kept.measured); ++lag) {
    kept.gates.push_back(kept.gates.back() * kept_shares(text, layer,
                                                         reads_backwards(text, layer)
                                                             ? at + lag - 1
                                                             : at - lag + 1)[static_cast<std::size_t>(unit)]);
  }
  return kept;
}

// The unit that keeps most over the steps, of the half whose h varies most: a unit that is full, and says the same at
// all of them, keeps all and shows nothing.
std::int64_t keeping_unit(const UnrolledText& text, std::int64_t layer, const StepRange& steps) {
  std::vector<double> sums(static_cast<std::size_t>(text.model().config().hidden));
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
    const std::vector<double> shares = kept_shares(text, layer, t);
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += std::log(shares[j] + 1e-9);
  }
  const std::vector<double> spread = spread_of(text, layer, steps);
  std::vector<double> sorted = spread;
  const auto middle = sorted.begin() + std::ssize(sorted) / 2;
  std::ranges::nth_element(sorted, middle);
  for (std::size_t j = 0; j < sums.size(); ++j) {
    if (spread[j] < *middle) sums[j] = -std::numeric_limits<double>::infinity();
  }
  return std::ranges::max_element(sums) - sums.begin();
}

std::vector<HeatRow> gate_rows(const UnrolledText& text, std::int64_t layer, std::int64_t unit,
                               const StepRange& steps) {
  const NetworkConfig& config = text.model().config();
  const std::string_view letters = gate_letters(config.cell);
  std::vector<HeatRow> rows;
  for (std::size_t g = 0; g < letters.size(); ++g) {
    const bool signed_gate = letters[g] == 'g' || letters[g] == 'n';
    HeatRow row{.name = std::string(1, letters[g]),
                .hint = fmt::format("{} of unit {}", letters[g], unit),
                .least = signed_gate ? -1.0 : 0.0};
    for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
      row.values.push_back(
          text.gates(layer, t)[g * static_cast<std::size_t>(config.hidden) + static_cast<std::size_t>(unit)]);
    }
    rows.push_back(std::move(row));
  }
  for (const bool of_c : {true, false}) {
    if (of_c && !has_cell_state(config.cell)) continue;
    HeatRow row{.name = of_c ? "c" : "h", .hint = fmt::format("{} of unit {}", of_c ? "c" : "h", unit)};
    for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
      row.values.push_back((of_c ? text.c(layer, t) : text.h(layer, t))[static_cast<std::size_t>(unit)]);
    }
    double largest = 1;
    for (const double value : row.values) largest = std::max(largest, std::abs(value));
    row.least = -largest;
    row.most = largest;
    if (largest > 1) row.name += " " + within(largest);
    rows.push_back(std::move(row));
  }
  return rows;
}

double draw_kept(Svg& svg, const KeptByLag& kept, std::int64_t at, char state, bool backwards) {
  Plane plane{.corner = {70, 40}, .width = kGatesPage - 70 - 24, .height = 180, .counts = true};
  plane.right = std::max(1.0, static_cast<double>(kept.measured.size() - 1));
  for (const double value : kept.measured) {
    plane.top = std::max(plane.top, value);
    plane.bottom = std::min(plane.bottom, value);
  }
  draw_grid(svg, plane, fmt::format("steps {} from step {}", backwards ? "on" : "back", at),
            fmt::format("d{0}(t) / d{0}(t {1} k)", state, backwards ? "+" : "\xE2\x88\x92"));
  const auto draw = [&](const std::vector<double>& values, std::size_t i) {
    std::vector<Point> points;
    for (std::size_t k = 0; k < values.size(); ++k) points.push_back(plane.at(static_cast<double>(k), values[k]));
    draw_line(svg, points, line_class(i));
  };
  draw(kept.measured, 0);
  draw(kept.gates, 1);
  draw_legend(svg, {70, plane.edge_bottom() + 58}, 0,
              state == 'c' ? "measured, by all paths, h of then held" : "measured, by all paths");
  draw_legend(svg, {430, plane.edge_bottom() + 58}, 1, "the product of its gates alone");
  return plane.edge_bottom() + 84;
}

}  // namespace

Picture draw_gates(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request, kHeatText);
  const Cell cell = text.model().config().cell;
  if (gate_letters(cell).empty()) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("the model's cell is {}, which has no gates: expected lstm, gru, or another cell with gates",
                    cell_name(cell)));
  }
  check_at(request, text);
  const std::int64_t layer = asked_layer(request, text);
  const bool backwards = reads_backwards(text, layer);
  // A layer that reads backwards has read the whole of a text at its first step.
  const auto last = [&] { return backwards ? text.texts().back().first : asked_step(request, text); };
  const std::int64_t at = request.options.at ? *request.options.at : last();
  const StepRange steps = shown_steps(request, text, kHeatSteps, backwards ? at + kHeatSteps - 1 : at);
  const std::int64_t unit = request.options.unit ? *request.options.unit : keeping_unit(text, layer, steps);
  check_unit(text, unit, "unit");
  const KeptByLag kept = kept_by_lag(request, text, layer, unit, at);
  const std::vector<HeatRow> rows = gate_rows(text, layer, unit, steps);
  std::vector<std::string> symbols;
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) symbols.push_back(text.reads(t));

  const char state = has_cell_state(cell) ? 'c' : 'h';
  Picture picture{.title = fmt::format("The gates of unit {}", unit)};
  Svg svg;
  double y = draw_kept(svg, kept, at, state, backwards);
  draw_scale(svg, {130, y - 6}, "0 or least", "1 or most");
  y = draw_heat_rows(
      svg, symbols, rows,
      {.y = y + 20, .page = kGatesPage, .steps = steps, .at = at, .selection = asked_selection(request)});
  y = draw_heat_steps(svg, text, steps, y);
  picture.table.columns = {"t", "reads"};
  for (const HeatRow& row : rows) picture.table.columns.push_back(row.name.substr(0, 1));
  picture.table.columns.insert(picture.table.columns.end(), {"gates alone", "measured"});
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
    const auto i = static_cast<std::size_t>(t - steps.first);
    std::vector<Datum> row{t, symbols[i]};
    for (const HeatRow& one : rows) row.emplace_back(one.values[i]);
    const std::int64_t lag = backwards ? t - at : at - t;
    const bool there = lag >= 0 && lag < std::ssize(kept.measured);
    row.push_back(there ? Datum(kept.gates[static_cast<std::size_t>(lag)]) : Datum());
    row.push_back(there ? Datum(kept.measured[static_cast<std::size_t>(lag)]) : Datum());
    picture.table.rows.push_back(std::move(row));
  }
  const std::int64_t lags = std::ssize(kept.measured) - 1;
  picture.sentence =
      lags == 0
          ? fmt::format("At step {} nothing comes before of which the gates of unit {} could keep something", at, unit)
          : fmt::format(
                "Of its {} of {} before, the gates of unit {} alone would keep {}; measured by all paths, it is {}",
                state, counted(lags, "step"), unit, three_digits(kept.gates.back()),
                three_digits(kept.measured.back()));
  picture.sentence += beyond_text(request, text);
  picture.facts = {{"layer", layer},
                   {"unit", unit},
                   {"at", at},
                   {"first", steps.first},
                   {"last", steps.last()},
                   {"steps", text.steps()},
                   {"unread_steps", text.unread_steps()}};
  finish(picture, request, svg, kGatesPage, y);
  return picture;
}

}  // namespace unroll
