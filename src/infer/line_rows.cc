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
                   std::span<const std::vector<std::int64_t>> rows, std::int32_t boundary, std::int64_t T)
    : ids_(ids), starts_(starts), rows_(rows), boundary_(boundary), steps_per_window_(T), places_(rows.size()) {
  for (const std::vector<std::int64_t>& row : rows) {
    rest_.push_back(std::accumulate(row.begin(), row.end(), std::int64_t{0},
                                    [this](std::int64_t steps, std::int64_t line) { return steps + length(line); }));
  }
}

bool LineRows::next(Window& out) {
  out.B = std::ranges::count_if(rest_, [](std::int64_t steps) { return steps > 0; });
  if (out.B == 0) return false;
  out.T = std::min(steps_per_window_, rest_.front());
  const auto size = static_cast<std::size_t>(out.T * out.B);
  out.inputs.assign(size, boundary_);
  out.targets.assign(size, kIgnored);
  out.reset.assign(size, 0);
  out.predictions = 0;
  for (std::int64_t row = 0; row < out.B; ++row) fill_row(row, out);
  if (std::ranges::find(out.reset, 1) == out.reset.end()) out.reset.clear();
  return true;
}

void LineRows::fill_row(std::int64_t row, Window& out) {
  const auto r = static_cast<std::size_t>(row);
  const std::int64_t steps = std::min(out.T, rest_[r]);
  Place& place = places_[r];
  for (std::int64_t t = 0; t < steps; ++t) {
    const auto entry = static_cast<std::size_t>(t * out.B + row);
    const std::int64_t line = rows_[r][place.line];
    const std::int64_t at = start(line) + place.position;
    out.targets[entry] = ids_[static_cast<std::size_t>(at)];
    if (place.position == 0) {
      out.reset[entry] = 1;
    } else {
      out.inputs[entry] = ids_[static_cast<std::size_t>(at - 1)];
    }
    if (++place.position == length(line)) place = {.line = place.line + 1, .position = 0};
  }
  rest_[r] -= steps;
  out.predictions += steps;
}

NetworkState first_rows(const NetworkConfig& config, const NetworkState& state, std::int64_t B) {
  NetworkState result(config, B);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const RecurrentState<float> from = state.layer(l);
    const RecurrentState<float> to = result.layer(l);
    std::ranges::copy(from.h.row_range(0, B).flat(), to.h.data);
    if (to.c.data != nullptr) std::ranges::copy(from.c.row_range(0, B).flat(), to.c.data);
  }
  return result;
}

}  // namespace unroll
