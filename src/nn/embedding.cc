#include "nn/embedding.h"

#include <algorithm>
#include <cassert>

#include "kernels/arrays.h"

namespace unroll {

void embedding_forward(Workers& workers, const WeightView& table, std::span<const std::int32_t> ids, MatView<float> x) {
  constexpr std::int64_t kRowsPerTask = 256;
  assert(x.rows == static_cast<std::int64_t>(ids.size()) && x.cols == table.cols());
  workers.run_ranges(x.rows, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      table.read_row(ids[static_cast<std::size_t>(r)], {x.row(r), static_cast<std::size_t>(x.cols)});
    }
  });
}

EmbeddingGradient::EmbeddingGradient(std::int64_t V, std::int64_t E, std::int64_t most_rows)
    : E_(E), slots_(static_cast<std::size_t>(V), -1), rows_(std::min(V, most_rows) * E) {
  ids_.reserve(static_cast<std::size_t>(std::min(V, most_rows)));
}

std::int64_t EmbeddingGradient::bytes(std::int64_t V, std::int64_t E, std::int64_t most_rows) noexcept {
  const std::int64_t rows = std::min(V, most_rows);
  return static_cast<std::int64_t>(sizeof(float)) * rows * E +
         static_cast<std::int64_t>(sizeof(std::int32_t)) * (V + rows);
}

std::span<const float> EmbeddingGradient::row(std::int64_t id) const noexcept {
  const std::int32_t slot = slots_[static_cast<std::size_t>(id)];
  if (slot < 0) return {};
  return {rows_.data() + slot * E_, static_cast<std::size_t>(E_)};
}

void EmbeddingGradient::set_zero() {
  for (const std::int32_t id : ids_) slots_[static_cast<std::size_t>(id)] = -1;
  ids_.clear();
}

// In both, each worker reads all ids and handles those of its own rows: reading ids is cheap compared with adding rows.

void embedding_backward(Workers& workers, EmbeddingGradient& dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx) {
  const auto known = static_cast<std::int64_t>(dtable.ids_.size());
  for (const std::int32_t id : ids) {
    std::int32_t& slot = dtable.slots_[static_cast<std::size_t>(id)];
    if (slot >= 0) continue;
    assert(dtable.ids_.size() < dtable.ids_.capacity());
    slot = static_cast<std::int32_t>(dtable.ids_.size());
    dtable.ids_.push_back(id);
  }
  const std::int64_t owners = workers.count();
  const auto E = static_cast<std::size_t>(dtable.E_);
  workers.run(owners, [&](std::int64_t owner) {
    std::int64_t next_new = known;  // rows from here on still hold those of an earlier window
    for (std::int64_t r = 0; r < dx.rows; ++r) {
      const std::int64_t slot = dtable.slots_[static_cast<std::size_t>(ids[static_cast<std::size_t>(r)])];
      if (slot % owners != owner) continue;
      const std::span<float> sum(dtable.rows_.data() + slot * dtable.E_, E);
      if (slot >= next_new) {
        std::ranges::fill(sum, 0.0F);
        next_new = slot + 1;
      }
      add({dx.row(r), E}, sum);
    }
  });
}

void embedding_backward(Workers& workers, MatView<float> dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx) {
  const std::int64_t owners = workers.count();
  const auto E = static_cast<std::size_t>(dtable.cols);
  workers.run(owners, [&](std::int64_t owner) {
    for (std::int64_t r = 0; r < dx.rows; ++r) {
      const std::int64_t id = ids[static_cast<std::size_t>(r)];
      if (id % owners == owner) add({dx.row(r), E}, {dtable.row(id), E});
    }
  });
}

}  // namespace unroll
