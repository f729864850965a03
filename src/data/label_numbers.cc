#include "data/label_numbers.h"

#include <string_view>
#include <unordered_map>

namespace unroll {

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
