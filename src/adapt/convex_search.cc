#include "adapt/convex_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace unroll {
namespace {

constexpr double kFewestStep = 1.2;  // beyond the ends
constexpr double kGrowth = 1.6;      // of a step's logarithm
constexpr double kNarrow = 1.02;     // a bracket that determines the least value well enough
constexpr double kParabolic = 1.2;   // one in which a parabola is a good model
constexpr double kSame = 0.003;

// The next x after `end`, whose neighbour is `inner`, away from it.
double beyond(double end, double inner) {
  const double log_ratio = std::log(end / inner);
  const double step = std::max(std::abs(log_ratio) * kGrowth, std::log(kFewestStep));
  return end * std::exp(std::copysign(step, log_ratio));
}

// The vertex, in 1 / x, of the parabola through three points, as x. Not finite where there is none.
double vertex(const SearchPoint& a, const SearchPoint& b, const SearchPoint& c) {
  const double left = 1 / b.x - 1 / a.x;
  const double right = 1 / b.x - 1 / c.x;
  const double above = left * left * (b.loss - c.loss) - right * right * (b.loss - a.loss);
  const double below = left * (b.loss - c.loss) - right * (b.loss - a.loss);
  return 1 / (1 / b.x - 0.5 * above / below);
}

}  // namespace

double rounded_setting(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10.0, 2 - std::floor(std::log10(value)));
  return std::round(value * unit) / unit;
}

std::optional<double> next_to_try(std::span<const SearchPoint> tried, const NumberRange& range, double little) {
  const auto best = std::ranges::min_element(tried, {}, &SearchPoint::loss);
  const auto at = static_cast<std::size_t>(best - tried.begin());
  const auto unless_tried = [&](double x) -> std::optional<double> {
    if (std::ranges::find(tried, x, &SearchPoint::x) != tried.end()) return std::nullopt;
    return x;
  };
  const auto middle = [&](double x, double y) { return unless_tried(rounded_setting(std::sqrt(x * y))); };
  if (at == 0 || at + 1 == tried.size()) {
    const SearchPoint& inner = tried[at == 0 ? 1 : at - 1];
    // Where the last step changed nothing, the next one would not.
    if (!(best->loss < inner.loss - little)) return std::nullopt;
    const double end = at == 0 ? range.least : range.most;
    if (best->x != end) return std::clamp(rounded_setting(beyond(best->x, inner.x)), range.least, range.most);
    return std::max(best->x / inner.x, inner.x / best->x) < kNarrow ? std::nullopt : middle(best->x, inner.x);
  }
  const SearchPoint& low = tried[at - 1];
  const SearchPoint& high = tried[at + 1];
  if (high.x / low.x < kNarrow || std::max(low.loss, high.loss) - best->loss < little) return std::nullopt;
  if (high.x / low.x < kParabolic) {
    const double x = vertex(low, *best, high);
    if (std::abs(x / best->x - 1) < kSame) return std::nullopt;
    if (x > low.x && x < high.x) {
      if (const auto next = unless_tried(rounded_setting(x))) return next;
    }
  }
  return middle(best->x, high.x / best->x > best->x / low.x ? high.x : low.x);
}

}  // namespace unroll
