#include "cli/streams/flow_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "cli/streams/escaped.h"

namespace unroll {
namespace {

// Lags of the table: 0, then 1, 2 and 5 times powers of ten, and the last.
std::vector<std::int64_t> shown_lags(std::int64_t last) {
  std::vector<std::int64_t> lags{0};
  for (std::int64_t power = 1; power < last; power *= 10) {
    for (const std::int64_t times : {1, 2, 5}) {
      if (times * power < last) lags.push_back(times * power);
    }
  }
  if (last > 0) lags.push_back(last);
  return lags;
}

std::string steps_words(double steps) {
  return steps < 10 ? fmt::format("{:.1f}", steps) : fmt::format("{:.0f}", steps);
}

std::int64_t last_lag(const std::vector<NamedFlow>& flows) {
  std::int64_t last = 0;
  for (const NamedFlow& flow : flows) {
    if (!flow.line.lags.empty()) last = std::max(last, flow.line.lags.back().lag);
  }
  return last;
}

// The plane of a chart: lags from left to right, ratios as powers of ten from the top down.
struct FlowPlane {
  static constexpr double kLeft = 64;
  static constexpr double kTop = 32;
  static constexpr double kWidth = 620;
  static constexpr double kHeight = 320;

  std::int64_t lags = 1;
  int highest = 0;  // powers of ten
  int lowest = -1;

  [[nodiscard]] double x(double lag) const { return kLeft + kWidth * lag / static_cast<double>(lags); }
  [[nodiscard]] double y(double ratio) const {
    const double power = ratio > 0 ? std::log10(ratio) : -std::numeric_limits<double>::infinity();
    const double shown = std::clamp(power, static_cast<double>(lowest), static_cast<double>(highest));
    return kTop + kHeight * (highest - shown) / (highest - lowest);
  }
};

FlowPlane plane_of(const std::vector<NamedFlow>& flows) {
  constexpr int kDeepest = -12;
  constexpr int kHighest = 12;
  FlowPlane plane;
  plane.lags = std::max<std::int64_t>(1, last_lag(flows));
  for (const NamedFlow& flow : flows) {
    for (const FlowAtLag& at : flow.line.lags) {
      if (at.lower > 0) plane.lowest = std::min(plane.lowest, static_cast<int>(std::floor(std::log10(at.lower))));
      if (at.upper > 1) plane.highest = std::max(plane.highest, static_cast<int>(std::ceil(std::log10(at.upper))));
      if (!(at.lower > 0)) plane.lowest = kDeepest;
    }
  }
  plane.lowest = std::max(plane.lowest, kDeepest);
  plane.highest = std::min(plane.highest, kHighest);
  return plane;
}

// From dark to light, so that they can be told apart without colour; the dark viewer's from light to dark.
struct LineStyle {
  std::string_view light;
  std::string_view dark;
  std::string_view dashes;
};
constexpr std::array<LineStyle, 6> kLineStyles{{{"#08306b", "#c6dbef", "none"},
                                                {"#c2410c", "#f58a3c", "8 3"},
                                                {"#3aa655", "#3f9b58", "2 3"},
                                                {"#8b5cb8", "#b79ad8", "10 3 2 3"},
                                                {"#7f0000", "#ffb3b3", "5 5"},
                                                {"#999999", "#808080", "1 5"}}};

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "\\x0a";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string style_sheet(std::size_t count) {
  std::string light;
  std::string dark;
  for (std::size_t i = 0; i < count; ++i) {
    const LineStyle& style = kLineStyles[i % kLineStyles.size()];
    light += fmt::format(".l{0} {{ stroke: {1}; stroke-dasharray: {2} }} .b{0} {{ fill: {1} }}\n", i, style.light,
                         style.dashes);
    dark += fmt::format("  .l{0} {{ stroke: {1} }} .b{0} {{ fill: {1} }}\n", i, style.dark);
  }
  return "<style>\n"
         "text { font-family: sans-serif; font-size: 12px; fill: #1a1a1a }\n"
         ".small { font-size: 11px; fill: #555 } .page { fill: #ffffff } .grid { stroke: #dddddd }\n"
         ".line { fill: none; stroke-width: 2 } .band { stroke: none; opacity: 0.15 } .cut { stroke-width: 1 }\n" +
         light +
         "@media (prefers-color-scheme: dark) {\n"
         "  text { fill: #e8e8e8 } .small { fill: #b0b0b0 } .page { fill: #0d1117 } .grid { stroke: #30363d }\n" +
         dark + "}\n</style>\n";
}

std::string grid_of(const FlowPlane& plane) {
  std::string text;
  const int step = (plane.highest - plane.lowest + 7) / 8;
  for (int power = plane.highest; power >= plane.lowest; power -= step) {
    const double y = plane.y(std::pow(10.0, power));
    text += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>\n", FlowPlane::kLeft,
                        FlowPlane::kLeft + FlowPlane::kWidth, y, y);
    text += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" class=\"small\">{}</text>\n",
                        FlowPlane::kLeft - 6, y + 4, power == 0 ? "1" : fmt::format("1e{}", power));
  }
  const double below = FlowPlane::kTop + FlowPlane::kHeight;
  const std::int64_t apart = std::max<std::int64_t>(1, (plane.lags + 9) / 10);
  for (std::int64_t lag = 0; lag <= plane.lags; lag += apart) {
    text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" class=\"small\">{}</text>\n",
                        plane.x(static_cast<double>(lag)), below + 16, lag);
  }
  return text + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">steps back</text>\n",
                            FlowPlane::kLeft + FlowPlane::kWidth / 2, below + 34);
}

std::string drawn_flow(const FlowPlane& plane, const NamedFlow& flow, std::size_t i) {
  const auto point = [&](const FlowAtLag& at, double ratio) {
    return fmt::format("{:.1f},{:.1f} ", plane.x(static_cast<double>(at.lag)), plane.y(ratio));
  };
  std::string band;
  std::string line;
  bool inside = true;  // until the line has come down to the bottom
  for (const FlowAtLag& at : flow.line.lags) {
    band += point(at, at.upper);
    if (inside) line += point(at, at.median);
    inside = at.median > std::pow(10.0, plane.lowest);
  }
  for (std::size_t k = flow.line.lags.size(); k-- > 0;) band += point(flow.line.lags[k], flow.line.lags[k].lower);
  std::string text = fmt::format(
      "<polygon points=\"{}\" class=\"band b{}\"/>\n<polyline points=\"{}\" class=\"line l{}\"/>\n", band, i, line, i);
  if (flow.bptt && *flow.bptt <= plane.lags) {
    const double x = plane.x(static_cast<double>(*flow.bptt));
    text += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" class=\"cut l{3}\"/>\n", x,
                        FlowPlane::kTop, FlowPlane::kTop + FlowPlane::kHeight, i);
    text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" class=\"small\">--bptt {}</text>\n", x,
                        FlowPlane::kTop - 8, *flow.bptt);
  }
  return text;
}

// The last part of a path.
std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string bptt_words(const std::optional<std::int64_t>& bptt) {
  return bptt ? fmt::format("; training cuts off after {}", *bptt) : "";
}

}  // namespace

std::string flow_words(const FlowLine& line) {
  if (!std::isfinite(line.per_step)) return "no gradient reaches a step back";
  const std::int64_t last = line.lags.empty() ? 0 : line.lags.back().lag;
  const std::string per_step = fmt::format("x{:.3g} per step: ", line.per_step);
  const std::optional<double> half = line.reaches(0.5);
  if (!half) return per_step + fmt::format("more than half is left after {} steps", last);
  const std::optional<double> gone = line.reaches(1e-5);
  return per_step + fmt::format("half gone after {} steps, ", steps_words(*half)) +
         (gone ? "1e-5 after " + steps_words(*gone) : fmt::format("above 1e-5 after {}", last));
}

std::string flow_table(const std::vector<NamedFlow>& flows) {
  std::string text = "   lag";
  for (std::size_t i = 0; i < flows.size(); ++i)
    text += fmt::format("  {:>9}  {:<20}", fmt::format("model {}", i + 1), "quartiles");
  while (text.ends_with(' ')) text.pop_back();
  text += '\n';
  for (const std::int64_t lag : shown_lags(last_lag(flows))) {
    std::string row = fmt::format("{:>6}", lag);
    for (const NamedFlow& flow : flows) {
      const auto at = std::ranges::find(flow.line.lags, lag, &FlowAtLag::lag);
      row += at == flow.line.lags.end()
                 ? fmt::format("  {:>9}  {:<20}", "-", "")
                 : fmt::format("  {:>9.3g}  {:<20}", at->median, fmt::format("{:.2g} to {:.2g}", at->lower, at->upper));
    }
    while (row.ends_with(' ')) row.pop_back();
    text += row + '\n';
  }
  for (std::size_t i = 0; i < flows.size(); ++i) {
    text += fmt::format("model {}, {}: {}{}\n", i + 1, escaped(flows[i].name), flow_words(flows[i].line),
                        bptt_words(flows[i].bptt));
  }
  return text;
}

std::string flow_svg(const std::vector<NamedFlow>& flows) {
  const FlowPlane plane = plane_of(flows);
  constexpr double kPageWidth = FlowPlane::kLeft + FlowPlane::kWidth + 24;
  const double legend = FlowPlane::kTop + FlowPlane::kHeight + 60;
  const double height = legend + 20 * static_cast<double>(flows.size());
  std::string description;
  std::string body = grid_of(plane);
  for (std::size_t i = 0; i < flows.size(); ++i) body += drawn_flow(plane, flows[i], i);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const double y = legend + 20 * static_cast<double>(i);
    const std::string words = xml_escaped(fmt::format("{}: {}", file_name(flows[i].name), flow_words(flows[i].line)));
    body += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\" class=\"line l{}\"/>\n", FlowPlane::kLeft,
                        FlowPlane::kLeft + 40, y - 4, y - 4, i);
    body += fmt::format("<text x=\"{}\" y=\"{}\" class=\"small\">{}</text>\n", FlowPlane::kLeft + 50, y, words);
    description += (i == 0 ? "" : ". ") + words;
  }
  return fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n", kPageWidth,
                     height) +
         "<title>What is left of a prediction's gradient, by steps back</title>\n<desc>" + description + "</desc>\n" +
         style_sheet(flows.size()) +
         fmt::format("<rect width=\"{}\" height=\"{}\" class=\"page\"/>\n", kPageWidth, height) + body + "</svg>\n";
}

}  // namespace unroll
