#include "unroll/look/truncation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures.h"
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

}  // namespace

Picture draw_truncation(const PictureRequest& request) {
  const UnrolledText text = unrolled(request);
  std::vector<std::int64_t> lengths = request.options.lengths;
  if (lengths.empty()) lengths = doubled_lengths(text.steps());
  std::ranges::sort(lengths);
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
  for (const TruncationAt& cut : cuts) {
    const double x = std::log2(static_cast<double>(cut.length));
    if (std::isfinite(cut.layers.cosine)) cosines.push_back(plane.at(x, cut.layers.cosine));
    ratios.push_back(plane.at(x, cut.layers.norm_ratio));
    svg.text({plane.at(x, 0).x, plane.edge_bottom() + 16}, "small middle", std::to_string(cut.length));
    picture.table.rows.push_back(
        {cut.length, cut.recurrent.cosine, cut.recurrent.norm_ratio, cut.layers.cosine, cut.layers.norm_ratio});
  }
  svg.text({plane.corner.x + plane.width / 2, plane.edge_bottom() + 34}, "small middle",
           "length of truncated backpropagation, in steps");
  draw_line(svg, cosines, line_class(0));
  draw_line(svg, ratios, line_class(1));
  const std::optional<std::int64_t> bptt = trained_bptt(text.model());
  if (bptt && *bptt >= lengths.front() && *bptt <= lengths.back()) {
    const Point top = plane.at(std::log2(static_cast<double>(*bptt)), plane.top);
    svg.line(top, {top.x, plane.edge_bottom()}, "scissors");
    svg.text({top.x, top.y - 8}, "small middle", fmt::format("--bptt {}", *bptt));
  }
  draw_legend(svg, {64, plane.edge_bottom() + 60}, 0, "cosine of the angle between truncated and full gradient");
  draw_legend(svg, {64, plane.edge_bottom() + 80}, 1, "length of the truncated one, as a share of the full one");
  const TruncationAt& shortest = cuts.front();
  picture.sentence = fmt::format(
      "Cut off after {} {}, the gradient of the recurrent layers has {} of its length, and a cosine of {:.3f} with the "
      "full "
      "one",
      shortest.length, shortest.length == 1 ? "step" : "steps", percent(shortest.layers.norm_ratio),
      shortest.layers.cosine);
  picture.facts = {
      {"steps", text.steps()}, {"unread_steps", text.unread_steps()}, {"bptt", bptt ? Datum(*bptt) : Datum()}};
  finish(picture, request, svg, kCutPage, plane.edge_bottom() + 94);
  return picture;
}

}  // namespace unroll
