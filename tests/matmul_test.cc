#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/workers.h"
#include "random_matrix.h"

namespace unroll {
namespace {

struct Size {
  std::int64_t K, N;
};
// Awkward, usual and large ones; among them powers of two, primes and one past a vector.
constexpr Size kSizes[] = {{1, 1},    {1, 300},   {3, 5},     {17, 33},  {37, 29},    {50, 7},
                           {66, 513}, {128, 512}, {200, 800}, {513, 66}, {650, 1000}, {2048, 96}};

double dot(MatView<const float> x, std::int64_t m, MatView<const float> a, std::int64_t n) {
  double sum = 0;
  for (std::int64_t k = 0; k < x.cols; ++k) sum += static_cast<double>(x(m, k)) * static_cast<double>(a(k, n));
  return sum;
}

// Runs on a team's thread, as all products of the library do.
void multiply(const PackedMatrix& packed, MatView<const float> x, std::span<const float> bias, MatView<float> y) {
  Workers workers(1);
  workers.run(1, [&](std::int64_t) { packed.multiply(x, bias, y); });
}

TEST(PackedMatrix, MultipliesAsPlainLoopsDo) {
  for (const auto& [K, N] : kSizes) {
    const RandomMatrix a(K, N, 1);
    const RandomMatrix bias(1, N, 2);
    PackedMatrix packed(K, N);
    packed.pack(a.view);
    for (const std::int64_t M : {1, 2, 7, 48, 50}) {
      const RandomMatrix x(M, K, 3);
      RandomMatrix y(M, N, 4);
      multiply(packed, x.view, bias.values, y.view);
      for (std::int64_t m = 0; m < M; ++m) {
        for (std::int64_t n = 0; n < N; ++n) {
          const double expected = dot(x.view, m, a.view, n) + static_cast<double>(bias.view(0, n));
          ASSERT_NEAR(y.view(m, n), expected, 1e-6 * static_cast<double>(K + 4)) << K << "x" << N << " row " << m;
        }
      }
    }
  }
}

TEST(PackedMatrix, PackTransposedIsPackOfTheTranspose) {
  const RandomMatrix a(19, 35, 1);
  RandomMatrix transposed(35, 19, 2);
  for (std::int64_t r = 0; r < 19; ++r) {
    for (std::int64_t c = 0; c < 35; ++c) transposed.view(c, r) = a.view(r, c);
  }
  PackedMatrix one(19, 35);
  PackedMatrix other(19, 35);
  one.pack(a.view);
  other.pack_transposed(transposed.view);
  const RandomMatrix x(5, 19, 3);
  RandomMatrix y1(5, 35, 4);
  RandomMatrix y2(5, 35, 5);
  multiply(one, x.view, {}, y1.view);
  multiply(other, x.view, {}, y2.view);
  EXPECT_EQ(y1.values, y2.values);
}

// What scoring stands on: a row's bits do not depend on how many rows are computed with it, nor on its place.
TEST(PackedMatrix, ARowsBitsDependOnThatRowAlone) {
  constexpr std::int64_t kRows = 150;
  for (const auto& [K, N] : kSizes) {
    const RandomMatrix a(K, N, 1);
    const RandomMatrix bias(1, N, 2);
    const RandomMatrix x(kRows, K, 3);
    PackedMatrix packed(K, N);
    packed.pack(a.view);
    for (const bool with_bias : {false, true}) {
      const std::span<const float> b = with_bias ? std::span<const float>(bias.values) : std::span<const float>();
      RandomMatrix alone(kRows, N, 4);
      for (std::int64_t m = 0; m < kRows; ++m) multiply(packed, x.view.row_range(m, 1), b, alone.view.row_range(m, 1));
      for (std::int64_t M = 2; M <= kRows; M += M < 60 ? 1 : 13) {
        for (const std::int64_t first : {std::int64_t{0}, kRows - M}) {
          RandomMatrix together(M, N, 5);
          multiply(packed, x.view.row_range(first, M), b, together.view);
          ASSERT_EQ(std::memcmp(together.values.data(), alone.view.row(first), sizeof(float) * together.values.size()),
                    0)
              << K << "x" << N << ": " << M << " rows from " << first;
        }
      }
    }
  }
}

TEST(PackedMatrix, MayBeUsedByManyWorkersAtOnce) {
  const RandomMatrix a(64, 200, 1);
  const RandomMatrix x(96, 64, 2);
  PackedMatrix packed(64, 200);
  packed.pack(a.view);
  RandomMatrix alone(96, 200, 3);
  multiply(packed, x.view, {}, alone.view);
  Workers workers(3);
  RandomMatrix shared(96, 200, 4);
  workers.run_ranges(96, 5, [&](std::int64_t first, std::int64_t last) {
    packed.multiply(x.view.row_range(first, last - first), {}, shared.view.row_range(first, last - first));
  });
  EXPECT_EQ(shared.values, alone.values);
}

TEST(AddTransposedProduct, AddsWhatPlainLoopsSum) {
  constexpr std::int64_t kRows = 123;
  for (const auto& [M, N] : {Size{1, 1}, Size{5, 3}, Size{65, 33}, Size{130, 70}}) {
    const RandomMatrix a(kRows, M + 9, 1);  // wider than what is used: strides must be obeyed
    const RandomMatrix b(kRows, N, 2);
    RandomMatrix c(M, N, 3);
    const RandomMatrix before(M, N, 3);
    Workers workers(1);
    workers.run(1, [&](std::int64_t) { add_transposed_product(a.view.col_range(4, M), b.view, c.view); });
    for (std::int64_t m = 0; m < M; ++m) {
      for (std::int64_t n = 0; n < N; ++n) {
        double expected = before.view(m, n);
        for (std::int64_t r = 0; r < kRows; ++r) {
          expected += static_cast<double>(a.view(r, m + 4)) * static_cast<double>(b.view(r, n));
        }
        ASSERT_NEAR(c.view(m, n), expected, 1e-6 * kRows) << M << "x" << N;
      }
    }
  }
}

TEST(AddTransposedProduct, TilesComeOutTheSameOnAnyWorker) {
  const RandomMatrix a(77, 300, 1);
  const RandomMatrix b(77, 41, 2);
  const auto gradient = [&](int threads) {
    Workers workers(threads);
    RandomMatrix c(300, 41, 3);
    workers.run_ranges(300, gradient_tile(300), [&](std::int64_t first, std::int64_t last) {
      add_transposed_product(a.view.col_range(first, last - first), b.view, c.view.row_range(first, last - first));
    });
    return c.values;
  };
  const std::vector<float> one = gradient(1);
  EXPECT_EQ(gradient(2), one);
  EXPECT_EQ(gradient(3), one);
}

}  // namespace
}  // namespace unroll
