// The kernels of matrix products: one set for each precision, chosen for the processor at run time.
//
// Lanes    Both factors are arrays of 32-bit lanes. A lane holds `depth` successive numbers of the sum's index k: one
//          float, two bf16 (the first in the lower half) or four 8-bit integers. K numbers are ceil(K / depth) groups,
//          the last one padded with zeros.
// Panels   The second factor is stored in panels of columns, each [group][column]. A panel is two vectors wide; the
//          last is one vector wide if that suffices.
// Tiles    A tile is a few rows of the first factor times one panel (or several), all its sums in registers. Each sum
//          is one chain of multiply-adds over the groups in order, so its bits do not depend on the tile that it is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "unroll/precision.h"

namespace unroll {

using Lane = std::uint32_t;

// An 8-bit input q is stored as the unsigned byte q + 64, at most 127: the products of two such bytes with two weights
// from -127 to 127 add up to no more than 16 bits hold, so that processors may sum them in pairs.
inline constexpr std::int32_t kLargestInt8Input = 63;
inline constexpr std::int32_t kInt8InputOffset = 64;

struct Tile {
  const Lane* a = nullptr;  // row i, group g: a[i * a_row + g]; of a gradient tile: a[g * rows + i]
  std::int64_t a_row = 0;
  const Lane* b = nullptr;   // the first panel, at the first group
  std::int64_t b_panel = 0;  // lanes from one panel to the next
  std::int64_t groups = 0;
  const float* start = nullptr;  // initial sums: start[i * start_row + column]
  std::int64_t start_row = 0;
  float* c = nullptr;  // set; of a gradient tile: added to
  std::int64_t c_row = 0;
  // Memory to prefetch, `ahead_step` bytes further with every group. Any readable memory will do.
  const std::byte* ahead = nullptr;
  std::int64_t ahead_step = 0;
  // int8 only: c = start + row_scale * column_scale * (sum - column_offset).
  const float* row_scale = nullptr;
  const float* column_scale = nullptr;
  const std::int32_t* column_offset = nullptr;
};

using TileFunction = void (*)(const Tile&);

// A tile function for some number of rows, and the number of two-vector panels that it takes at once.
struct WideTile {
  TileFunction run = nullptr;
  std::int64_t panels = 0;
};

struct ProductKernels {
  std::int64_t depth = 1;
  std::int64_t vector = 0;               // lanes
  std::span<const TileFunction> narrow;  // [rows - 1], one panel of one vector
  std::span<const TileFunction> wide;    // [rows - 1], one panel of two vectors
  std::span<const WideTile> widest;      // [rows - 1], as many panels as registers hold
  std::int64_t gradient_rows = 0;        // rows of the tiles of weight gradients; 0: none in this precision
  TileFunction gradient_narrow = nullptr;
  TileFunction gradient_wide = nullptr;

  // Converts a row of the first factor (in bf16, of either), n numbers, to ceil(n / depth) lanes. Returns the row's
  // scale, which is 1 except in int8, where the lanes hold bytes from 1 to 127 that stand for -63 to 63. Null for
  // f32, whose numbers are lanes already.
  float (*row_to_lanes)(const float* x, std::int64_t n, Lane* out) = nullptr;
  // Converts `depth` successive rows of numbers, the sum's index running down the rows, to one row of n lanes. Rows
  // from `count` on count as zero. Null for f32, whose numbers are lanes already, and int8.
  void (*rows_to_lanes)(const float* first, std::int64_t stride, std::int64_t count, std::int64_t n,
                        Lane* out) = nullptr;

  [[nodiscard]] std::int64_t tile_rows() const noexcept { return static_cast<std::int64_t>(wide.size()); }
  [[nodiscard]] std::int64_t panel() const noexcept { return 2 * vector; }
  [[nodiscard]] std::int64_t groups(std::int64_t K) const noexcept { return (K + depth - 1) / depth; }
  // Columns of the panels of N columns, padding included.
  [[nodiscard]] std::int64_t padded_columns(std::int64_t N) const noexcept {
    return (N + vector - 1) / vector * vector;
  }
};

// The kernels of a precision for this processor.
[[nodiscard]] const ProductKernels& product_kernels(Precision precision);

}  // namespace unroll
