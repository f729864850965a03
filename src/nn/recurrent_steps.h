// The building blocks of the cells' sweeps over time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "kernels/gates.h"
#include "nn/recurrent.h"

namespace unroll {

// y = x A + bias, rows shared among the workers.
void multiply_rows(Workers& workers, MatView<const float> x, const PackedMatrix& weights, std::span<const float> bias,
                   MatView<float> y);

// dU += dgates^T x for each of `products` (one or two); db += column sums of dgates, unless db is empty, and the same
// for second_db: two biases of which only the sum matters have one gradient.
void add_weight_gradients(Workers& workers, Precision precision, MatView<const float> dgates,
                          std::initializer_list<TransposedProduct> products, std::span<float> db = {},
                          std::span<float> second_db = {});

// The end of backward for a cell whose gates all depend on U x + b + W h + b': with the gradients of those sums in
// tape.gates, dx = dgates U, dU += dgates^T x, db, db' += sum dgates, dW += dgates^T h_{t-1} (nothing where reset).
void add_gradients_of_sums(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                           RecurrentTape& tape, const RecurrentParams<float>& dparams, MatView<float> dx);

// Products are cut into multiples of this many rows, which fill whole tiles.
inline constexpr std::int64_t kProductRows = 12;

// Rows that a worker takes at once: of logits, and of numbers that are only copied.
inline constexpr std::int64_t kLogitRows = 64;
inline constexpr std::int64_t kCopiedRows = 64;

// Sets to zero the rows whose bit is set; does nothing if `reset` is empty.
void zero_reset_rows(std::span<const std::uint8_t> reset, MatView<float> rows);

// One step of a shard of rows [first, last): its place in the buffers of a window.
struct ShardStep {
  std::int64_t first = 0;  // row of the batch
  std::int64_t count = 0;
  std::int64_t at = 0;     // row t*B + first of (T*B, .) buffers, and of the previous state in (T+1)*B rows
  std::int64_t after = 0;  // row (t+1)*B + first: the next state
  GateShape gates;
};

// Step t of rows [first, last).
inline ShardStep shard_step(const RecurrentShape& shape, std::span<const std::uint8_t> reset, std::int64_t t,
                            std::int64_t first, std::int64_t last) noexcept {
  const std::int64_t at = t * shape.B + first;
  const std::uint8_t* const bits = reset.empty() ? nullptr : reset.data() + at;
  return {.first = first,
          .count = last - first,
          .at = at,
          .after = at + shape.B,
          .gates = {.rows = last - first, .H = shape.H, .reset = bits}};
}

// The reset bits of a step, empty if the window has none.
inline std::span<const std::uint8_t> reset_of(std::span<const std::uint8_t> reset, const ShardStep& step) noexcept {
  return reset.empty() ? reset : reset.subspan(static_cast<std::size_t>(step.at), static_cast<std::size_t>(step.count));
}

}  // namespace unroll
