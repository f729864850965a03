#include <algorithm>
#include <array>
#include <cassert>

#include "kernels/arrays.h"
#include "kernels/matmul.h"
#include "kernels/panels.h"
#include "kernels/products.h"

namespace unroll {
namespace {

// Groups of one partial sum: part of the definition of the result.
constexpr std::int64_t kBlockGroups = 512;
// Columns of a in the second-level cache at once.
constexpr std::int64_t kBlockColumns = 192;
constexpr std::int64_t kMostTile = 16 * 32;
constexpr std::size_t kMostProducts = 2;

// A block of rows of a factor, as lanes in panels.
struct Factor {
  Lane* lanes = nullptr;
  std::int64_t panel = 0;  // lanes from one panel to the next
  std::int64_t groups = 0;
};

Factor cut_block(const ProductKernels& kernels, MatView<const float> x, std::int64_t width, std::int64_t narrow,
                 LaneRoom& room) {
  const std::int64_t groups = kernels.groups(x.rows);
  const std::int64_t panel = groups * width;
  Lane* const lanes = room.of((x.cols + width - 1) / width * panel);
  rows_into_panels(kernels, x, width, narrow, 0, groups, lanes);
  return {lanes, panel, groups};
}

// Rows [first, first + count) of b.
Factor cut_rows_that_count(const ProductKernels& kernels, const TransposedProduct& product, std::int64_t first,
                           std::int64_t count, LaneRoom& room) {
  const MatView<const float> rows = product.b.row_range(first, count);
  const Factor factor = cut_block(kernels, rows, kernels.panel(), kernels.vector, room);
  if (product.zero.empty()) return factor;
  for (std::int64_t r = 0; r < count; ++r) {
    if (product.zero[static_cast<std::size_t>(first + r)] == 0) continue;
    clear_row_in_panels(kernels, rows, r, kernels.panel(), kernels.vector, factor.lanes);
  }
  return factor;
}

// Computes one tile at row m and column n of c, in a temporary if it reaches beyond c.
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

// c += left^T right over one block of rows.
void add_block(const ProductKernels& kernels, const Factor& left, const Factor& right, MatView<float> c) {
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

void add_transposed_products(Precision precision, MatView<const float> a, std::span<const TransposedProduct> products,
                             std::span<float> sums) {
  assert(sums.empty() || static_cast<std::int64_t>(sums.size()) == a.cols);
  assert(products.size() <= kMostProducts);
  thread_local LaneRoom a_room;
  thread_local std::array<LaneRoom, kMostProducts> b_rooms;
  const ProductKernels& kernels = product_kernels(precision);
  const std::int64_t block_rows = kBlockGroups * kernels.depth;
  for (std::int64_t r = 0; r < a.rows; r += block_rows) {
    const std::int64_t rows = std::min(block_rows, a.rows - r);
    std::array<Factor, kMostProducts> right;
    for (std::size_t i = 0; i < products.size(); ++i) {
      assert(products[i].b.rows == a.rows && products[i].c.rows == a.cols && products[i].c.cols == products[i].b.cols);
      right[i] = cut_rows_that_count(kernels, products[i], r, rows, b_rooms[i]);
    }
    for (std::int64_t m = 0; m < a.cols; m += kBlockColumns) {
      const std::int64_t count = std::min(kBlockColumns, a.cols - m);
      const MatView<const float> columns = a.row_range(r, rows).col_range(m, count);
      const Factor left = cut_block(kernels, columns, kernels.gradient_rows, kernels.gradient_rows, a_room);
      if (!sums.empty()) {
        add_column_sums(columns, sums.subspan(static_cast<std::size_t>(m), static_cast<std::size_t>(count)));
      }
      for (std::size_t i = 0; i < products.size(); ++i) {
        add_block(kernels, left, right[i], products[i].c.row_range(m, count));
      }
    }
  }
}

}  // namespace unroll
