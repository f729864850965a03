#include "kernels/panels.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

namespace unroll {
namespace {

// Every x86-64 and ARM processor has these vectors, and memory limits what is done here: no choice at run time.
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

// With the width known, each copy is a few vector moves.
template <std::int64_t kWidth>
void cut(const Lane* row, std::int64_t panels, std::int64_t panel_stride, Lane* out) {
  for (std::int64_t p = 0; p < panels; ++p) {
    std::memcpy(out + p * panel_stride, row + p * kWidth, static_cast<std::size_t>(kWidth) * sizeof(Lane));
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

void cut_into_panels(const Lane* row, std::int64_t n, std::int64_t width, std::int64_t panel_stride, Lane* out) {
  const std::int64_t whole = n / width;
  switch (width) {
    case 6:
      cut<6>(row, whole, panel_stride, out);
      break;
    case 8:
      cut<8>(row, whole, panel_stride, out);
      break;
    case 12:
      cut<12>(row, whole, panel_stride, out);
      break;
    case 16:
      cut<16>(row, whole, panel_stride, out);
      break;
    case 32:
      cut<32>(row, whole, panel_stride, out);
      break;
    default:
      for (std::int64_t p = 0; p < whole; ++p) std::copy_n(row + p * width, width, out + p * panel_stride);
  }
  if (whole * width == n) return;
  Lane* const last = out + whole * panel_stride;
  Lane* const end = std::copy_n(row + whole * width, n - whole * width, last);
  std::fill(end, last + width, Lane{0});
}

Lane* LaneRoom::of(std::int64_t lanes) {
  if (static_cast<std::int64_t>(lanes_.size()) < lanes) lanes_.resize(static_cast<std::size_t>(lanes));
  return lanes_.data();
}

}  // namespace unroll
