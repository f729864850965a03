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

std::string heading_of(const FlowLine& line) {
  switch (line.of) {
    case FlowOf::kState:
      return "state";
    case FlowOf::kHidden:
      return fmt::format("h {}", line.layer);
    case FlowOf::kCell:
      return fmt::format("c {}", line.layer);
    case FlowOf::kLayerState:
      return fmt::format("h, c {}", line.layer);
    case FlowOf::kInput:
      return "input";
  }
  return "";
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
    text += fmt::format("model {}, {}: {}{}\n", i + 1, escaped(flows[i].name), flow_words(flows[i]),
                        bptt_words(flows[i].bptt));
  }
  return text;
}

std::string prediction_table(std::span<const std::string> reads, const GradientFlow& flow) {
  std::string text = "   lag  reads       ";
  for (const FlowLine& line : flow.lines) text += fmt::format("  {:>9}", heading_of(line));
  text += '\n';
  for (std::size_t lag = 0; lag < flow.lines.front().lags.size(); ++lag) {
    text += fmt::format("{:>6}  {:<12}", lag, escaped_field(reads[lag]));
    for (const FlowLine& line : flow.lines) {
      text += lag < line.lags.size() ? fmt::format("  {:>9.3g}", line.lags[lag].median) : fmt::format("  {:>9}", "-");
    }
    text += '\n';
  }
  text += "1 is a norm of     ";
  for (const FlowLine& line : flow.lines) text += fmt::format("  {:>9.3g}", line.norm);
  return text + '\n';
}

}  // namespace unroll
