#include "cli/streams/flow_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>

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

std::int64_t last_lag(const std::vector<NamedFlow>& flows) {
  std::int64_t last = 0;
  for (const NamedFlow& flow : flows) {
    if (!flow.line.lags.empty()) last = std::max(last, flow.line.lags.back().lag);
  }
  return last;
}

std::string bptt_words(const std::optional<std::int64_t>& bptt) {
  return bptt ? fmt::format("; training cuts off after {}", *bptt) : "";
}

}  // namespace

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

}  // namespace unroll
