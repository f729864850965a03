#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/workers.h"
#include "support/random_matrix.h"
#include "support/rounded.h"
#include "unroll/version.h"

namespace unroll {
namespace {

struct ProductSize {
  std::int64_t K, N;
};
// Awkward, usual and large sizes; among them powers of two, primes, one past a vector, one past a panel, and sums
// longer than a block.
constexpr ProductSize kProductSizes[] = {{1, 1},      {1, 300},   {3, 5},     {17, 33},   {37, 29},
                                         {50, 7},     {66, 513},  {128, 512}, {200, 800}, {513, 66},
                                         {650, 1000}, {2048, 96}, {1025, 17}};
constexpr Precision kAllPrecisions[] = {Precision::kF32, Precision::kBf16, Precision::kInt8};

RandomMatrix transposed(const RandomMatrix& a) {
  RandomMatrix result(a.view.cols, a.view.rows, 0);
  for (std::int64_t r = 0; r < a.view.rows; ++r) {
    for (std::int64_t c = 0; c < a.view.cols; ++c) result.view(c, r) = a.view(r, c);
  }
  return result;
}

std::vector<float> product(const PackedMatrix& packed, const RandomMatrix& x, std::int64_t N) {
  RandomMatrix y(x.view.rows, N, 9);
  packed.multiply(x.view, {}, y.view);
  return y.values;
}

// A row in the form of the int8 products: integers and their scale.
struct Quantized {
  std::vector<std::int32_t> values;
  float scale = 0;
};
Quantized quantized_weights(std::span<const float> x) {
  std::vector<std::int8_t> bytes(x.size());
  const float scale = to_int8(x, bytes);
  return {{bytes.begin(), bytes.end()}, scale};
}
Quantized quantized_inputs(std::span<const float> x) {
  float magnitude = 0;
  for (const float value : x) magnitude = std::max(magnitude, std::abs(value));
  const float factor = 63.0F / magnitude;
  Quantized result{{}, magnitude / 63.0F};
  for (const float value : x) result.values.push_back(static_cast<std::int32_t>(std::nearbyint(value * factor)));
  return result;
}

bool multiply_adds_are_fused() { return !instruction_set().starts_with("SSE"); }

// x A + b, each element as one chain of multiply-adds in the order of k. Columns are computed next to each other: the
// chains of a row overlap then.
RandomMatrix chains_of_multiply_adds(const RandomMatrix& x, const RandomMatrix& a, const RandomMatrix& bias) {
  const bool fused = multiply_adds_are_fused();
  RandomMatrix y(x.view.rows, a.view.cols, 0);
  for (std::int64_t m = 0; m < x.view.rows; ++m) {
    float* const sums = y.view.row(m);
    std::copy_n(bias.view.row(0), a.view.cols, sums);
    for (std::int64_t k = 0; k < a.view.rows; ++k) {
      const float x_k = x.view(m, k);
      const float* const a_k = a.view.row(k);
      for (std::int64_t n = 0; n < a.view.cols; ++n) {
        sums[n] = fused ? std::fma(x_k, a_k[n], sums[n]) : x_k * a_k[n] + sums[n];
      }
    }
  }
  return y;
}

TEST(PackedMatrix, MultipliesAsOneChainOfMultiplyAdds) {
  constexpr std::int64_t kRowCounts[] = {1, 2, 7, 13, 14, 29, 53};
  for (const auto& [K, N] : kProductSizes) {
    const RandomMatrix a(K, N, 1);
    const RandomMatrix bias(1, N, 2);
    const RandomMatrix x(std::ranges::max(kRowCounts), K, 3);
    const RandomMatrix expected = chains_of_multiply_adds(x, a, bias);
    PackedMatrix packed(K, N);
    packed.pack(a.view);
    for (const std::int64_t M : kRowCounts) {
      RandomMatrix y(M, N, 4);
      packed.multiply(x.view.row_range(0, M), bias.values, y.view);
      for (std::int64_t m = 0; m < M; ++m) {
        for (std::int64_t n = 0; n < N; ++n) {
          ASSERT_EQ(y.view(m, n), expected.view(m, n))
              << K << "x" << N << " row " << m << " of " << M << " column " << n;
        }
      }
    }
  }
}

TEST(PackedMatrix, InBf16RoundsBothFactorsAndSumsInFloats) {
  for (const auto& [K, N] : kProductSizes) {
    const RandomMatrix a(K, N, 1);
    const RandomMatrix x(14, K, 3);
    const RandomMatrix bias(1, N, 2);
    RandomMatrix y(14, N, 4);
    PackedMatrix packed(K, N, Precision::kBf16);
    packed.pack(a.view);
    packed.multiply(x.view, bias.values, y.view);
    for (std::int64_t m = 0; m < 14; ++m) {
      for (std::int64_t n = 0; n < N; ++n) {
        double expected = bias.view(0, n);
        for (std::int64_t k = 0; k < K; ++k) {
          expected += static_cast<double>(as_bf16(x.view(m, k))) * static_cast<double>(as_bf16(a.view(k, n)));
        }
        ASSERT_NEAR(y.view(m, n), expected, 1e-6 * static_cast<double>(K + 4)) << K << "x" << N << " row " << m;
      }
    }
  }
}

TEST(PackedMatrix, InBf16RoundsEveryKindOfNumberToNearestEven) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> kinds = {0,          1,          1.00390625F, 1.01171875F, -1.00390625F, 3.3e38F,  1e-30F,
                                    1.0039063F, 0.3333333F, -65504,      1e30F,       infinity,     -infinity};
  for (const float kind : kinds) {
    // Whole vectors and the rest of a row are converted alike.
    for (const std::int64_t K : {1, 64, 67}) {
      for (const std::int64_t k : {std::int64_t{0}, K / 2, K - 1}) {
        RandomMatrix x(1, K, 0);
        std::ranges::fill(x.values, 0.0F);
        x.view(0, k) = kind;
        RandomMatrix w(1, K, 0);
        std::ranges::fill(w.values, 0.0F);
        w.view(0, k) = 1;
        PackedMatrix packed(K, 1, Precision::kBf16);
        packed.pack_transposed(w.view);
        float y = 0;
        packed.multiply(x.view, {}, {&y, 1, 1});
        ASSERT_EQ(y, as_bf16(kind)) << kind << " at " << k << " of " << K;
        packed.pack_transposed(x.view);
        packed.multiply(w.view, {}, {&y, 1, 1});
        if (!std::isfinite(kind)) continue;
        ASSERT_EQ(y, as_bf16(kind)) << "as a weight: " << kind;
      }
    }
  }
}

// Bit for bit, so that every processor gives the same.
TEST(PackedMatrix, InInt8SumsExactly) {
  constexpr std::int64_t kRows = 14;
  const bool fused = multiply_adds_are_fused();
  for (const auto& [K, N] : kProductSizes) {
    const RandomMatrix a(N, K, 1);
    const RandomMatrix x(kRows, K, 3);
    const RandomMatrix bias(1, N, 2);
    RandomMatrix y(kRows, N, 4);
    PackedMatrix packed(K, N, Precision::kInt8);
    packed.pack_transposed(a.view);
    packed.multiply(x.view, bias.values, y.view);
    const auto at = static_cast<std::size_t>(K);
    std::vector<Quantized> rows;
    for (std::int64_t m = 0; m < kRows; ++m) rows.push_back(quantized_inputs({x.view.row(m), at}));
    for (std::int64_t n = 0; n < N; ++n) {
      const Quantized column = quantized_weights({a.view.row(n), at});
      for (std::int64_t m = 0; m < kRows; ++m) {
        const Quantized& row = rows[static_cast<std::size_t>(m)];
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < at; ++k) sum += row.values[k] * column.values[k];
        const auto exact = static_cast<float>(sum);
        const float scale = row.scale * column.scale;
        const float b = bias.view(0, n);
        ASSERT_EQ(y.view(m, n), fused ? std::fma(exact, scale, b) : exact * scale + b)
            << K << "x" << N << " row " << m << " column " << n;
      }
    }
  }
}

TEST(PackedMatrix, InInt8RowsOfAnyMagnitudeKeepTheirScale) {
  constexpr std::int64_t K = 45;
  const RandomMatrix a(1, K, 1);
  PackedMatrix packed(K, 1, Precision::kInt8);
  packed.pack_transposed(a.view);
  const auto product_at = [&](float magnitude) {
    RandomMatrix x(1, K, 2);
    for (float& value : x.values) value *= magnitude;
    float y = 0;
    packed.multiply(x.view, {}, {&y, 1, 1});
    return y;
  };
  const float one = product_at(1);
  for (const float magnitude : {1e-25F, 1e-6F, 1e6F, 1e30F}) {
    EXPECT_NEAR(product_at(magnitude) / magnitude, one, 1e-5F * std::abs(one)) << magnitude;
  }
  for (const float magnitude : {0.0F, 1e-38F, 2.4e-38F, 1e-36F, 1e-33F})
    EXPECT_EQ(product_at(magnitude), 0.0F) << magnitude;
}

TEST(PackedMatrix, InInt8HoldsTheLargestPossibleSum) {
  constexpr std::int64_t K = 65536;
  const RandomMatrix ones(1, K, 0);
  std::fill_n(ones.view.data, K, 1.0F);
  RandomMatrix signs(2, K, 0);
  std::fill_n(signs.view.row(0), K, 1.0F);
  std::fill_n(signs.view.row(1), K, -1.0F);
  PackedMatrix packed(K, 2, Precision::kInt8);
  packed.pack_transposed(signs.view);
  RandomMatrix y(1, 2, 1);
  packed.multiply(ones.view, {}, y.view);
  EXPECT_NEAR(y.view(0, 0), 65536.0F, 0.02F);
  EXPECT_NEAR(y.view(0, 1), -65536.0F, 0.02F);
}

TEST(PackedMatrix, PackTransposedIsPackOfTheTranspose) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    for (const auto& [K, N] : kProductSizes) {
      const RandomMatrix a(K, N, 1);
      PackedMatrix one(K, N, precision);
      PackedMatrix other(K, N, precision);
      one.pack(a.view);
      other.pack_transposed(transposed(a).view);
      const RandomMatrix x(5, K, 3);
      ASSERT_EQ(product(one, x, N), product(other, x, N)) << K << "x" << N;
    }
  }
}

// Rounded model files rely on this: weights rounded when stored equal weights rounded when packed.
TEST(PackedMatrix, RoundingWhenStoredOrWhenPackedGivesTheSameBits) {
  constexpr std::int64_t K = 45;
  constexpr std::int64_t N = 37;
  const RandomMatrix a(N, K, 1);
  const RandomMatrix x(3, K, 2);
  const auto product_with = [&](const WeightView& weights, Precision precision) {
    PackedMatrix packed(K, N, precision);
    packed.pack_transposed(weights);
    return product(packed, x, N);
  };
  std::vector<Bf16> halves(a.values.size());
  to_bf16(a.values, halves);
  EXPECT_EQ(product_with(WeightView::bf16(halves.data(), N, K), Precision::kBf16),
            product_with(a.view, Precision::kBf16));
  std::vector<std::int8_t> bytes(a.values.size());
  std::vector<float> scales;
  for (std::int64_t n = 0; n < N; ++n) {
    scales.push_back(to_int8({a.view.row(n), K}, {bytes.data() + n * K, K}));
  }
  EXPECT_EQ(product_with(WeightView::int8(bytes.data(), scales.data(), N, K), Precision::kInt8),
            product_with(a.view, Precision::kInt8));
}

// Scoring relies on this: a row's bits depend neither on the number of rows computed with it nor on its place.
TEST(PackedMatrix, ARowsBitsDependOnThatRowAlone) {
  constexpr std::int64_t kRows = 150;
  for (const Precision precision : kAllPrecisions) {
    for (const auto& [K, N] : kProductSizes) {
      const RandomMatrix a(N, K, 1);
      const RandomMatrix bias(1, N, 2);
      const RandomMatrix x(kRows, K, 3);
      PackedMatrix packed(K, N, precision);
      packed.pack_transposed(a.view);
      for (const bool with_bias : {false, true}) {
        const std::span<const float> b = with_bias ? std::span<const float>(bias.values) : std::span<const float>();
        RandomMatrix alone(kRows, N, 4);
        for (std::int64_t m = 0; m < kRows; ++m) {
          packed.multiply(x.view.row_range(m, 1), b, alone.view.row_range(m, 1));
        }
        for (std::int64_t M = 2; M <= kRows; M += M < 30 ? 1 : 13) {
          for (const std::int64_t first : {std::int64_t{0}, kRows - M}) {
            RandomMatrix together(M, N, 5);
            packed.multiply(x.view.row_range(first, M), b, together.view);
            ASSERT_EQ(
                std::memcmp(together.values.data(), alone.view.row(first), sizeof(float) * together.values.size()), 0)
                << precision_name(precision) << " " << K << "x" << N << ": " << M << " rows from " << first;
          }
        }
      }
    }
  }
}

TEST(PackedMatrix, ObeysStridesAndTouchesNothingElse) {
  for (const Precision precision : kAllPrecisions) {
    for (const std::int64_t M : {3, 40}) {
      const RandomMatrix a(70, 45, 1);
      const RandomMatrix x(M, 60, 2);
      PackedMatrix packed(45, 70, precision);
      packed.pack_transposed(a.view);
      RandomMatrix plain(M, 70, 3);
      RandomMatrix compact(M, 45, 4);
      for (std::int64_t m = 0; m < M; ++m) std::copy_n(x.view.row(m) + 7, 45, compact.view.row(m));
      packed.multiply(compact.view, {}, plain.view);
      RandomMatrix wide(M, 90, 5);
      const RandomMatrix before(M, 90, 5);
      packed.multiply(x.view.col_range(7, 45), {}, wide.view.col_range(11, 70));
      for (std::int64_t m = 0; m < M; ++m) {
        for (std::int64_t n = 0; n < 90; ++n) {
          const bool inside = n >= 11 && n < 81;
          ASSERT_EQ(wide.view(m, n), inside ? plain.view(m, n - 11) : before.view(m, n)) << m << ", " << n;
        }
      }
    }
  }
}

TEST(PackedMatrix, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Precision precision : kAllPrecisions) {
    for (const std::int64_t k : {0, 21, 44}) {
      const RandomMatrix a(70, 45, 1);
      PackedMatrix packed(45, 70, precision);
      packed.pack_transposed(a.view);
      RandomMatrix x(2, 45, 2);
      x.view(1, k) = nan;
      RandomMatrix y(2, 70, 3);
      packed.multiply(x.view, {}, y.view);
      for (std::int64_t n = 0; n < 70; ++n) {
        ASSERT_TRUE(std::isfinite(y.view(0, n)));
        ASSERT_TRUE(std::isnan(y.view(1, n))) << precision_name(precision);
      }
    }
  }
}

TEST(PackedMatrix, PackingAgainReplacesEverything) {
  for (const Precision precision : kAllPrecisions) {
    const RandomMatrix first(35, 19, 1);
    const RandomMatrix second(35, 19, 2);
    const RandomMatrix x(5, 19, 3);
    PackedMatrix reused(19, 35, precision);
    reused.pack_transposed(first.view);
    reused.pack_transposed(second.view);
    PackedMatrix fresh(19, 35, precision);
    fresh.pack_transposed(second.view);
    EXPECT_EQ(product(reused, x, 35), product(fresh, x, 35));
  }
}

// Sizes whose packing is several pieces, the last of them shorter.
TEST(PackAll, InPiecesEqualsPackingWhole) {
  const RandomMatrix a(700, 300, 1);
  const RandomMatrix b(33, 5000, 2);
  const RandomMatrix x(20, 300, 3);
  const RandomMatrix x_back(20, 700, 4);
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    PackedMatrix whole(300, 700, precision);
    PackedMatrix whole_back(700, 300, precision);
    whole.pack_transposed(a.view);
    whole_back.pack(a.view);
    PackedMatrix pieces(300, 700, precision);
    PackedMatrix pieces_back(700, 300, precision);
    PackedMatrix other(5000, 33, precision);
    Workers workers(3);
    const PackingTask tasks[] = {{a.view, &pieces, &pieces_back}, {b.view, &other, nullptr}};
    pack_all(workers, tasks);
    EXPECT_EQ(product(pieces, x, 700), product(whole, x, 700));
    EXPECT_EQ(product(pieces_back, x_back, 300), product(whole_back, x_back, 300));
  }
}

TEST(PackedMatrix, MayBeUsedByManyWorkersAtOnce) {
  for (const Precision precision : kAllPrecisions) {
    const RandomMatrix a(200, 64, 1);
    const RandomMatrix x(96, 64, 2);
    PackedMatrix packed(64, 200, precision);
    packed.pack_transposed(a.view);
    RandomMatrix alone(96, 200, 3);
    packed.multiply(x.view, {}, alone.view);
    Workers workers(3);
    RandomMatrix shared(96, 200, 4);
    workers.run_ranges(96, 5, [&](std::int64_t first, std::int64_t last) {
      packed.multiply(x.view.row_range(first, last - first), {}, shared.view.row_range(first, last - first));
    });
    EXPECT_EQ(shared.values, alone.values);
  }
}

}  // namespace
}  // namespace unroll
