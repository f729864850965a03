#include "judge/resampling.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/philox.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void draw(const BootstrapOptions& options, std::int64_t resample, std::vector<std::size_t>& drawn) {
  const std::size_t size = drawn.size();
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 4 == 0) {
      words = random_words(options.seed, static_cast<std::uint32_t>(resample), RandomPurpose::kBootstrap, 0,
                           static_cast<std::uint32_t>(i / 4), 0);
    }
    drawn[i] = static_cast<std::size_t>(std::uint64_t{words[i % 4]} * size >> 32);
  }
}

std::optional<Interval> middle_of(std::vector<double>& values) {
  if (std::ssize(values) < kFewestResamples) return std::nullopt;
  std::ranges::sort(values);
  const std::size_t outside = values.size() / kFewestResamples;
  return Interval{.low = values[outside], .high = values[values.size() - 1 - outside]};
}

}  // namespace

std::vector<std::optional<Interval>> middles_of_resamples(std::size_t size, const BootstrapOptions& options,
                                                          std::size_t count, const Statistics& statistics) {
  if (options.resamples < kFewestResamples) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`resamples` is {}: expected at least {}", options.resamples, kFewestResamples),
                "resamples");
  }
  std::vector<std::vector<double>> found(count);
  std::vector<std::size_t> drawn(size);
  std::vector<std::optional<double>> values(count);
  for (std::int64_t resample = 0; resample < options.resamples && size > 0; ++resample) {
    draw(options, resample, drawn);
    std::ranges::fill(values, std::nullopt);
    statistics(drawn, values);
    for (std::size_t i = 0; i < count; ++i) {
      if (values[i]) found[i].push_back(*values[i]);
    }
  }
  std::vector<std::optional<Interval>> middles;
  for (std::vector<double>& values_of_one : found) middles.push_back(middle_of(values_of_one));
  return middles;
}

}  // namespace unroll
