#include "data/report_parts.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace unroll {

LengthSummary summary_of(std::vector<std::int64_t> lengths) {
  if (lengths.empty()) return {};
  std::ranges::sort(lengths);
  const std::size_t n = lengths.size();
  const auto at = [&](std::size_t i) { return static_cast<double>(lengths[i]); };
  return {.min = lengths.front(),
          .median = n % 2 == 1 ? at(n / 2) : (at(n / 2 - 1) + at(n / 2)) / 2,
          .mean = static_cast<double>(std::reduce(lengths.begin(), lengths.end(), std::int64_t{0})) /
                  static_cast<double>(n),
          .p95 = lengths[(95 * n + 99) / 100 - 1],
          .max = lengths.back()};
}

void add_example(std::vector<EqualTexts>& examples, std::string first, std::string second) {
  if (examples.size() < DataReport::kMostExamples) examples.push_back({std::move(first), std::move(second)});
}

}  // namespace unroll
