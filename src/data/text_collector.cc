#include "data/text_collector.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "data/label_numbers.h"
#include "text/number.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

void TextCollector::begin_file(const std::string& path) { found_.files.push_back(path); }

void TextCollector::refuse(std::int64_t line, std::string_view why) const {
  const std::string& path = found_.files.back();
  throw Error(ErrorCode::kInput, fmt::format("{}: {}", line == 0 ? text_name(path) : line_place(path, line), why));
}

void TextCollector::label(std::string_view name, std::int64_t line) {
  name = trimmed(name);
  if (name.empty()) refuse(line, "a label is empty");
  if (name.find_first_of("\r\n") != std::string_view::npos) {
    refuse(line, fmt::format("the label {} holds a line end: is this the right column (`label_column`)?", quote(name)));
  }
  const auto next = static_cast<std::int32_t>(found_.labels.size());
  const auto [entry, is_new] = numbers_.try_emplace(std::string(name), next);
  if (is_new) found_.labels.emplace_back(name);
  pending_.push_back(entry->second);
}

void TextCollector::labels_in(std::string_view cell, std::int64_t line) {
  if (trimmed(cell).empty()) return;
  if (!options_.multi_label) return label(cell, line);
  const std::string& separator = options_.label_separator;
  for (std::size_t first = 0; first <= cell.size();) {
    const std::size_t end = std::min(cell.find(separator, first), cell.size());
    label(cell.substr(first, end - first), line);
    first = end + separator.size();
  }
}

void TextCollector::add(std::string text, double weight, std::int64_t line) {
  std::ranges::sort(pending_);
  pending_.erase(std::ranges::unique(pending_).begin(), pending_.end());
  if (options_.labels_needed && !options_.multi_label) {
    if (pending_.empty()) refuse(line, "the text has no label");
    if (pending_.size() > 1) {
      refuse(line, fmt::format("the text has {} labels, {} and {}: `multi_label` reads texts with several",
                               pending_.size(), quote(found_.labels[static_cast<std::size_t>(pending_[0])]),
                               quote(found_.labels[static_cast<std::size_t>(pending_[1])])));
    }
  }
  found_.texts.push_back({.text = std::move(text),
                          .labels = pending_,
                          .weight = weight,
                          .file = static_cast<std::int32_t>(found_.files.size()) - 1,
                          .line = line});
  pending_.clear();
}

LabelledTexts TextCollector::finish() {
  found_.multi_label = options_.multi_label;
  std::vector<std::string> labels = found_.labels;
  sort_labels(labels);
  renumber_labels(found_, labels);
  return std::move(found_);
}

double weight_of(std::string_view cell, const std::string& place) {
  const std::optional<double> weight = parse_number(trimmed(cell));
  if (!weight || !std::isfinite(*weight) || *weight < 0) {
    throw Error(ErrorCode::kInput, fmt::format("{}: the weight is {}: expected a number of at least 0 "
                                               "(`weight_column`)",
                                               place, quote(cell)));
  }
  return *weight;
}

}  // namespace unroll
