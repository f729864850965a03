#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/workers.h"
#include "kernels/matmul.h"
#include "support/random_matrix.h"
#include "support/rounded.h"

namespace unroll {
namespace {

constexpr Precision kBoth[] = {Precision::kF32, Precision::kBf16};

struct GradientSize {
  std::int64_t R, M, N;
};
// Sums shorter and longer than a block; results smaller than a tile, and beyond one by a little.
constexpr GradientSize kGradientSizes[] = {{1, 1, 1},     {2, 13, 33},   {123, 5, 3},    {123, 65, 17},
                                           {600, 12, 32}, {77, 130, 70}, {1100, 25, 48}, {257, 300, 16}};

TEST(AddTransposedProducts, MatchesPlainLoops) {
  for (const Precision precision : kBoth) {
    const auto rounded = [&](float x) { return static_cast<double>(precision == Precision::kBf16 ? as_bf16(x) : x); };
    for (const auto& [R, M, N] : kGradientSizes) {
      const RandomMatrix a(R, M + 9, 1);  // wider than the used part: strides must be obeyed
      const RandomMatrix b(R, N + 2, 2);
      RandomMatrix c(M, N + 5, 3);
      const RandomMatrix before(M, N + 5, 3);
      std::vector<float> sums(static_cast<std::size_t>(M), 2.0F);
      const TransposedProduct product{b.view.col_range(1, N), c.view.col_range(3, N)};
      add_transposed_products(precision, a.view.col_range(4, M), {&product, 1}, sums);
      const double tolerance = 1e-6 * static_cast<double>(R + 4);
      for (std::int64_t m = 0; m < M; ++m) {
        double sum = 2;
        for (std::int64_t r = 0; r < R; ++r) sum += static_cast<double>(a.view(r, m + 4));
        ASSERT_NEAR(sums[static_cast<std::size_t>(m)], sum, tolerance);
        for (std::int64_t n = 0; n < N + 5; ++n) {
          double expected = before.view(m, n);
          if (n < 3 || n >= N + 3) {
            ASSERT_EQ(c.view(m, n), before.view(m, n));
            continue;
          }
          for (std::int64_t r = 0; r < R; ++r) expected += rounded(a.view(r, m + 4)) * rounded(b.view(r, n - 2));
          ASSERT_NEAR(c.view(m, n), expected, tolerance)
              << precision_name(precision) << " " << R << ", " << M << "x" << N;
        }
      }
    }
  }
}

TEST(AddTransposedProducts, AnElementsBitsDependNeitherOnTheCutNorOnWorkers) {
  constexpr std::int64_t kM = 300;
  constexpr std::int64_t kN = 41;
  const RandomMatrix a(700, kM, 1);
  const RandomMatrix b(700, kN, 2);
  for (const Precision precision : kBoth) {
    const auto gradient = [&](int threads, std::int64_t grain) {
      Workers workers(threads);
      RandomMatrix c(kM, kN + 1, 3);
      std::vector<float> sums(kM);
      workers.run_ranges(kM, grain, [&](std::int64_t first, std::int64_t last) {
        const auto at = static_cast<std::size_t>(first);
        const TransposedProduct product{b.view, c.view.row_range(first, last - first).col_range(0, kN)};
        add_transposed_products(precision, a.view.col_range(first, last - first), {&product, 1},
                                std::span<float>(sums).subspan(at, static_cast<std::size_t>(last - first)));
      });
      c.values.insert(c.values.end(), sums.begin(), sums.end());
      return c.values;
    };
    const std::vector<float> whole = gradient(1, kM);
    EXPECT_EQ(gradient(2, 12), whole);
    EXPECT_EQ(gradient(3, 240), whole);
    EXPECT_EQ(gradient(2, 7), whole);
  }
}

TEST(AddTransposedProducts, TwoAtOnceEqualTwoSeparately) {
  const RandomMatrix a(300, 50, 1);
  const RandomMatrix b(300, 20, 2);
  const RandomMatrix other_b(300, 70, 3);
  for (const Precision precision : kBoth) {
    RandomMatrix c(50, 20, 4);
    RandomMatrix other_c(50, 70, 5);
    RandomMatrix c_together(50, 20, 4);
    RandomMatrix other_c_together(50, 70, 5);
    const TransposedProduct one{b.view, c.view};
    const TransposedProduct other{other_b.view, other_c.view};
    add_transposed_products(precision, a.view, {&one, 1});
    add_transposed_products(precision, a.view, {&other, 1});
    const TransposedProduct both[] = {{b.view, c_together.view}, {other_b.view, other_c_together.view}};
    add_transposed_products(precision, a.view, both);
    EXPECT_EQ(c_together.values, c.values);
    EXPECT_EQ(other_c_together.values, other_c.values);
  }
}

TEST(AddTransposedProducts, RowsThatCountAsZeroMayHoldAnything) {
  for (const Precision precision : kBoth) {
    for (const std::int64_t N : {5, 16, 40, 70}) {
      const RandomMatrix a(301, 50, 1);
      RandomMatrix b(301, N, 2);
      RandomMatrix b_with_zeros(301, N, 2);
      std::vector<std::uint8_t> zero(301);
      for (const std::int64_t r : {0, 7, 8, 9, 300}) {
        zero[static_cast<std::size_t>(r)] = 1;
        std::fill_n(b.view.row(r), N, std::numeric_limits<float>::quiet_NaN());
        std::fill_n(b_with_zeros.view.row(r), N, 0.0F);
      }
      RandomMatrix c(50, N, 3);
      RandomMatrix expected(50, N, 3);
      const TransposedProduct product{b.view, c.view, zero};
      const TransposedProduct plain{b_with_zeros.view, expected.view};
      add_transposed_products(precision, a.view, {&product, 1});
      add_transposed_products(precision, a.view, {&plain, 1});
      ASSERT_EQ(c.values, expected.values) << precision_name(precision) << " " << N;
    }
  }
}

TEST(AddTransposedProducts, OfNoRowsAddsNothing) {
  RandomMatrix c(5, 7, 1);
  const RandomMatrix before(5, 7, 1);
  const TransposedProduct product{MatView<const float>(nullptr, 0, 7), c.view};
  add_transposed_products(Precision::kF32, MatView<const float>(nullptr, 0, 5), {&product, 1});
  EXPECT_EQ(c.values, before.values);
}

}  // namespace
}  // namespace unroll
