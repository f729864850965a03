#include <algorithm>
#include <array>
#include <cassert>

#include "kernels/arrays.h"
#include "kernels/matmul.h"
#include "kernels/panels.h"
#include "kernels/products.h"

namespace unroll {
namespace {

// Groups that one partial sum runs over: part of the definition of the result.
constexpr std::int64_t kBlockGroups = 256;
constexpr std::int64_t kMostTile = 16 * 32;

// A block of rows of `a` or `b`, as lanes in panels of `width` columns.
struct Factor {
  const Lane* lanes;
  std::int64_t panel;  // lanes from one panel to the next
  std::int64_t groups;
};

// The last panel is `narrow` columns wide where that suffices.
Factor cut_block(const ProductKernels& kernels, MatView<const float> x, std::int64_t width, std::int64_t narrow,
                 LaneRoom& panels) {
  thread_local LaneRoom joined_room;
  const std::int64_t groups = kernels.groups(x.rows);
  const std::int64_t panel = groups * width;
  const std::int64_t whole = x.cols / width;
  const std::int64_t rest = x.cols - whole * width;
  const std::int64_t last_width = rest <= narrow ? narrow : width;
  Lane* const lanes = panels.of((whole + 1) * panel);
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int64_t first = g * kernels.depth;
    const Lane* row = reinterpret_cast<const Lane*>(x.row(first));
    if (kernels.rows_to_lanes != nullptr) {
      Lane* const joined = joined_room.of(x.cols);
      kernels.rows_to_lanes(x.row(first), x.stride, x.rows - first, x.cols, joined);
      row = joined;
    }
    cut_into_panels(row, whole * width, width, panel, lanes + g * width);
    if (rest > 0) cut_into_panels(row + whole * width, rest, last_width, 0, lanes + whole * panel + g * last_width);
  }
  return {lanes, panel, groups};
}

// One tile at row m and column n of c; where it reaches beyond c, computed in a place of its own.
void add_tile(const ProductKernels& kernels, Tile tile, std::int64_t m, std::int64_t n, MatView<float> c) {
  const bool narrow = c.cols - n <= kernels.vector;
  const std::int64_t width = narrow ? kernels.vector : kernels.panel();
  const TileFunction run = narrow ? kernels.gradient_narrow : kernels.gradient_wide;
  const std::int64_t rows = std::min(kernels.gradient_rows, c.rows - m);
  const std::int64_t cols = std::min(width, c.cols - n);
  if (rows == kernels.gradient_rows && cols == width) {
    tile.c = c.row(m) + n;
    tile.c_row = c.stride;
    return run(tile);
  }
  std::array<float, kMostTile> room{};
  tile.c = room.data();
  tile.c_row = width;
  run(tile);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) c(m + i, n + j) += room[static_cast<std::size_t>(i * width + j)];
  }
}

// c += a^T b over one block of rows, `right` being b's.
void add_block(const ProductKernels& kernels, MatView<const float> a, const Factor& right, MatView<float> c,
               LaneRoom& room) {
  const Factor left = cut_block(kernels, a, kernels.gradient_rows, kernels.gradient_rows, room);
  Tile tile;
  tile.groups = left.groups;
  for (std::int64_t n = 0; n < c.cols; n += kernels.panel()) {
    tile.b = right.lanes + n / kernels.panel() * right.panel;
    for (std::int64_t m = 0; m < c.rows; m += kernels.gradient_rows) {
      tile.a = left.lanes + m / kernels.gradient_rows * left.panel;
      add_tile(kernels, tile, m, n, c);
    }
  }
}

}  // namespace

void add_transposed_product(Precision precision, MatView<const float> a, MatView<const float> b, MatView<float> c,
                            std::span<float> sums) {
  assert(a.rows == b.rows && a.cols == c.rows && b.cols == c.cols);
  assert(sums.empty() || static_cast<std::int64_t>(sums.size()) == a.cols);
  thread_local LaneRoom a_room;
  thread_local LaneRoom b_room;
  const ProductKernels& kernels = product_kernels(precision);
  const std::int64_t block_rows = kBlockGroups * kernels.depth;
  for (std::int64_t r = 0; r < a.rows; r += block_rows) {
    const std::int64_t rows = std::min(block_rows, a.rows - r);
    const Factor right = cut_block(kernels, b.row_range(r, rows), kernels.panel(), kernels.vector, b_room);
    for (std::int64_t m = 0; m < a.cols; m += kTypicalGradientRows) {
      const std::int64_t count = std::min(kTypicalGradientRows, a.cols - m);
      const MatView<const float> columns = a.row_range(r, rows).col_range(m, count);
      if (!sums.empty()) {
        add_column_sums(columns, sums.subspan(static_cast<std::size_t>(m), static_cast<std::size_t>(count)));
      }
      add_block(kernels, columns, right, c.row_range(m, count), a_room);
    }
  }
}

}  // namespace unroll
