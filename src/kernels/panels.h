// Converts lanes to panels, the layout that the tiles of kernels/products.h read.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "base/view.h"
#include "kernels/products.h"

namespace unroll {

// Rows of lanes, each a column of the panel: out[g * width + n] = rows[n * stride + g] for g < groups. Requires width
// to be a multiple of 4.
void transpose_into_panel(const Lane* rows, std::int64_t stride, std::int64_t width, std::int64_t groups, Lane* out);

// Rows of n lanes cut into panels of `width` columns: out[c / width * panel_stride + r * width + c % width] =
// rows[r * stride + c] for r < count. Sets columns of the last panel beyond n to zero.
void cut_into_panels(const Lane* rows, std::int64_t stride, std::int64_t count, std::int64_t n, std::int64_t width,
                     std::int64_t panel_stride, Lane* out);

// Rows of numbers, the sum's index running down the rows, as panels of `width` columns one after another, each [group]
// [column]; the last panel is `narrow` columns wide if that suffices. x (R, n) are the rows from group `first` on of
// a matrix of `groups` groups, for which `out` has room: groups * (n rounded up to a whole panel).
void rows_into_panels(const ProductKernels& kernels, MatView<const float> x, std::int64_t width, std::int64_t narrow,
                      std::int64_t first, std::int64_t groups, Lane* out);

// Sets row r of x to zero in the output of rows_into_panels.
void clear_row_in_panels(const ProductKernels& kernels, MatView<const float> x, std::int64_t r, std::int64_t width,
                         std::int64_t narrow, Lane* out);

// A thread's buffer for lanes, which grows to the largest size requested; its content is unspecified.
class LaneRoom {
 public:
  Lane* of(std::int64_t lanes);

 private:
  FloatBuffer lanes_;  // aligned: a vector that crosses cache lines costs twice
};

}  // namespace unroll
