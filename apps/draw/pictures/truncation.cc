#include "unroll/look/truncation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"

namespace unroll {
namespace {

constexpr double kCutPage = 708;

// 1, 2, 4, ... and the whole text.
std::vector<std::int64_t> doubled_lengths(std::int64_t steps) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t length = 1; length < steps; length *= 2) lengths.push_back(length);
  lengths.push_back(steps);
  return lengths;
}

// Those that are asked for, and the one that is marked; increasing.
std::vector<std::int64_t> lengths_of(const PictureOptions& options, std::int64_t steps) {
  std::vector<std::int64_t> lengths = options.lengths.empty() ? doubled_lengths(steps) : options.lengths;
  if (options.truncate) lengths.push_back(*options.truncate);
  std::ranges::sort(lengths);
  lengths.erase(std::ranges::unique(lengths).begin(), lengths.end());
  return lengths;
}

// A line across the chart at a length, if it is there.
void mark_length(Svg& svg, const Plane& plane, std::int64_t length, double above, const std::string& words) {
  const double x = std::log2(static_cast<double>(length));
  if (x < plane.left || x > plane.right) return;
  const Point top = plane.at(x, plane.top);
  svg.line(top, {top.x, plane.edge_bottom()}, "scissors");
  svg.text({std::clamp(top.x, plane.corner.x + 40, plane.edge_right() - 40), top.y - above}, "small middle", words);
}

// The length that is asked for, or the longest of several, or a single step.
const TruncationAt& told_cut(const std::vector<TruncationAt>& cuts, const PictureOptions& options) {
  if (options.truncate) return *std::ranges::find(cuts, *options.truncate, &TruncationAt::length);
  return options.lengths.empty() ? cuts.front() : cuts.back();
}

}  // namespace

Picture draw_truncation(const PictureRequest& request) {
  const UnrolledText text = unrolled(request);
  static_cast<void>(asked_step(request, text));  // refuses a text without predictions
  const std::vector<std::int64_t> lengths = lengths_of(request.options, text.steps());
  std::vector<TruncationAt> cuts;
  for (const std::int64_t length : lengths) {
    check_wanted(request);
    cuts.push_back(truncated_gradients(text, {length}).front());
  }

  Picture picture{.title = "What truncation cuts off the gradient"};
  picture.table.columns = {"length", "cosine W", "norm ratio W", "cosine layers", "norm ratio layers"};
  Svg svg;
  Plane plane{.corner = {64, 36}, .width = kCutPage - 64 - 24, .height = 240, .bottom = 0, .top = 1};
  plane.right = std::max(1.0, std::log2(static_cast<double>(lengths.back())));
  plane.left = std::log2(static_cast<double>(lengths.front()));
  if (plane.left >= plane.right) plane.left = plane.right - 1;
  std::vector<Point> cosines;
  std::vector<Point> ratios;
  for (const TruncationAt& cut : cuts) {
    plane.top = std::max(plane.top, cut.layers.norm_ratio);
    plane.bottom = std::min(plane.bottom, cut.layers.cosine);
  }
  for (const double tick : round_ticks(plane.bottom, plane.top, 6)) {
    const Point left = plane.at(plane.left, tick);
    svg.line(left, {plane.edge_right(), left.y}, "grid");
    svg.text({left.x - 6, left.y + 4}, "small end", three_digits(tick));
  }
  double numbered = 0;  // where the last number is; the next needs room
  for (const TruncationAt& cut : cuts) {
    const double x = std::log2(static_cast<double>(cut.length));
    if (std::isfinite(cut.layers.cosine)) cosines.push_back(plane.at(x, cut.layers.cosine));
    ratios.push_back(plane.at(x, cut.layers.norm_ratio));
    if (plane.at(x, 0).x - numbered >= 28) {
      numbered = plane.at(x, 0).x;
      svg.text({numbered, plane.edge_bottom() + 16}, "small middle", std::to_string(cut.length));
    }
    picture.table.rows.push_back(
        {cut.length, cut.recurrent.cosine, cut.recurrent.norm_ratio, cut.layers.cosine, cut.layers.norm_ratio});
  }
  svg.text({plane.corner.x + plane.width / 2, plane.edge_bottom() + 34}, "small middle",
           "length of the windows, in steps");
  draw_line(svg, cosines, line_class(0));
  draw_line(svg, ratios, line_class(1));
  const std::optional<std::int64_t> bptt = trained_bptt(text.model());
  if (bptt) mark_length(svg, plane, *bptt, 8, fmt::format("--bptt {}", *bptt));
  if (request.options.truncate) {
    svg.open_group("chosen-length", {{"data-length", *request.options.truncate}});
    mark_length(svg, plane, *request.options.truncate, 22, fmt::format("windows of {}", *request.options.truncate));
    svg.close();
  }
  draw_legend(svg, {64, plane.edge_bottom() + 60}, 0, "cosine of the angle between truncated and full gradient");
  draw_legend(svg, {64, plane.edge_bottom() + 80}, 1, "length of the truncated one, as a share of the full one");
  const TruncationAt& told = told_cut(cuts, request.options);
  picture.sentence =
      std::isfinite(told.layers.norm_ratio)
          ? fmt::format(
                "In windows of {}, the gradient of the recurrent layers has {} of its length, and a cosine of "
                "{:.3f} with the full one",
                counted(told.length, "step"), share_left(told.layers.norm_ratio), told.layers.cosine)
          : std::string(
                "The gradient over the whole text is zero or too large for a number: there is nothing to "
                "compare with");
  picture.facts = {
      {"steps", text.steps()}, {"unread_steps", text.unread_steps()}, {"bptt", bptt ? Datum(*bptt) : Datum()}};
  finish(picture, request, svg, kCutPage, plane.edge_bottom() + 94);
  return picture;
}

}  // namespace unroll
