// Lanes into panels: the layouts that the tiles of kernels/products.h read.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/products.h"

namespace unroll {

// Rows of lanes, each a column of the panel: out[g * width + n] = rows[n * stride + g] for g < groups. Requires width
// to be a multiple of 4.
void transpose_into_panel(const Lane* rows, std::int64_t stride, std::int64_t width, std::int64_t groups, Lane* out);

// One row of n lanes cut into panels of `width` columns: column c goes to out[c / width * panel_stride + c % width].
// What the last panel has beyond n is set to zero.
void cut_into_panels(const Lane* row, std::int64_t n, std::int64_t width, std::int64_t panel_stride, Lane* out);

// A thread's own room for lanes, as large as was ever asked for; what it holds is left over from before.
class LaneRoom {
 public:
  Lane* of(std::int64_t lanes);

 private:
  std::vector<Lane> lanes_;
};

}  // namespace unroll
