#include "kernels/matmul.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "kernels/processor.h"

namespace unroll {
namespace {

using Dims = dnnl::memory::dims;
constexpr auto kF32 = dnnl::memory::data_type::f32;

// Rows of one call where rows are padded: up to here a row's bits were the same for every multiple of the unit.
constexpr std::int64_t kPaddedRows = 48;
// Below AVX-512 leading dimensions that are powers of two alias in the cache; this many floats break that.
constexpr std::int64_t kLeadingPad = 16;

const dnnl::engine& engine() {
  static const dnnl::engine instance = [] {
    prepare_processor();
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return instance;
}

dnnl::stream& stream() {
  thread_local dnnl::stream instance(engine());
  return instance;
}

dnnl::memory::desc strided(std::int64_t rows, std::int64_t cols, std::int64_t row_stride, std::int64_t col_stride) {
  return {{rows, cols}, kF32, Dims{row_stride, col_stride}};
}

// Everything that a product's code depends on. `packed` products read weights in the layout of packed_layout(K, N).
struct ProductKey {
  std::int64_t M, N, K, lda, ldb, ldc;
  bool gradient, bias;
  friend bool operator==(const ProductKey&, const ProductKey&) = default;
};

struct ProductKeyHash {
  std::size_t operator()(const ProductKey& key) const noexcept {
    std::uint64_t hash = (key.gradient ? 2U : 0U) + (key.bias ? 1U : 0U);
    for (const std::int64_t part : {key.M, key.N, key.K, key.lda, key.ldb, key.ldc}) {
      hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29;
    }
    return static_cast<std::size_t>(hash);
  }
};

// A product ready to run on one thread: the primitive and memory objects whose addresses are set for each call.
struct Product {
  dnnl::matmul primitive;
  dnnl::memory a, b, c, bias, scratch;

  Product(const dnnl::matmul::primitive_desc& description, bool with_bias)
      : primitive(description),
        a(description.src_desc(), engine(), nullptr),
        c(description.dst_desc(), engine(), nullptr),
        scratch(description.scratchpad_desc(), engine(), nullptr) {
    if (with_bias) bias = dnnl::memory(description.bias_desc(), engine(), nullptr);
  }
};

// The thread's scratch memory for oneDNN, as large as the largest product has asked for.
void* scratch_memory(std::size_t bytes) {
  thread_local FloatBuffer buffer;
  const auto floats = static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float));
  if (buffer.size() < floats) buffer = FloatBuffer(floats);
  return buffer.data();
}

dnnl::primitive_attr attributes(bool add) {
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (add) {
    dnnl::post_ops add_to_result;
    add_to_result.append_sum(1.0F);
    result.set_post_ops(add_to_result);
  }
  return result;
}

// The layout in which this processor reads a (K, N) weight matrix.
dnnl::memory::desc packed_layout(std::int64_t K, std::int64_t N) {
  if (!has_avx512_products()) return strided(K, N, N + kLeadingPad, 1);
  constexpr std::int64_t kTypicalRows = 64;
  const dnnl::matmul::desc description(strided(kTypicalRows, K, K, 1), {{K, N}, kF32, dnnl::memory::format_tag::any},
                                       strided(kTypicalRows, N, N, 1));
  return dnnl::matmul::primitive_desc(description, attributes(false), engine()).weights_desc();
}

dnnl::matmul::primitive_desc describe(const ProductKey& key, const dnnl::memory::desc& weights) {
  const auto a = key.gradient ? strided(key.M, key.K, 1, key.lda) : strided(key.M, key.K, key.lda, 1);
  const auto c = strided(key.M, key.N, key.ldc, 1);
  const auto description =
      key.bias ? dnnl::matmul::desc(a, weights, strided(1, key.N, key.N, 1), c) : dnnl::matmul::desc(a, weights, c);
  return {description, attributes(key.gradient), engine()};
}

// The product of that shape, made when this thread first needs it.
Product& product(const ProductKey& key, const dnnl::memory::desc& weights) {
  // A scorer that meets lines of every length makes many shapes; a bound keeps the memory of a long-lived thread small.
  constexpr std::size_t kMostShapes = 4096;
  thread_local std::unordered_map<ProductKey, Product, ProductKeyHash> products;
  if (const auto found = products.find(key); found != products.end()) return found->second;
  if (products.size() >= kMostShapes) products.clear();
  return products.emplace(key, Product(describe(key, weights), key.bias)).first->second;
}

void run(Product& product, const float* a, dnnl_memory_t weights, const float* bias, float* c) {
  dnnl_memory_set_data_handle_v2(product.a.get(), const_cast<float*>(a), stream().get());
  dnnl_memory_set_data_handle_v2(product.c.get(), c, stream().get());
  dnnl_memory_set_data_handle_v2(product.scratch.get(), scratch_memory(product.scratch.get_desc().get_size()),
                                 stream().get());
  std::array<dnnl_exec_arg_t, 5> arguments{{{DNNL_ARG_SRC, product.a.get()},
                                            {DNNL_ARG_WEIGHTS, weights},
                                            {DNNL_ARG_DST, product.c.get()},
                                            {DNNL_ARG_SCRATCHPAD, product.scratch.get()},
                                            {DNNL_ARG_BIAS, nullptr}}};
  int count = 4;
  if (bias != nullptr) {
    dnnl_memory_set_data_handle_v2(product.bias.get(), const_cast<float*>(bias), stream().get());
    arguments[4].memory = product.bias.get();
    count = 5;
  }
  dnnl::error::wrap_c_api(dnnl_primitive_execute(product.primitive.get(), stream().get(), count, arguments.data()),
                          "a matrix product failed");
}

}  // namespace

struct PackedMatrix::Packed {
  std::int64_t K, N;
  dnnl::memory::desc layout;
  FloatBuffer storage;
  dnnl::memory memory;

  Packed(std::int64_t rows, std::int64_t cols)
      : K(rows),
        N(cols),
        layout(packed_layout(rows, cols)),
        storage(static_cast<std::int64_t>(layout.get_size() / sizeof(float))),
        memory(layout, engine(), storage.data()) {}

  void take(const float* values, std::int64_t row_stride, std::int64_t col_stride) {
    dnnl::memory source(strided(K, N, row_stride, col_stride), engine(), const_cast<float*>(values));
    dnnl::reorder(source, memory).execute(stream(), source, memory);
  }

  // `rows` rows at once, with bits that may depend on their number where it is not a multiple of the unit.
  void multiply_rows(const float* x, std::int64_t rows, const float* bias, float* y) const {
    const ProductKey key{
        .M = rows, .N = N, .K = K, .lda = K, .ldb = 0, .ldc = N, .gradient = false, .bias = bias != nullptr};
    run(product(key, layout), x, memory.get(), bias, y);
  }

  // Fewer rows than a multiple of the unit: computed beside rows of zeros.
  void multiply_padded(const float* x, std::int64_t rows, std::int64_t padded, const float* bias, float* y) const {
    thread_local FloatBuffer room;
    if (room.size() < padded * (K + N)) room = FloatBuffer(padded * (K + N));
    float* const padded_x = room.data();
    float* const padded_y = padded_x + padded * K;
    std::memcpy(padded_x, x, static_cast<std::size_t>(rows * K) * sizeof(float));
    std::memset(padded_x + rows * K, 0, static_cast<std::size_t>((padded - rows) * K) * sizeof(float));
    multiply_rows(padded_x, padded, bias, padded_y);
    std::memcpy(y, padded_y, static_cast<std::size_t>(rows * N) * sizeof(float));
  }
};

PackedMatrix::PackedMatrix(std::int64_t K, std::int64_t N, Precision) : packed_(std::make_unique<Packed>(K, N)) {}
PackedMatrix::PackedMatrix() noexcept = default;
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

void PackedMatrix::pack(MatView<const float> a) {
  assert(a.rows == packed_->K && a.cols == packed_->N);
  packed_->take(a.data, a.stride, 1);
}

void PackedMatrix::pack_transposed(const WeightView& a) {
  assert(a.cols() == packed_->K && a.rows() == packed_->N);
  packed_->take(a.f32_row(0), 1, a.cols());
}

void PackedMatrix::multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const {
  assert(x.contiguous() && x.cols == packed_->K && y.contiguous() && y.cols == packed_->N && x.rows == y.rows);
  assert(bias.empty() || static_cast<std::int64_t>(bias.size()) == packed_->N);
  const float* const b = bias.empty() ? nullptr : bias.data();
  const std::int64_t unit = product_row_unit();
  if (unit == 1) {
    if (x.rows > 0) packed_->multiply_rows(x.data, x.rows, b, y.data);
    return;
  }
  for (std::int64_t first = 0; first < x.rows; first += kPaddedRows) {
    const std::int64_t rows = std::min(kPaddedRows, x.rows - first);
    const std::int64_t padded = (rows + unit - 1) / unit * unit;
    if (padded == rows) {
      packed_->multiply_rows(x.row(first), rows, b, y.row(first));
    } else {
      packed_->multiply_padded(x.row(first), rows, padded, b, y.row(first));
    }
  }
}

std::int64_t PackedMatrix::bytes() const noexcept {
  return packed_ ? packed_->storage.size() * static_cast<std::int64_t>(sizeof(float)) : 0;
}

void add_transposed_product(MatView<const float> a, MatView<const float> b, MatView<float> c) {
  assert(a.rows == b.rows && a.cols == c.rows && b.cols == c.cols);
  if (a.rows == 0) return;
  const ProductKey key{.M = c.rows,
                       .N = c.cols,
                       .K = a.rows,
                       .lda = a.stride,
                       .ldb = b.stride,
                       .ldc = c.stride,
                       .gradient = true,
                       .bias = false};
  const dnnl::memory::desc layout = strided(key.K, key.N, key.ldb, 1);
  Product& ready = product(key, layout);
  if (!ready.b) ready.b = dnnl::memory(layout, engine(), nullptr);
  dnnl_memory_set_data_handle_v2(ready.b.get(), const_cast<float*>(b.data), stream().get());
  run(ready, a.data, ready.b.get(), nullptr, c.data);
}

std::int64_t gradient_tile(std::int64_t M) noexcept {
  constexpr std::int64_t kTiles = 16;
  constexpr std::int64_t kSmallest = 64;
  constexpr std::int64_t kStep = 16;
  std::int64_t rows = (std::max(kSmallest, (M + kTiles - 1) / kTiles) + kStep - 1) / kStep * kStep;
  // An even number of tiles keeps two workers busy to the end.
  while (rows < M && (M + rows - 1) / rows % 2 != 0) rows += kStep;
  return rows;
}

}  // namespace unroll
