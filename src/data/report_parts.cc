#include "data/report_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/quote.h"
#include "data/trainable.h"

namespace unroll {
namespace {

constexpr std::size_t kMostNamedLabels = 10;

}  // namespace

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

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamedLabels); ++i) {
    list += (i == 0 ? "" : ", ") + quote(names[i]);
  }
  if (names.size() > kMostNamedLabels) {
    list += fmt::format(" and {} more", grouped_digits(static_cast<std::int64_t>(names.size() - kMostNamedLabels)));
  }
  return list;
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped_digits(count), count == 1 ? one : many);
}

void add_example(std::vector<EqualTexts>& examples, std::string first, std::string second) {
  if (examples.size() < DataReport::kMostExamples) examples.push_back({std::move(first), std::move(second)});
}

}  // namespace unroll
