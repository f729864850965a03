#include "ngram/backoff.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace unroll {
namespace {

// The least usable 1 - lower: below it, the difference of two sums near 1 is mostly rounding.
constexpr double kLittle = 1e-3;

void visit_below(const NgramTable& table, std::size_t length, std::size_t at, std::uint32_t node,
                 std::span<const std::uint32_t> context, const ContextVisitor& visit) {
  const std::vector<std::uint32_t>& extent = table.levels[at - 1].extent;
  if (extent[node] == extent[node + 1]) return;
  if (at == length) {
    visit(length, node, context);
    return;
  }
  for (std::uint32_t child = extent[node]; child < extent[node + 1]; ++child) {
    visit_below(table, length, at + 1, child, table.after(context, table.levels[at].words[child]), visit);
  }
}

// Sum of p, after the context without its first word, of all words that are not listed for the context itself.
double unlisted(const NgramTable& table, std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context,
                std::uint32_t begin) {
  const std::vector<std::uint32_t>& extent = table.levels[length - 1].extent;
  std::uint32_t next = extent[node];
  double sum = 0;
  for (std::uint32_t word = 0; word < table.words.size(); ++word) {
    if (next < extent[node + 1] && table.levels[length].words[next] == word) {
      ++next;
    } else if (word != begin) {
      sum += power_of_ten(table.log_prob(context.first(length - 1), word));
    }
  }
  return sum;
}

// The probability left for words that are not listed, after the context and after the shorter one.
ContextSums rest_after(const NgramTable& table, std::size_t length, std::uint32_t node,
                       std::span<const std::uint32_t> context, std::uint32_t begin) {
  const ContextSums sums = sums_after(table, length, node, context);
  ContextSums rest{.listed = 1 - sums.listed, .lower = 1 - sums.lower};
  if (rest.lower < kLittle) rest.lower = unlisted(table, length, node, context, begin);
  return rest;
}

}  // namespace

void visit_contexts(const NgramTable& table, std::size_t length, const ContextVisitor& visit) {
  for (std::uint32_t word = 0; word < table.words.size(); ++word) {
    visit_below(table, length, 1, word, table.after({}, word), visit);
  }
}

ContextSums sums_after(const NgramTable& table, std::size_t length, std::uint32_t node,
                       std::span<const std::uint32_t> context) {
  const std::vector<std::uint32_t>& extent = table.levels[length - 1].extent;
  const NgramLevel& level = table.levels[length];
  ContextSums sums;
  for (std::uint32_t i = extent[node]; i < extent[node + 1]; ++i) {
    sums.listed += power_of_ten(static_cast<double>(level.log_probs[i]));
    sums.lower += power_of_ten(table.log_prob(context.first(length - 1), level.words[i]));
  }
  return sums;
}

void weigh(NgramTable& table, std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context,
           std::uint32_t begin) {
  const ContextSums rest = rest_after(table, length, node, context, begin);
  double log = 0;  // if all words are listed
  if (rest.lower > 0) log = rest.listed > 0 ? std::log10(rest.listed / rest.lower) : kLogOfNothing;
  table.levels[length - 1].log_backoffs[node] = static_cast<float>(std::clamp(log, kLogOfNothing, -kLogOfNothing));
}

void weigh(NgramTable& table, std::uint32_t begin) {
  for (std::size_t length = 1; length < table.order(); ++length) {
    visit_contexts(table, length, [&](std::size_t, std::uint32_t node, std::span<const std::uint32_t> context) {
      weigh(table, length, node, context, begin);
    });
  }
}

double largest_sum_error(const NgramTable& table, std::uint32_t begin) {
  double total = 0;
  for (std::uint32_t word = 0; word < table.words.size(); ++word) {
    if (word != begin) total += power_of_ten(static_cast<double>(table.levels[0].log_probs[word]));
  }
  double largest = std::abs(1 - total);
  for (std::size_t length = 1; length < table.order(); ++length) {
    visit_contexts(table, length, [&](std::size_t, std::uint32_t node, std::span<const std::uint32_t> context) {
      const ContextSums rest = rest_after(table, length, node, context, begin);
      const double weight = power_of_ten(static_cast<double>(table.levels[length - 1].log_backoffs[node]));
      largest = std::max(largest, std::abs(weight * rest.lower - rest.listed));
    });
  }
  return largest;
}

}  // namespace unroll
