// Which labels are taken for which.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// The number of texts of a right label that were given an answer.
struct ConfusionCell {
  std::int32_t right = 0;
  std::int32_t answer = 0;
  std::int64_t texts = 0;
};

// All cells that are not 0, by right label, then by answer. Throws Error{kUsage} for different numbers of texts.
[[nodiscard]] std::vector<ConfusionCell> confusion(std::span<const std::int32_t> right,
                                                   std::span<const std::int32_t> answers);

// Writes the whole matrix as CSV (RFC 4180): a row for each right label, a column for each answer, both named. Requires
// cells from confusion(), of labels that `names` has. Throws Error{kFile} if the file cannot be written; it is then as
// it was.
void write_confusion(const std::string& path, std::span<const ConfusionCell> cells, std::span<const std::string> names);

}  // namespace unroll
