#include <bit>
#include <span>
#include <string>

#include "data/hold_out.h"
#include "unroll/fnv1a.h"

namespace unroll {
namespace {

// A short name of a sequence's numbers: equal for equal ones, and for others never in practice.
std::string fingerprint(std::span<const float> values) {
  std::uint64_t low = kFnv1aStart;  // of each number as a whole
  std::uint64_t high = 0x9E3779B97F4A7C15U;
  for (const float value : values) {
    const auto bits = static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(value));
    low = fnv1a(low, bits);
    high = (high + bits) * 0xD6E8FEB86659FD93U;
    high ^= high >> 32U;
  }
  std::string name;
  for (const std::uint64_t hash : {low, high, static_cast<std::uint64_t>(values.size())}) {
    for (unsigned shift = 0; shift < 64; shift += 8) name += static_cast<char>(hash >> shift);
  }
  return name;
}

// Sequences as texts that are equal where their numbers are.
LabelledTexts texts_like(const DenseData& data) {
  LabelledTexts texts{.labels = data.labels};
  const auto D = static_cast<std::size_t>(data.D);
  for (std::size_t i = 0; i < data.sequences(); ++i) {
    const auto first = static_cast<std::size_t>(data.starts[i]) * D;
    const auto size = static_cast<std::size_t>(data.length(i)) * D;
    texts.texts.push_back({.text = fingerprint(std::span(data.values).subspan(first, size))});
    if (!data.label_of.empty() && !data.target_per_step) texts.texts.back().labels = {data.label_of[i]};
  }
  return texts;
}

}  // namespace

TextSplit hold_out(const DenseData& data, double share, std::uint64_t seed) {
  return hold_out(texts_like(data), share, seed);
}

TextSplit split_fold(const DenseData& data, std::int64_t fold, std::int64_t folds, std::uint64_t seed) {
  return split_fold(texts_like(data), fold, folds, seed);
}

}  // namespace unroll
