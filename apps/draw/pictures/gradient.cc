#include "draw/pictures/gradient.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/look/answer_flow.h"
#include "unroll/look/dynamics.h"
#include "unroll/look/truncation.h"

namespace unroll {
namespace {

constexpr std::int64_t kFlowLags = 100;
constexpr std::int64_t kFlowPositions = 64;
constexpr double kFlowPage = 708;

std::string steps_words(double steps) {
  return steps < 10 ? fmt::format("{:.1f}", steps) : fmt::format("{:.0f}", steps);
}

std::int64_t last_lag_of(const std::vector<NamedFlow>& flows) {
  std::int64_t last = 0;
  for (const NamedFlow& flow : flows) {
    if (!flow.line.lags.empty()) last = std::max(last, flow.line.lags.back().lag);
  }
  return last;
}

double power_of(double ratio) { return ratio > 0 ? std::log10(ratio) : -std::numeric_limits<double>::infinity(); }

// Lags from left to right, powers of ten from the bottom up.
Plane flow_plane(const std::vector<NamedFlow>& flows) {
  constexpr double kDeepest = -12;
  constexpr double kHighest = 12;
  Plane plane{.corner = {64, 32}, .width = 620, .height = 320, .bottom = -1, .top = 0};
  plane.right = static_cast<double>(std::max<std::int64_t>(1, last_lag_of(flows)));
  for (const NamedFlow& flow : flows) {
    for (const FlowAtLag& at : flow.line.lags) {
      plane.bottom = std::min(plane.bottom, std::floor(power_of(at.lower)));
      if (at.upper > 1) plane.top = std::max(plane.top, std::ceil(power_of(at.upper)));
    }
  }
  plane.bottom = std::max(plane.bottom, kDeepest);
  plane.top = std::min(plane.top, kHighest);
  return plane;
}

void draw_powers(Svg& svg, const Plane& plane) {
  const int step = static_cast<int>(plane.top - plane.bottom + 7) / 8;
  for (int power = static_cast<int>(plane.top); power >= plane.bottom; power -= step) {
    const Point left = plane.at(0, power);
    svg.line(left, {plane.edge_right(), left.y}, "grid");
    svg.text({left.x - 6, left.y + 4}, "small end", power == 0 ? "1" : fmt::format("1e{}", power));
  }
  const auto lags = static_cast<std::int64_t>(plane.right);
  const std::int64_t apart = std::max<std::int64_t>(1, (lags + 9) / 10);
  for (std::int64_t lag = 0; lag <= lags; lag += apart) {
    svg.text({plane.at(static_cast<double>(lag), plane.bottom).x, plane.edge_bottom() + 16}, "small middle",
             std::to_string(lag));
  }
  svg.text({plane.corner.x + plane.width / 2, plane.edge_bottom() + 34}, "small middle", "steps back");
}

void draw_flow(Svg& svg, const Plane& plane, const NamedFlow& flow, std::size_t i) {
  const auto point = [&](const FlowAtLag& at, double ratio) {
    return plane.at(static_cast<double>(at.lag), power_of(ratio));
  };
  std::vector<Point> line;
  std::string band;
  bool inside = true;  // until the line has come down to the bottom, or up to the top
  for (const FlowAtLag& at : flow.line.lags) {
    const Point upper = point(at, at.upper);
    band += svg_number(upper.x) + "," + svg_number(upper.y) + " ";
    if (inside) line.push_back(point(at, at.median));
    inside = power_of(at.median) > plane.bottom && power_of(at.median) <= plane.top;
  }
  for (std::size_t k = flow.line.lags.size(); k-- > 0;) {
    const Point lower = point(flow.line.lags[k], flow.line.lags[k].lower);
    band += svg_number(lower.x) + "," + svg_number(lower.y) + " ";
  }
  svg.open_group("flow", {{"data-series", i}});
  svg.put("polygon", {{"points", band}, {"class", "band " + band_class(i)}});
  draw_line(svg, line, line_class(i));
  if (flow.bptt && static_cast<double>(*flow.bptt) <= plane.right) {
    const Point top = plane.at(static_cast<double>(*flow.bptt), plane.top);
    svg.line(top, {top.x, plane.edge_bottom()}, "cut " + line_class(i));
    svg.text({top.x, top.y - 8}, "small middle", fmt::format("--bptt {}", *flow.bptt));
  }
  svg.close();
}

// Whether a line of one slope would reach a share at quite another lag: the curve is bent.
bool is_bent_at(const FlowLine& line, double share) {
  const std::optional<double> reached = line.reaches(share);
  if (!reached || *reached < 1) return false;
  if (line.per_step >= 1) return true;
  const double of_slope = std::log(share) / std::log(line.per_step);
  return of_slope > 1.5 * *reached || *reached > 1.5 * of_slope;
}

bool is_bent(const FlowLine& line) { return is_bent_at(line, 1e-5) || (!line.reaches(1e-5) && is_bent_at(line, 0.5)); }

void fill_flow(const std::vector<NamedFlow>& flows, Picture& picture) {
  picture.table.columns = {"lag"};
  for (const NamedFlow& flow : flows) {
    for (const std::string_view column : {"median", "lower", "upper"}) {
      picture.table.columns.push_back(fmt::format("{} {}", flow.name, column));
    }
  }
  for (std::int64_t lag = 0; lag <= last_lag_of(flows); ++lag) {
    std::vector<Datum> row{lag};
    for (const NamedFlow& flow : flows) {
      const auto at = std::ranges::find(flow.line.lags, lag, &FlowAtLag::lag);
      const bool there = at != flow.line.lags.end();
      for (const auto member : {&FlowAtLag::median, &FlowAtLag::lower, &FlowAtLag::upper}) {
        row.push_back(there ? Datum(*at.*member) : Datum());
      }
    }
    picture.table.rows.push_back(std::move(row));
  }
  for (const NamedFlow& flow : flows) {
    picture.facts.emplace_back(flow.name, flow_words(flow));
  }
}

// The radius of W of a cell with one such matrix.
void add_radius(const DrawnModel& model, std::vector<std::pair<std::string, Datum>>& facts) {
  const std::vector<RecurrentRadius> radii = recurrent_radii(model.model);
  if (radii.size() == 1) facts.emplace_back(model.name + " radius", radii.front().radius);
}

}  // namespace

std::string flow_words(const FlowLine& line) {
  if (!std::isfinite(line.per_step)) return "no gradient reaches a step back";
  const FlowAtLag& last_at = line.lags.back();
  const std::string last = counted(last_at.lag, "step");
  const std::string per_step = fmt::format("x{:.3g} per step{}: ", line.per_step, is_bent(line) ? " on average" : "");
  const std::optional<double> half = line.reaches(0.5);
  if (!half && last_at.median > 2) return per_step + fmt::format("grown to {:.3g} after {}", last_at.median, last);
  if (!half) return per_step + fmt::format("more than half is left after {}", last);
  const std::optional<double> gone = line.reaches(1e-5);
  return per_step + fmt::format("half gone after {} steps, ", steps_words(*half)) +
         (gone ? "1e-5 after " + steps_words(*gone) : fmt::format("above 1e-5 after {}", last_at.lag));
}

std::string flow_words(const NamedFlow& flow) {
  if (!flow.first_word) return flow_words(flow.line);
  return fmt::format("of the answer's gradient the first word has {} of what the step with most has",
                     percent(*flow.first_word));
}

DrawnFlow measured_flow(const UnrolledText& text, const GradientFlowOptions& options,
                        const std::function<void(std::int64_t lag)>& between) {
  if (!text.predicts()) {
    AnswerFlow answers = answer_flow(text, options);
    return {.flow = std::move(answers.flow), .first_word = answers.first_word};
  }
  GradientFlowRun run(text, options);
  for (std::int64_t lag = 0; run.step(); ++lag) between(lag);
  return {.flow = run.flow()};
}

Picture flow_picture(const std::vector<NamedFlow>& flows, bool standalone) {
  const bool of_answers = std::ranges::any_of(flows, [](const NamedFlow& flow) { return flow.first_word.has_value(); });
  Picture picture{.title = of_answers ? "How much of an answer's gradient there is, by steps back"
                                      : "What is left of a prediction's gradient, by steps back"};
  const Plane plane = flow_plane(flows);
  Svg svg;
  draw_powers(svg, plane);
  for (std::size_t i = 0; i < flows.size(); ++i) draw_flow(svg, plane, flows[i], i);
  double y = plane.edge_bottom() + 60;
  std::vector<std::string> paths;
  for (const NamedFlow& flow : flows) paths.push_back(flow.name);
  const std::vector<std::string> names = shown_names(paths, 40);
  for (std::size_t i = 0; i < flows.size(); ++i, y += 20) {
    const std::string words = fmt::format("{}: {}", names[i], flow_words(flows[i]));
    draw_legend(svg, {plane.corner.x, y}, i, words);
    picture.sentence += (i == 0 ? "" : "; ") + words;
  }
  fill_flow(flows, picture);
  PictureRequest request{.picture = "gradient", .models = {}, .standalone = standalone};
  finish(picture, request, svg, kFlowPage, y);
  return picture;
}

Picture draw_gradient(const PictureRequest& request) {
  const GradientFlowOptions options{.lags = request.options.lags.value_or(kFlowLags),
                                    .positions = request.options.positions.value_or(kFlowPositions),
                                    .at = request.options.at};
  std::vector<NamedFlow> flows;
  std::vector<std::pair<std::string, Datum>> beginnings;  // of networks before their training
  for (std::size_t i = 0; i < request.models.size(); ++i) {
    const DrawnModel& one = request.models[i];
    const UnrolledText text = unrolled(request, i);
    check_wanted(request);
    const DrawnFlow measured = measured_flow(text, options, [&](std::int64_t) { check_wanted(request); });
    if (one.untrained) add_radius(one, beginnings);
    flows.push_back({.name = one.name,
                     .bptt = text.predicts() ? trained_bptt(one.model) : std::nullopt,
                     .line = measured.flow.lines.front(),
                     .first_word = measured.first_word});
  }
  Picture picture = flow_picture(flows, request.standalone);
  picture.facts.insert(picture.facts.end(), beginnings.begin(), beginnings.end());
  return picture;
}

}  // namespace unroll
