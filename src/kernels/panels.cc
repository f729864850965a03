#include "kernels/panels.h"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace unroll {
namespace {

// Every x86-64 and ARM processor has these vectors, and memory is the limit here: no dispatch at run time.
namespace hn = hwy::HWY_NAMESPACE;
using Four = hn::CappedTag<Lane, 4>;
using TwoPairs = hn::Repartition<std::uint64_t, Four>;
constexpr std::int64_t kBlock = 4;

HWY_ATTR void transpose_block(const Lane* rows, std::int64_t stride, std::int64_t width, Lane* out) {
  const Four d;
  const auto a = hn::LoadU(d, rows);
  const auto b = hn::LoadU(d, rows + stride);
  const auto c = hn::LoadU(d, rows + 2 * stride);
  const auto e = hn::LoadU(d, rows + 3 * stride);
  const auto pairs = [](auto x) { return hn::BitCast(TwoPairs(), x); };
  const auto ab_low = pairs(hn::InterleaveLower(d, a, b));
  const auto ab_high = pairs(hn::InterleaveUpper(d, a, b));
  const auto ce_low = pairs(hn::InterleaveLower(d, c, e));
  const auto ce_high = pairs(hn::InterleaveUpper(d, c, e));
  const auto put = [&](auto x, std::int64_t g) { hn::StoreU(hn::BitCast(d, x), d, out + g * width); };
  put(hn::InterleaveLower(TwoPairs(), ab_low, ce_low), 0);
  put(hn::InterleaveUpper(TwoPairs(), ab_low, ce_low), 1);
  put(hn::InterleaveLower(TwoPairs(), ab_high, ce_high), 2);
  put(hn::InterleaveUpper(TwoPairs(), ab_high, ce_high), 3);
}

// With a constant width, each copy is a few vector moves.
template <std::int64_t kWidth>
void cut(const Lane* rows, std::int64_t stride, std::int64_t count, std::int64_t panels, std::int64_t panel_stride,
         Lane* out) {
  for (std::int64_t p = 0; p < panels; ++p) {
    for (std::int64_t r = 0; r < count; ++r) {
      const Lane* const from = rows + r * stride + p * kWidth;
      std::memcpy(out + p * panel_stride + r * kWidth, from, static_cast<std::size_t>(kWidth) * sizeof(Lane));
    }
  }
}

}  // namespace

void transpose_into_panel(const Lane* rows, std::int64_t stride, std::int64_t width, std::int64_t groups, Lane* out) {
  const std::int64_t whole = groups / kBlock * kBlock;
  for (std::int64_t g = 0; g < whole; g += kBlock) {
    for (std::int64_t n = 0; n < width; n += kBlock) {
      transpose_block(rows + n * stride + g, stride, width, out + g * width + n);
    }
  }
  for (std::int64_t g = whole; g < groups; ++g) {
    for (std::int64_t n = 0; n < width; ++n) out[g * width + n] = rows[n * stride + g];
  }
}

void cut_into_panels(const Lane* rows, std::int64_t stride, std::int64_t count, std::int64_t n, std::int64_t width,
                     std::int64_t panel_stride, Lane* out) {
  const auto cut_whole = [&] {
    switch (width) {
      case 6:
        return cut<6>;
      case 8:
        return cut<8>;
      case 12:
        return cut<12>;
      case 16:
        return cut<16>;
      default:
        assert(width == 4 || width == 32);
        return width == 4 ? cut<4> : cut<32>;
    }
  }();
  const std::int64_t whole = n / width;
  cut_whole(rows, stride, count, whole, panel_stride, out);
  if (whole * width == n) return;
  for (std::int64_t r = 0; r < count; ++r) {
    const Lane* const row = rows + r * stride;
    Lane* const last = out + whole * panel_stride + r * width;
    Lane* const end = std::copy(row + whole * width, row + n, last);
    std::fill(end, last + width, Lane{0});
  }
}

namespace {

// The rows [first, first + count) of x, or fewer at its end.
void prefetch_rows(MatView<const float> x, std::int64_t first, std::int64_t count) {
  constexpr std::int64_t kLine = 16;  // floats of a cache line
  for (std::int64_t r = first; r < std::min(x.rows, first + count); ++r) {
    for (std::int64_t c = 0; c < x.cols; c += kLine) hwy::Prefetch(x.row(r) + c);
  }
}

}  // namespace

void rows_into_panels(const ProductKernels& kernels, MatView<const float> x, std::int64_t width, std::int64_t narrow,
                      std::int64_t first, std::int64_t groups, Lane* out) {
  // This many groups at once: each row is read, and each panel written, as a stream.
  constexpr std::int64_t kGroupsAtOnce = 8;
  thread_local LaneRoom room;
  const std::int64_t own = kernels.groups(x.rows);
  const std::int64_t whole = x.cols / width * width;
  const std::int64_t rest = x.cols - whole;
  const std::int64_t last = rest <= narrow ? narrow : width;
  for (std::int64_t g = 0; g < own; g += kGroupsAtOnce) {
    const std::int64_t count = std::min(kGroupsAtOnce, own - g);
    prefetch_rows(x, (g + count) * kernels.depth, kGroupsAtOnce * kernels.depth);
    const Lane* rows = reinterpret_cast<const Lane*>(x.row(g * kernels.depth));
    std::int64_t stride = x.stride;
    if (kernels.rows_to_lanes != nullptr) {
      stride = x.cols;
      Lane* const joined = room.of(count * stride);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t r = (g + i) * kernels.depth;
        kernels.rows_to_lanes(x.row(r), x.stride, x.rows - r, x.cols, joined + i * stride);
      }
      rows = joined;
    }
    cut_into_panels(rows, stride, count, whole, width, width * groups, out + (first + g) * width);
    if (rest > 0)
      cut_into_panels(rows + whole, stride, count, rest, last, 0, out + whole * groups + (first + g) * last);
  }
}

void clear_row_in_panels(const ProductKernels& kernels, MatView<const float> x, std::int64_t r, std::int64_t width,
                         std::int64_t narrow, Lane* out) {
  constexpr std::int64_t kLaneBits = 32;
  const std::int64_t groups = kernels.groups(x.rows);
  const std::int64_t g = r / kernels.depth;
  const std::int64_t bits = kLaneBits / kernels.depth;
  const Lane others = bits == kLaneBits ? 0 : ~(((Lane{1} << bits) - 1) << (r % kernels.depth * bits));
  for (std::int64_t n = 0; n < x.cols; n += width) {
    const std::int64_t panel = x.cols - n <= narrow ? narrow : width;
    Lane* const row = out + n * groups + g * panel;
    for (std::int64_t c = 0; c < panel; ++c) row[c] &= others;
  }
}

Lane* LaneRoom::of(std::int64_t lanes) {
  if (lanes_.size() < lanes) lanes_ = FloatBuffer(lanes);
  return reinterpret_cast<Lane*>(lanes_.data());
}

}  // namespace unroll
