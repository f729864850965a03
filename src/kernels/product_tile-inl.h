// The tile of kernels/products.h, written once for every arithmetic and instruction set. Each products_*.cc includes it
// once for every target, after <hwy/highway.h>.
//
// An Arithmetic has
//   kRows                    rows of its largest tile
//   Sum, Factor              vectors of sums and of lanes
//   load(b), broadcast(a)    lanes of the second factor; one lane of the first, in all lanes
//   multiply_add(x, w, s)    s + x w
//   begin(start)             the initial sum
//   finish(tile, row, column, sum)   the numbers to be stored
#if defined(UNROLL_KERNELS_PRODUCT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_PRODUCT_TILE_INL_H_
#undef UNROLL_KERNELS_PRODUCT_TILE_INL_H_
#else
#define UNROLL_KERNELS_PRODUCT_TILE_INL_H_
#endif

#include <hwy/cache_control.h>

#include <array>
#include <cstddef>
#include <utility>

#include "kernels/products.h"
#include "kernels/unrolled.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr std::size_t kMostLanes = 16;
using FloatTag = hn::CappedTag<float, kMostLanes>;
using LaneTag = hn::RebindToUnsigned<FloatTag>;
using FloatVector = hn::Vec<FloatTag>;
using LaneVector = hn::Vec<LaneTag>;

// Registers hold the sums of a tile, the panel's vectors and one broadcast lane.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr std::size_t kTileRows = 13;
inline constexpr std::size_t kGradientRows = 12;
inline constexpr std::size_t kMostSums = 24;
#else
inline constexpr std::size_t kTileRows = 6;
inline constexpr std::size_t kGradientRows = 6;
inline constexpr std::size_t kMostSums = 12;
#endif

// The common part of Arithmetics whose sums are floats.
struct FloatSums {
  static constexpr std::size_t kRows = kTileRows;
  using Sum = FloatVector;

  static HWY_INLINE Sum begin(const float* start) {
    return start == nullptr ? hn::Zero(FloatTag()) : hn::LoadU(FloatTag(), start);
  }
  static HWY_INLINE FloatVector finish(const Tile& /*tile*/, std::int64_t /*row*/, std::int64_t /*column*/, Sum sum) {
    return sum;
  }
};

// With few rows a tile takes several panels at once: two multiply-add units need at least eight chains.
constexpr std::size_t panels_at_once(std::size_t rows) {
  const std::size_t panels = kMostSums / (2 * rows);
  return panels >= 4 ? 4 : panels >= 2 ? 2 : 1;
}

template <class Arithmetic, std::size_t kRows, std::size_t kPanels, std::size_t kVectors, bool kGradient>
void compute_tile(const Tile& t) {
  constexpr std::size_t kColumns = kPanels * kVectors;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(FloatTag()));
  typename Arithmetic::Sum sums[kRows][kColumns];
  UNROLLED(16)
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    UNROLLED(8)
    for (std::size_t n = 0; n < kColumns; ++n) {
      const auto column = static_cast<std::int64_t>(n) * lanes;
      sums[i][n] = Arithmetic::begin(kGradient ? nullptr : t.start + row * t.start_row + column);
      // Fetches the tile's results into the cache while it computes.
      hwy::Prefetch(t.c + row * t.c_row + column);
    }
    hwy::Prefetch(t.c + row * t.c_row + static_cast<std::int64_t>(kColumns) * lanes - 1);
  }
  const Lane* a = t.a;
  const Lane* b = t.b;
  const std::byte* ahead = t.ahead;
  for (std::int64_t g = 0; g < t.groups; ++g) {
    typename Arithmetic::Factor w[kColumns];
    UNROLLED(8)
    for (std::size_t n = 0; n < kColumns; ++n) {
      const auto panel = static_cast<std::int64_t>(n / kVectors);
      w[n] = Arithmetic::load(b + panel * t.b_panel + static_cast<std::int64_t>(n % kVectors) * lanes);
    }
    UNROLLED(16)
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const typename Arithmetic::Factor x = Arithmetic::broadcast(a + (kGradient ? row : row * t.a_row));
      UNROLLED(8)
      for (std::size_t n = 0; n < kColumns; ++n) sums[i][n] = Arithmetic::multiply_add(x, w[n], sums[i][n]);
    }
    if constexpr (!kGradient) {
      hwy::Prefetch(ahead);
      ahead += t.ahead_step;
    }
    a += kGradient ? static_cast<std::int64_t>(kRows) : 1;
    b += static_cast<std::int64_t>(kVectors) * lanes;
  }
  UNROLLED(16)
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    UNROLLED(8)
    for (std::size_t n = 0; n < kColumns; ++n) {
      const auto column = static_cast<std::int64_t>(n) * lanes;
      float* const c = t.c + row * t.c_row + column;
      const FloatVector result = Arithmetic::finish(t, row, column, sums[i][n]);
      if constexpr (kGradient) {
        hn::StoreU(hn::Add(hn::LoadU(FloatTag(), c), result), FloatTag(), c);
      } else {
        hn::StoreU(result, FloatTag(), c);
      }
    }
  }
}

template <class Arithmetic, std::size_t kVectors, std::size_t... kRowsBefore>
constexpr std::array<TileFunction, sizeof...(kRowsBefore)> one_panel_tiles(
    std::index_sequence<kRowsBefore...> /*rows*/) {
  return {compute_tile<Arithmetic, kRowsBefore + 1, 1, kVectors, false>...};
}

template <class Arithmetic, std::size_t... kRowsBefore>
constexpr std::array<WideTile, sizeof...(kRowsBefore)> widest_tiles(std::index_sequence<kRowsBefore...> /*rows*/) {
  return {WideTile{compute_tile<Arithmetic, kRowsBefore + 1, panels_at_once(kRowsBefore + 1), 2, false>,
                   static_cast<std::int64_t>(panels_at_once(kRowsBefore + 1))}...};
}

// All tiles of an arithmetic; the caller adds depth and conversions.
template <class Arithmetic, bool kWithGradient>
ProductKernels kernels_of() {
  using TileRows = std::make_index_sequence<Arithmetic::kRows>;
  static constexpr auto kNarrow = one_panel_tiles<Arithmetic, 1>(TileRows());
  static constexpr auto kWide = one_panel_tiles<Arithmetic, 2>(TileRows());
  static constexpr auto kWidest = widest_tiles<Arithmetic>(TileRows());
  ProductKernels kernels;
  kernels.vector = static_cast<std::int64_t>(hn::Lanes(FloatTag()));
  kernels.narrow = kNarrow;
  kernels.wide = kWide;
  kernels.widest = kWidest;
  if constexpr (kWithGradient) {
    kernels.gradient_rows = static_cast<std::int64_t>(kGradientRows);
    kernels.gradient_narrow = compute_tile<Arithmetic, kGradientRows, 1, 1, true>;
    kernels.gradient_wide = compute_tile<Arithmetic, kGradientRows, 1, 2, true>;
  }
  return kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
