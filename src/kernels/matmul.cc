#include "kernels/matmul.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <vector>

#include "base/buffer.h"
#include "kernels/panels.h"
#include "kernels/products.h"

namespace unroll {
namespace {

// Rows and groups of one block: the rows' lanes stay in the second-level cache for all panels of weights.
constexpr std::int64_t kMostRows = 384;
constexpr std::int64_t kMostGroups = 768;
constexpr std::int64_t kBlockLanes = 1 << 16;

// Blocks of equal size, none above `most`.
std::int64_t equal_block(std::int64_t size, std::int64_t most) {
  const std::int64_t blocks = (size + most - 1) / most;
  return (size + blocks - 1) / blocks;
}

// Rows whose distance is a multiple of this many lanes (4 KiB) share one set of the first-level cache.
constexpr std::int64_t kAliasingLanes = 1024;
constexpr std::int64_t kAliasingRows = 4;
constexpr std::int64_t kAliasingPad = 16;

constexpr std::int64_t kMostTileRows = 16;
constexpr std::int64_t kMostPanel = 32;

// The initial values and the destination of the sums of a block of rows, by column.
struct Target {
  const float* start;
  std::int64_t start_row;
  MatView<float> y;
};

}  // namespace

struct PackedMatrix::Packed {
  std::int64_t K, N;
  Precision precision;
  const ProductKernels& kernels;
  std::int64_t groups;
  FloatBuffer storage;                // lanes
  std::vector<float> zeros;           // (padded N) initial sums without a bias
  std::vector<float> scales;          // (padded N) int8
  std::vector<std::int32_t> offsets;  // (padded N) int8: the contribution to a sum of what is added to each input

  Packed(std::int64_t rows, std::int64_t cols, Precision in)
      : K(rows),
        N(cols),
        precision(in),
        kernels(product_kernels(in)),
        groups(kernels.groups(rows)),
        storage(groups * kernels.padded_columns(cols)),
        zeros(static_cast<std::size_t>(kernels.padded_columns(cols))) {
    if (precision != Precision::kInt8) return;
    scales.resize(zeros.size());
    offsets.resize(zeros.size());
  }

  [[nodiscard]] Lane* lanes() const noexcept { return reinterpret_cast<Lane*>(storage.data()); }
  // The panel that begins at column n.
  [[nodiscard]] Lane* panel_at(std::int64_t n) const noexcept { return lanes() + n * groups; }
  [[nodiscard]] std::int64_t panel_width(std::int64_t n) const noexcept {
    return N - n > kernels.vector ? kernels.panel() : kernels.vector;
  }

  void take_rows(MatView<const float> a, std::int64_t first, std::int64_t last);
  void take_columns(const WeightView& a, std::int64_t first, std::int64_t last);
  void column_as_lanes(const WeightView& a, std::int64_t n, Lane* out);

  void multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const;
  [[nodiscard]] std::int64_t block_groups() const;
  void multiply_few_rows(Tile tile, std::int64_t rows, const Target& target) const;
  void multiply_many_rows(const Tile& all, std::int64_t rows, Target target) const;
  void run_tile(Tile tile, std::int64_t n, std::int64_t rows) const;
  void point_at(Tile& tile, std::int64_t n, const Target& target) const;
};

// --- Packing ---------------------------------------------------------------------------------------------------------

void PackedMatrix::Packed::take_rows(MatView<const float> a, std::int64_t first, std::int64_t last) {
  rows_into_panels(kernels, a.row_range(first, last - first), kernels.panel(), kernels.vector, first / kernels.depth,
                   groups, lanes());
}

// Column n of the packed matrix, which is row n of `a`, as lanes.
void PackedMatrix::Packed::column_as_lanes(const WeightView& a, std::int64_t n, Lane* out) {
  thread_local std::vector<float> values;
  const float* floats = nullptr;
  if (a.precision() == Precision::kF32) {
    floats = a.f32_row(n);
  } else if (a.precision() != precision) {
    values.resize(static_cast<std::size_t>(K));
    a.read_row(n, values);
    floats = values.data();
  }
  const auto at = static_cast<std::size_t>(n);
  out[groups - 1] = 0;
  switch (precision) {
    case Precision::kF32:
      std::memcpy(out, floats, static_cast<std::size_t>(K) * sizeof(float));
      return;
    case Precision::kBf16:
      if (floats != nullptr) {
        kernels.row_to_lanes(floats, K, out);
      } else {
        std::memcpy(out, a.bf16_row(n), static_cast<std::size_t>(K) * sizeof(Bf16));
      }
      return;
    case Precision::kInt8: {
      auto* const bytes = reinterpret_cast<std::int8_t*>(out);
      if (floats != nullptr) {
        scales[at] = to_int8({floats, static_cast<std::size_t>(K)}, {bytes, static_cast<std::size_t>(K)});
      } else {
        scales[at] = a.scale(n);
        std::memcpy(bytes, a.int8_row(n), static_cast<std::size_t>(K));
      }
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < K; ++k) sum += bytes[k];
      offsets[at] = kInt8InputOffset * sum;
      return;
    }
  }
}

void PackedMatrix::Packed::take_columns(const WeightView& a, std::int64_t first, std::int64_t last) {
  thread_local LaneRoom room;
  for (std::int64_t n = first; n < last;) {
    const std::int64_t width = panel_width(n);
    const std::int64_t columns = std::min(width, N - n);
    const Lane* rows = nullptr;
    if (a.precision() == Precision::kF32 && precision == Precision::kF32 && columns == width) {
      rows = reinterpret_cast<const Lane*>(a.f32_row(n));
    } else {
      Lane* const converted = room.of(width * groups);
      for (std::int64_t c = 0; c < columns; ++c) column_as_lanes(a, n + c, converted + c * groups);
      std::fill(converted + columns * groups, converted + width * groups, Lane{0});
      rows = converted;
    }
    transpose_into_panel(rows, groups, width, groups, panel_at(n));
    n += width;
  }
}

// --- Multiplying -----------------------------------------------------------------------------------------------------

namespace {

// Rows of the first factor as lanes: in place if possible, else in the thread's buffer.
Tile rows_as_lanes(const ProductKernels& kernels, MatView<const float> x, float* scales) {
  thread_local LaneRoom room;
  Tile tile;
  tile.row_scale = scales;
  const bool aliases = x.stride % kAliasingLanes == 0 && x.rows > kAliasingRows;
  if (kernels.row_to_lanes == nullptr && !aliases) {
    tile.a = reinterpret_cast<const Lane*>(x.data);
    tile.a_row = x.stride;
    return tile;
  }
  const std::int64_t groups = kernels.groups(x.cols);
  tile.a_row = groups % kAliasingLanes == 0 ? groups + kAliasingPad : groups;
  Lane* const lanes = room.of(x.rows * tile.a_row);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (kernels.row_to_lanes == nullptr) {
      std::memcpy(lanes + i * tile.a_row, x.row(i), static_cast<std::size_t>(x.cols) * sizeof(float));
    } else {
      scales[i] = kernels.row_to_lanes(x.row(i), x.cols, lanes + i * tile.a_row);
    }
  }
  tile.a = lanes;
  return tile;
}

}  // namespace

// Points `tile` at the panel that begins at column n.
void PackedMatrix::Packed::point_at(Tile& tile, std::int64_t n, const Target& target) const {
  tile.b = panel_at(n);
  tile.start = target.start + n;
  tile.start_row = target.start_row;
  tile.c = target.y.data + n;
  tile.c_row = target.y.stride;
  if (precision != Precision::kInt8) return;
  tile.column_scale = scales.data() + n;
  tile.column_offset = offsets.data() + n;
}

// Computes a tile of the panel at column n; if the panel has padding columns, in a temporary from which the others are
// copied.
void PackedMatrix::Packed::run_tile(Tile tile, std::int64_t n, std::int64_t rows) const {
  const std::int64_t width = panel_width(n);
  const auto& tiles = width == kernels.vector ? kernels.narrow : kernels.wide;
  const TileFunction run = tiles[static_cast<std::size_t>(rows - 1)];
  if (n + width <= N) return run(tile);
  std::array<float, kMostTileRows * kMostPanel> room;  // NOLINT: what is used of it is set
  const auto bytes = static_cast<std::size_t>(N - n) * sizeof(float);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::memcpy(room.data() + i * width, tile.start + i * tile.start_row, bytes);
  }
  float* const c = tile.c;
  const std::int64_t c_row = tile.c_row;
  tile.start = room.data();
  tile.start_row = width;
  tile.c = room.data();
  tile.c_row = width;
  run(tile);
  for (std::int64_t i = 0; i < rows; ++i) std::memcpy(c + i * c_row, room.data() + i * width, bytes);
}

// Rows that fit one tile: several panels at once keep the processor busy and memory streaming.
void PackedMatrix::Packed::multiply_few_rows(Tile tile, std::int64_t rows, const Target& target) const {
  const WideTile& widest = kernels.widest[static_cast<std::size_t>(rows - 1)];
  const std::int64_t columns = widest.panels * kernels.panel();
  tile.groups = groups;
  tile.b_panel = kernels.panel() * groups;
  tile.ahead = reinterpret_cast<const std::byte*>(tile.a);
  std::int64_t n = 0;
  for (; n + columns <= N; n += columns) {
    point_at(tile, n, target);
    widest.run(tile);
  }
  for (; n < N; n += panel_width(n)) {
    point_at(tile, n, target);
    run_tile(tile, n, rows);
  }
}

// More rows: a block of groups of one panel is multiplied with all of them before the next panel is read, which each
// tile prefetches in part.
void PackedMatrix::Packed::multiply_many_rows(const Tile& all, std::int64_t rows, Target target) const {
  const std::int64_t tiles = (rows + kernels.tile_rows() - 1) / kernels.tile_rows();
  const std::int64_t least = rows / tiles;
  const std::int64_t longer = rows % tiles;  // tiles with one row more
  const std::int64_t block = block_groups();
  for (std::int64_t g = 0; g < groups; g += block) {
    Tile tile = all;
    tile.groups = std::min(block, groups - g);
    for (std::int64_t n = 0; n < N; n += panel_width(n)) {
      const std::int64_t next = n + panel_width(n) < N ? n + panel_width(n) : n;
      point_at(tile, n, target);
      tile.a = all.a + g;
      tile.b += g * panel_width(n);
      tile.row_scale = all.row_scale;
      tile.ahead = reinterpret_cast<const std::byte*>(panel_at(next) + g * panel_width(next));
      tile.ahead_step = panel_width(next) * static_cast<std::int64_t>(sizeof(Lane)) / tiles;
      for (std::int64_t i = 0; i < tiles; ++i) {
        const std::int64_t count = i < longer ? least + 1 : least;
        run_tile(tile, n, count);
        tile.a += count * tile.a_row;
        tile.row_scale += count;
        tile.start += count * tile.start_row;
        tile.c += count * tile.c_row;
        tile.ahead += tile.groups * tile.ahead_step;
      }
    }
    target.start = target.y.data;
    target.start_row = target.y.stride;
  }
}

std::int64_t PackedMatrix::Packed::block_groups() const {
  return precision == Precision::kInt8 ? groups : equal_block(groups, kMostGroups);
}

void PackedMatrix::Packed::multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const {
  std::array<float, kMostRows> row_scales;  // NOLINT: what is used of it is set
  const std::int64_t most = std::clamp(kBlockLanes / block_groups(), 4 * kernels.tile_rows(), kMostRows);
  const std::int64_t block = equal_block(x.rows, most);
  for (std::int64_t first = 0; first < x.rows; first += block) {
    const std::int64_t rows = std::min(block, x.rows - first);
    const Tile tile = rows_as_lanes(kernels, x.row_range(first, rows), row_scales.data());
    const Target target{bias.empty() ? zeros.data() : bias.data(), 0, y.row_range(first, rows)};
    if (rows <= kernels.tile_rows()) {
      multiply_few_rows(tile, rows, target);
    } else {
      multiply_many_rows(tile, rows, target);
    }
  }
}

// --- Interface -------------------------------------------------------------------------------------------------------

PackedMatrix::PackedMatrix(std::int64_t K, std::int64_t N, Precision precision)
    : packed_(std::make_unique<Packed>(K, N, precision)) {}
PackedMatrix::PackedMatrix() noexcept = default;
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

void PackedMatrix::pack(MatView<const float> a, std::int64_t first, std::int64_t last) {
  assert(a.rows == packed_->K && a.cols == packed_->N && packed_->precision != Precision::kInt8);
  assert(first % kPackingUnit == 0 && (last % kPackingUnit == 0 || last == a.rows));
  packed_->take_rows(a, first, last);
}

void PackedMatrix::pack_transposed(const WeightView& a, std::int64_t first, std::int64_t last) {
  assert(a.cols() == packed_->K && a.rows() == packed_->N);
  assert(first % kPackingUnit == 0 && (last % kPackingUnit == 0 || last == a.rows()));
  packed_->take_columns(a, first, last);
}

void PackedMatrix::multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const {
  assert(x.cols == packed_->K && y.cols == packed_->N && x.rows == y.rows);
  assert(bias.empty() || static_cast<std::int64_t>(bias.size()) == packed_->N);
  packed_->multiply(x, bias, y);
}

Precision PackedMatrix::precision() const noexcept { return packed_ ? packed_->precision : Precision::kF32; }

std::int64_t PackedMatrix::bytes() const noexcept {
  return packed_ ? packed_->storage.size() * static_cast<std::int64_t>(sizeof(float)) : 0;
}

void pack_all(Workers& workers, std::span<const PackingTask> tasks) {
  constexpr std::int64_t kTypicalNumbers = 1 << 16;
  struct Piece {
    const PackingTask* task;
    std::int64_t first, last;
  };
  std::vector<Piece> pieces;
  for (const PackingTask& task : tasks) {
    const std::int64_t rows = task.a.rows();
    const std::int64_t units = std::max<std::int64_t>(1, kTypicalNumbers / (task.a.cols() * kPackingUnit));
    const std::int64_t grain = units * kPackingUnit;
    for (std::int64_t first = 0; first < rows; first += grain) {
      pieces.push_back({&task, first, std::min(rows, first + grain)});
    }
  }
  workers.run(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t i) {
    const auto& [task, first, last] = pieces[static_cast<std::size_t>(i)];
    task->forward->pack_transposed(task->a, first, last);
    if (task->back != nullptr) task->back->pack(task->a.f32(), first, last);
  });
}

}  // namespace unroll
