// The bootstrap: statistics of a test set, recomputed on resamples of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "unroll/judge/interval.h"

namespace unroll {

constexpr std::int64_t kFewestResamples = 40;  // with one outside the interval on each side

// Computes values of a sample that consists of the items `drawn`, as often as they are. Sets values[i] where the sample
// has a value of statistic i; what it leaves is none.
using Statistics = std::function<void(std::span<const std::size_t> drawn, std::span<std::optional<double>> values)>;

// For each of `count` statistics the middle 95% of its values over resamples of `size` items. Resamples without a value
// are left out; none where fewer than 40 have one. Values may be infinite, but not NaN. Throws Error{kUsage} for fewer
// than 40 resamples.
[[nodiscard]] std::vector<std::optional<Interval>> middles_of_resamples(std::size_t size,
                                                                        const BootstrapOptions& options,
                                                                        std::size_t count,
                                                                        const Statistics& statistics);

}  // namespace unroll
