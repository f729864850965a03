#include "data/label_numbers.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace unroll {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void sort_labels(std::vector<std::string>& labels) {
  std::ranges::sort(labels);
  if (!std::ranges::all_of(labels, [](const std::string& label) { return whole_number(label).has_value(); })) return;
  std::ranges::stable_sort(labels, {}, [](const std::string& label) { return *whole_number(label); });
}

LabelNumbers label_numbers(std::span<const std::string> names, std::span<const std::string> labels) {
  LabelNumbers result{.labels = {labels.begin(), labels.end()}, .numbers = {}};
  std::unordered_map<std::string_view, std::int32_t> known;
  for (const std::string& label : labels) known.emplace(label, static_cast<std::int32_t>(known.size()));
  for (const std::string& name : names) {
    const auto [entry, is_new] = known.emplace(name, static_cast<std::int32_t>(result.labels.size()));
    if (is_new) result.labels.push_back(name);
    result.numbers.push_back(entry->second);
  }
  return result;
}

}  // namespace unroll
