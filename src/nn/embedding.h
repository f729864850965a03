// The embedding: maps symbols to vectors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "kernels/weights.h"

namespace unroll {

// x_r = row ids[r] of the table.
//
// Shapes   table (V, E), ids (R), x (R, E). Requires 0 <= id < V.
// Threads  uses `workers`.
void embedding_forward(Workers& workers, const WeightView& table, std::span<const std::int32_t> ids, MatView<float> x);

// The gradient of a table (V, E) of which a window uses few rows. Stores only rows to which something was added, in the
// order in which their ids first came; the others are zero.
class EmbeddingGradient {
 public:
  // Zero, with room for min(most_rows, V) different ids. Throws Error{kMemory}.
  EmbeddingGradient(std::int64_t V, std::int64_t E, std::int64_t most_rows);

  // Bytes that the constructor allocates.
  static std::int64_t bytes(std::int64_t V, std::int64_t E, std::int64_t most_rows) noexcept;

  // V.
  [[nodiscard]] std::int64_t ids_in_all() const noexcept { return static_cast<std::int64_t>(slots_.size()); }
  // Room for so many different ids.
  [[nodiscard]] std::int64_t most_rows() const noexcept { return E_ == 0 ? 0 : rows_.size() / E_; }
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_; }
  // (ids, E) contiguous: row i is the gradient of row ids()[i] of the table.
  [[nodiscard]] MatView<float> rows() const noexcept {
    return {rows_.data(), static_cast<std::int64_t>(ids_.size()), E_};
  }
  // The gradient of row `id` of the table, (E); empty if nothing was added to it.
  [[nodiscard]] std::span<const float> row(std::int64_t id) const noexcept;

  // Costs time proportional to the number of ids, not to V.
  void set_zero();

 private:
  friend void embedding_backward(Workers& workers, EmbeddingGradient& dtable, std::span<const std::int32_t> ids,
                                 MatView<const float> dx);

  std::int64_t E_;
  std::vector<std::int32_t> slots_;  // (V) row of rows_ that belongs to an id; -1: none
  std::vector<std::int32_t> ids_;
  FloatBuffer rows_;  // beyond ids_.size() unspecified
};

// dtable row ids[r] += dx_r, summed in the order of r.
//
// Adds     to dtable. Requires room for all different ids since its last set_zero().
// Threads  uses `workers`; one worker adds to a row of dtable, so its sum has one order.
void embedding_backward(Workers& workers, EmbeddingGradient& dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx);

// The same for a dense table, as tied weights need it.
void embedding_backward(Workers& workers, MatView<float> dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx);

}  // namespace unroll
