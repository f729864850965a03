#include "draw/pictures/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "draw/chart.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kPanelWidth = 380;
constexpr double kPanelHeight = 236;
constexpr double kMargin = 10;
constexpr double kLegendLine = 20;

// What one panel shows of a run: places from left to right.
struct CurvePoint {
  double step = 0;
  double value = 0;
};

struct RunCurve {
  std::vector<CurvePoint> line = {};
  std::vector<CurvePoint> least = {};  // a band behind the line
  std::vector<CurvePoint> most = {};
};

struct Panel {
  std::string_view name;
  std::string_view unit;
  RunCurve (*curve)(const RunCurves& run);
  bool logarithmic = false;
  bool from_zero = false;
  bool dots = false;
};

RunCurve training_curve(const RunCurves& run) {
  RunCurve curve;
  const std::vector<SmoothStep> smooth = smoothed(run.bins());
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    const StepBin& bin = run.bins()[i];
    curve.line.push_back({bin.middle(), smooth[i].nats});
    curve.least.push_back({bin.middle(), std::min(bin.least_nats, smooth[i].nats)});
    curve.most.push_back({bin.middle(), std::max(bin.most_nats, smooth[i].nats)});
  }
  return curve;
}

RunCurve validation_curve(const RunCurves& run) {
  RunCurve curve;
  for (const ValidationPoint& point : run.validations()) {
    curve.line.push_back({static_cast<double>(point.step), point.nats});
  }
  return curve;
}

RunCurve accuracy_curve(const RunCurves& run) {
  RunCurve curve;
  for (const ValidationPoint& point : run.validations()) {
    if (point.accuracy) curve.line.push_back({static_cast<double>(point.step), *point.accuracy});
  }
  return curve;
}

RunCurve rate_curve(const RunCurves& run) {
  RunCurve curve;
  for (const StepBin& bin : run.bins()) curve.line.push_back({static_cast<double>(bin.last), bin.lr});
  return curve;
}

RunCurve norm_curve(const RunCurves& run) {
  RunCurve curve;
  const std::vector<SmoothStep> smooth = smoothed(run.bins());
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    if (smooth[i].norm > 0) curve.line.push_back({run.bins()[i].middle(), std::log10(smooth[i].norm)});
  }
  return curve;
}

RunCurve speed_curve(const RunCurves& run) {
  RunCurve curve;
  const std::vector<SmoothStep> smooth = smoothed(run.bins());
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    if (smooth[i].tokens_per_s) curve.line.push_back({run.bins()[i].middle(), *smooth[i].tokens_per_s});
  }
  return curve;
}

constexpr std::array<Panel, 6> kPanels{
    {{.name = "Training loss", .unit = "nats", .curve = training_curve},
     {.name = "Held-out loss", .unit = "nats", .curve = validation_curve, .dots = true},
     {.name = "Held-out accuracy", .unit = "share of right answers", .curve = accuracy_curve, .dots = true},
     {.name = "Learning rate", .unit = "", .curve = rate_curve, .from_zero = true},
     {.name = "Gradient norm", .unit = "before clipping", .curve = norm_curve, .logarithmic = true},
     {.name = "Speed", .unit = "tokens per second", .curve = speed_curve, .from_zero = true}}};

// The curves of a panel, one for each run.
struct FilledPanel {
  const Panel* panel;
  std::vector<RunCurve> curves;
};

std::vector<FilledPanel> filled_panels(const std::vector<NamedRun>& runs) {
  std::vector<FilledPanel> filled;
  for (const Panel& panel : kPanels) {
    FilledPanel one{.panel = &panel, .curves = {}};
    for (const NamedRun& run : runs) one.curves.push_back(panel.curve(*run.curves));
    const auto is_empty = [](const RunCurve& curve) { return curve.line.empty(); };
    if (!std::ranges::all_of(one.curves, is_empty)) filled.push_back(std::move(one));
  }
  return filled;
}

// From the least to the most of lines, with some room; bands beyond are cut.
Plane panel_plane(const FilledPanel& filled, const std::vector<NamedRun>& runs, Point corner) {
  Plane plane{.corner = {corner.x + 58, corner.y + 40}, .width = kPanelWidth - 78, .height = kPanelHeight - 84};
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const RunCurve& curve : filled.curves) {
    for (const CurvePoint& point : curve.line) {
      least = std::min(least, point.value);
      most = std::max(most, point.value);
    }
  }
  plane.left = 0;
  plane.right = 1;
  for (const NamedRun& run : runs) {
    plane.right = std::max(plane.right, static_cast<double>(run.curves->last_step()));
  }
  if (filled.panel->from_zero) least = std::min(least, 0.0);
  const double room = most > least ? (most - least) / 20 : std::max(std::abs(most) / 10, 1e-3);
  plane.bottom = filled.panel->from_zero ? least : least - room;
  plane.top = most + room;
  return plane;
}

std::string short_number(double number, int digits) {
  const double size = std::abs(number);
  if (size >= 1e6) return fmt::format("{:.{}g}M", number / 1e6, digits);
  if (size >= 1e4) return fmt::format("{:.{}g}k", number / 1e3, digits);
  if (digits == 3) return size >= 1e3 ? with_commas(std::llround(number)) : three_digits(number);
  return fmt::format("{:.{}g}", number, digits);
}

// Logarithms of powers of ten; where these are few, of 1, 2 and 5 times these, or 1 to 9 times.
std::vector<double> logarithmic_ticks(double from, double to) {
  constexpr std::size_t kLeastTicks = 3;
  const std::array<std::vector<double>, 3> all_times{{{1}, {1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}};
  std::vector<double> ticks;
  for (const std::vector<double>& times : all_times) {
    ticks.clear();
    for (double power = std::floor(from); power <= to; ++power) {
      for (const double factor : times) {
        const double tick = power + std::log10(factor);
        if (tick >= from && tick <= to) ticks.push_back(tick);
      }
    }
    if (ticks.size() >= kLeastTicks) return ticks;
  }
  return ticks;
}

void draw_panel_grid(Svg& svg, const Panel& panel, const Plane& plane) {
  const std::vector<double> ticks =
      panel.logarithmic ? logarithmic_ticks(plane.bottom, plane.top) : round_ticks(plane.bottom, plane.top, 4);
  std::vector<double> numbers = ticks;
  if (panel.logarithmic) std::ranges::transform(ticks, numbers.begin(), [](double y) { return std::pow(10.0, y); });
  const std::vector<std::string> labels = tick_labels(numbers, short_number);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const Point left = plane.at(plane.left, ticks[i]);
    svg.line(left, {plane.edge_right(), left.y}, "grid");
    svg.text({left.x - 6, left.y + 4}, "small end", labels[i]);
  }
  std::vector<double> steps = round_ticks(plane.left, plane.right, 4);
  std::erase_if(steps, [](double x) { return x != std::round(x); });
  const std::vector<std::string> step_labels = tick_labels(steps, short_number);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    svg.text({plane.at(steps[i], plane.bottom).x, plane.edge_bottom() + 16}, "small middle", step_labels[i]);
  }
  svg.text({plane.corner.x + plane.width / 2, plane.edge_bottom() + 32}, "small middle", "steps");
}

std::vector<Point> points_of(const Plane& plane, const std::vector<CurvePoint>& curve) {
  std::vector<Point> points;
  for (const CurvePoint& point : curve) points.push_back(plane.at(point.step, point.value));
  return points;
}

void draw_curve(Svg& svg, const Plane& plane, const Panel& panel, const RunCurve& curve, std::size_t i) {
  if (curve.line.empty()) return;
  if (!curve.most.empty()) {
    std::string corners;
    std::vector<Point> edge = points_of(plane, curve.most);
    std::vector<Point> back = points_of(plane, curve.least);
    edge.insert(edge.end(), back.rbegin(), back.rend());
    for (const Point& point : edge) corners += svg_number(point.x) + "," + svg_number(point.y) + " ";
    svg.put("polygon", {{"points", corners}, {"class", "band " + band_class(i)}});
  }
  const std::vector<Point> points = points_of(plane, curve.line);
  draw_line(svg, points, line_class(i));
  constexpr std::size_t kMostDots = 40;
  if (points.size() > 1 && (!panel.dots || points.size() > kMostDots)) return;
  for (const Point& point : points) {
    svg.put("circle", {{"cx", point.x}, {"cy", point.y}, {"r", 2.5}, {"class", band_class(i)}});
  }
}

void draw_panel(Svg& svg, const FilledPanel& filled, const std::vector<NamedRun>& runs, Point corner) {
  const Plane plane = panel_plane(filled, runs, corner);
  svg.open_group("panel");
  svg.text({corner.x + 14, corner.y + 24}, "headline", filled.panel->name);
  svg.text({corner.x + kPanelWidth - 20, corner.y + 24}, "small end", filled.panel->unit);
  draw_panel_grid(svg, *filled.panel, plane);
  for (std::size_t i = 0; i < filled.curves.size(); ++i) {
    svg.open_group("run", {{"data-series", i}});
    draw_curve(svg, plane, *filled.panel, filled.curves[i], i);
    svg.close();
  }
  svg.close();
}

std::string last_words(const NamedRun& run) {
  const std::vector<ValidationPoint>& points = run.curves->validations();
  const std::string step = with_commas(run.curves->last_step());
  if (points.empty()) {
    const std::vector<SmoothStep> smooth = smoothed(run.curves->bins());
    return smooth.empty() ? "no step yet" : fmt::format("training loss {:.4f} at step {}", smooth.back().nats, step);
  }
  const auto best = std::ranges::min_element(points, {}, &ValidationPoint::nats);
  // A resumed run whose log begins with it does not know what came before.
  const std::int64_t first = run.curves->bins().empty() ? 1 : run.curves->bins().front().first;
  const std::string since = first > 1 ? fmt::format(" since step {}", with_commas(first)) : "";
  return fmt::format("best held-out loss{} {:.4f} at step {} of {}", since, best->nats, with_commas(best->step), step);
}

std::string run_name(const NamedRun& run) { return shown_symbol(run.name, 40); }

// From `top` down; returns the bottom.
double draw_run_legend(Svg& svg, const std::vector<NamedRun>& runs, double top) {
  for (std::size_t i = 0; i < runs.size(); ++i, top += kLegendLine) {
    draw_legend(svg, {14, top}, i, fmt::format("{}: {}", run_name(runs[i]), last_words(runs[i])));
  }
  return top;
}

std::string runs_sentence(const std::vector<NamedRun>& runs) {
  std::string words;
  for (const NamedRun& run : runs) {
    words += fmt::format("{}{}: {}", words.empty() ? "" : "; ", run_name(run), last_words(run));
  }
  return words;
}

// A row of the table: numbers by column, of which those of a validation stand in a row of their own step.
void fill_run(const NamedRun& run, PictureTable& table) {
  constexpr std::size_t kMostRows = 128;
  const std::vector<StepBin>& bins = run.curves->bins();
  const std::vector<SmoothStep> smooth = smoothed(bins);
  const std::size_t apart = std::max<std::size_t>(1, (bins.size() + kMostRows - 1) / kMostRows);
  auto point = run.curves->validations().begin();
  const auto end = run.curves->validations().end();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const bool is_last = i + 1 == bins.size();
    for (; point != end && (is_last || point->step < bins[i].last); ++point) {
      if (is_last && point->step >= bins[i].last) break;
      table.rows.push_back({run.name, point->step, Datum(), point->nats, Datum(), Datum(), Datum(), Datum()});
      if (point->accuracy) table.rows.back()[4] = *point->accuracy;
    }
    const bool validated = point != end && point->step == bins[i].last;
    if (!validated && !is_last && (i + 1) % apart != 0) continue;
    table.rows.push_back(
        {run.name, bins[i].last, smooth[i].nats, Datum(), Datum(), bins[i].lr, smooth[i].norm, Datum()});
    std::vector<Datum>& row = table.rows.back();
    if (smooth[i].tokens_per_s) row[7] = *smooth[i].tokens_per_s;
    if (!validated) continue;
    row[3] = point->nats;
    if (point->accuracy) row[4] = *point->accuracy;
    ++point;
  }
}

PictureTable table_of_runs(const std::vector<NamedRun>& runs) {
  PictureTable table{
      .columns = {"run", "step", "training loss", "held-out loss", "accuracy", "rate", "gradient norm", "tokens/s"}};
  for (const NamedRun& run : runs) fill_run(run, table);
  return table;
}

void expect_runs(const std::vector<NamedRun>& runs) {
  if (!runs.empty() && runs.size() <= kMostSeries) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} runs: expected 1 to {} in a picture", runs.size(), kMostSeries));
}

// Two columns of panels.
Svg drawn_sheet(const std::vector<FilledPanel>& panels, const std::vector<NamedRun>& runs) {
  Svg svg;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(svg, panels[i], runs,
               {static_cast<double>(i % 2) * kPanelWidth, static_cast<double>(i / 2) * kPanelHeight});
  }
  return svg;
}

}  // namespace

std::vector<Picture> curve_panels(const std::vector<NamedRun>& runs, bool standalone) {
  expect_runs(runs);
  std::vector<Picture> pictures;
  for (const FilledPanel& filled : filled_panels(runs)) {
    Picture picture{.title = std::string(filled.panel->name), .sentence = runs_sentence(runs)};
    Svg svg;
    draw_panel(svg, filled, runs, {0, 0});
    finish(picture, {.picture = "curves", .models = {}, .standalone = standalone}, svg, kPanelWidth, kPanelHeight);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

Picture curves_legend(const std::vector<NamedRun>& runs, bool standalone) {
  expect_runs(runs);
  Picture picture{.title = "Which line is which run", .sentence = runs_sentence(runs)};
  Svg svg;
  double y = kLegendLine;
  for (std::size_t i = 0; i < runs.size(); ++i, y += kLegendLine) draw_legend(svg, {14, y}, i, run_name(runs[i]));
  finish(picture, {.picture = "curves", .models = {}, .standalone = standalone}, svg, kPanelWidth, y);
  return picture;
}

Picture curves_picture(const std::vector<NamedRun>& runs, bool standalone) {
  expect_runs(runs);
  Picture picture{.title = runs.size() == 1 ? "A training run" : "Training runs", .sentence = runs_sentence(runs)};
  const std::vector<FilledPanel> panels = filled_panels(runs);
  Svg svg = drawn_sheet(panels, runs);
  const double bottom =
      draw_run_legend(svg, runs, static_cast<double>((panels.size() + 1) / 2) * kPanelHeight + kLegendLine);
  picture.table = table_of_runs(runs);
  for (const NamedRun& run : runs) picture.facts.emplace_back(run.name, last_words(run));
  finish(picture, {.picture = "curves", .models = {}, .standalone = standalone}, svg, 2 * kPanelWidth,
         bottom + kMargin);
  return picture;
}

}  // namespace unroll
