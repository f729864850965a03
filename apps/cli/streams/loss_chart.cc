#include "cli/streams/loss_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cli/streams/quantities.h"

namespace unroll {
namespace {

constexpr std::size_t kColumns = 60;
constexpr std::size_t kRows = 10;

// The place of a point of the history on the chart.
class Axes {
 public:
  explicit Axes(const std::vector<HistoryPoint>& history)
      : first_(static_cast<double>(history.front().step)), last_(static_cast<double>(history.back().step)) {
    for (const HistoryPoint& point : history) {
      include(point.nats_per_token);
      if (point.valid_nats_per_token) include(*point.valid_nats_per_token);
    }
  }

  [[nodiscard]] std::size_t column(std::int64_t step) const {
    return place(static_cast<double>(step) - first_, last_ - first_, kColumns);
  }
  [[nodiscard]] std::size_t row(double nats) const { return place(high_ - nats, high_ - low_, kRows); }
  [[nodiscard]] double nats(std::size_t row) const {
    return high_ - (high_ - low_) * static_cast<double>(row) / static_cast<double>(kRows - 1);
  }

 private:
  void include(double nats) {
    low_ = std::min(low_, nats);
    high_ = std::max(high_, nats);
  }

  static std::size_t place(double distance, double whole, std::size_t cells) {
    if (!(whole > 0)) return 0;
    const double share = std::clamp(distance / whole, 0.0, 1.0);
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(cells - 1)));
  }

  double first_;
  double last_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

std::string format_loss_chart(const std::vector<HistoryPoint>& history) {
  if (history.size() < 2) return "";
  const Axes axes(history);
  std::array<std::string, kRows> rows;
  rows.fill(std::string(kColumns, ' '));
  for (const HistoryPoint& point : history) rows[axes.row(point.nats_per_token)][axes.column(point.step)] = '.';
  for (const HistoryPoint& point : history) {
    if (point.valid_nats_per_token) rows[axes.row(*point.valid_nats_per_token)][axes.column(point.step)] = 'o';
  }
  std::string text = "  nats per token (. training, o validation)\n";
  for (std::size_t row = 0; row < kRows; ++row) {
    std::string& cells = rows[row];
    cells.erase(cells.find_last_not_of(' ') + 1);
    text += fmt::format("{:7.3f} |{}\n", axes.nats(row), cells);
  }
  const std::string first = grouped(history.front().step);
  text += fmt::format("        +{}\n         {}{:>{}}\n", std::string(kColumns, '-'), first,
                      "step " + grouped(history.back().step), kColumns - std::min(kColumns, first.size()));
  return text;
}

}  // namespace unroll
