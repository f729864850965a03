#include "infer/line_rows.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

namespace unroll {

std::vector<std::vector<std::int64_t>> deal_lines(std::span<const std::int64_t> lengths, std::int64_t B) {
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto length = [&](std::int64_t line) { return lengths[static_cast<std::size_t>(line)]; };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return length(a) > length(b); });

  std::vector<std::vector<std::int64_t>> rows(std::min(static_cast<std::size_t>(B), lengths.size()));
  std::vector<std::int64_t> steps(rows.size());
  using Load = std::pair<std::int64_t, std::size_t>;  // steps, row
  std::priority_queue<Load, std::vector<Load>, std::greater<>> shortest;
  for (std::size_t row = 0; row < rows.size(); ++row) shortest.emplace(0, row);
  for (const std::int64_t line : order) {
    const std::size_t row = shortest.top().second;
    shortest.pop();
    rows[row].push_back(line);
    steps[row] += length(line);
    shortest.emplace(steps[row], row);
  }

  std::vector<std::size_t> by_steps(rows.size());
  std::iota(by_steps.begin(), by_steps.end(), std::size_t{0});
  std::stable_sort(by_steps.begin(), by_steps.end(), [&](std::size_t a, std::size_t b) { return steps[a] > steps[b]; });
  std::vector<std::vector<std::int64_t>> longest_first;
  for (const std::size_t row : by_steps) longest_first.push_back(std::move(rows[row]));
  return longest_first;
}

LineRows::LineRows(std::span<const std::int32_t> ids, std::span<const std::int64_t> starts,
                   std::span<const std::vector<std::int64_t>> rows, const Reading& reading, std::int64_t T)
    : ids_(ids), starts_(starts), rows_(rows), reading_(reading), steps_per_window_(T), places_(rows.size()) {
  for (const std::vector<std::int64_t>& row : rows) {
    rest_.push_back(std::accumulate(row.begin(), row.end(), std::int64_t{0},
                                    [this](std::int64_t steps, std::int64_t line) { return steps + length(line); }));
  }
}

bool LineRows::next(Window& out) {
  const std::int64_t B = std::ranges::count_if(rest_, [](std::int64_t steps) { return steps > 0; });
  if (B == 0) return false;
  make_window(std::min(steps_per_window_, rest_.front()), B, out,
              [this](std::int64_t row, std::int64_t) { return advance(static_cast<std::size_t>(row)); });
  return true;
}

WindowStep LineRows::advance(std::size_t row) {
  if (rest_[row] == 0) return {.input = reading_.idle_input()};
  --rest_[row];
  Place& place = places_[row];
  const std::int64_t line = rows_[row][place.line];
  const auto at = static_cast<std::size_t>(start(line) + place.position);
  const SequencePlace in_line{.before = place.position == 0 ? reading_.boundary : ids_[at - 1],
                              .start = place.position == 0,
                              .after_start = place.position == 1};
  if (++place.position == length(line)) place = {.line = place.line + 1, .position = 0};
  return step_of(reading_, in_line, ids_[at]);
}

}  // namespace unroll
