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

void embedding_backward(Workers& workers, MatView<float> dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx) {
  // Each worker looks at all ids and takes those of its own rows: reading ids costs little beside adding rows.
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
