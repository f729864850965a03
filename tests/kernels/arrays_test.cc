#include "kernels/arrays.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/philox.h"
#include "support/random_matrix.h"

namespace unroll {
namespace {

constexpr std::int64_t kSizes[] = {1, 3, 4, 15, 16, 17, 63, 200};

TEST(Arrays, AddAdds) {
  for (const std::int64_t size : kSizes) {
    const RandomMatrix x(1, size, 1);
    RandomMatrix y(1, size, 2);
    const RandomMatrix before(1, size, 2);
    add(x.values, y.values);
    for (std::size_t i = 0; i < y.values.size(); ++i) EXPECT_EQ(y.values[i], before.values[i] + x.values[i]);
  }
}

TEST(Arrays, SumOfSquaresIsExactToDouble) {
  for (const std::int64_t size : kSizes) {
    const RandomMatrix x(1, size, 3);
    long double expected = 0;
    for (const float value : x.values) expected += static_cast<long double>(value) * static_cast<long double>(value);
    EXPECT_NEAR(sum_of_squares(x.values), static_cast<double>(expected), 1e-13 * static_cast<double>(size));
  }
}

TEST(Arrays, ColumnSumsAreAdded) {
  for (const std::int64_t cols : kSizes) {
    const RandomMatrix x(37, cols + 5, 4);
    RandomMatrix sums(1, cols, 5);
    const RandomMatrix before(1, cols, 5);
    add_column_sums(x.view.col_range(2, cols), sums.values);
    for (std::int64_t c = 0; c < cols; ++c) {
      float expected = 0;
      for (std::int64_t r = 0; r < 37; ++r) expected += x.view(r, c + 2);
      EXPECT_EQ(sums.view(0, c), before.view(0, c) + expected);
    }
  }
}

TEST(Arrays, SgdFollowsTheScaledGradientAndDecays) {
  for (const std::int64_t size : kSizes) {
    RandomMatrix w(1, size, 6);
    const RandomMatrix before(1, size, 6);
    const RandomMatrix g(1, size, 7);
    sgd_update(w.values, g.values, {.scale = 0.5F, .rate = 0.1F, .weight_decay = 0.25F});
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      EXPECT_NEAR(w.values[i], 0.975F * before.values[i] - 0.05F * g.values[i], 3e-7);
    }
  }
}

TEST(Arrays, MomentumSumsGradientsAndDecaysSeparately) {
  for (const std::int64_t size : kSizes) {
    RandomMatrix w(1, size, 8);
    std::vector<float> v(w.values.size());
    std::vector<double> w_ref(w.values.begin(), w.values.end());
    std::vector<double> v_ref(w.values.size());
    for (int t = 1; t <= 5; ++t) {
      const RandomMatrix g(1, size, 100 + static_cast<std::uint64_t>(t));
      momentum_update(w.values, g.values, v, {.scale = 0.5F, .rate = 0.1F, .momentum = 0.75F, .weight_decay = 0.25F});
      for (std::size_t i = 0; i < w_ref.size(); ++i) {
        v_ref[i] = 0.75 * v_ref[i] + 0.5 * static_cast<double>(g.values[i]);
        w_ref[i] -= 0.1 * v_ref[i] + 0.1 * 0.25 * w_ref[i];
        EXPECT_NEAR(v[i], v_ref[i], 1e-6);
        EXPECT_NEAR(w.values[i], w_ref[i], 1e-6);
      }
    }
  }
}

TEST(Arrays, AdamFollowsItsPapers) {
  for (const std::int64_t size : kSizes) {
    RandomMatrix w(1, size, 8);
    std::vector<float> m(w.values.size());
    std::vector<float> v(w.values.size());
    std::vector<double> w_ref(w.values.begin(), w.values.end());
    std::vector<double> m_ref(w.values.size());
    std::vector<double> v_ref(w.values.size());
    for (int t = 1; t <= 5; ++t) {
      const RandomMatrix g(1, size, 100 + static_cast<std::uint64_t>(t));
      AdamStep step{.scale = 0.5F, .rate = 0.01F, .weight_decay = 0.5F};
      step.correction1 = static_cast<float>(1 / (1 - std::pow(0.9, t)));
      step.correction2 = static_cast<float>(1 / (1 - std::pow(0.999, t)));
      adam_update(w.values, g.values, m, v, step);
      for (std::size_t i = 0; i < w_ref.size(); ++i) {
        const double gradient = 0.5 * static_cast<double>(g.values[i]);
        m_ref[i] = 0.9 * m_ref[i] + 0.1 * gradient;
        v_ref[i] = 0.999 * v_ref[i] + 0.001 * gradient * gradient;
        const double mean = m_ref[i] / (1 - std::pow(0.9, t));
        const double square = v_ref[i] / (1 - std::pow(0.999, t));
        w_ref[i] -= 0.01 * (mean / (std::sqrt(square) + 1e-8) + 0.5 * w_ref[i]);
        EXPECT_NEAR(w.values[i], w_ref[i], 1e-5);
      }
    }
  }
}

TEST(Arrays, MoveTowardsMovesByTheShare) {
  for (const std::int64_t size : kSizes) {
    const RandomMatrix x(1, size, 9);
    RandomMatrix y(1, size, 10);
    const RandomMatrix before(1, size, 10);
    move_towards(x.values, y.values, 0.25F);
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      EXPECT_NEAR(y.values[i], 0.25F * x.values[i] + 0.75F * before.values[i], 3e-7);
    }
  }
}

TEST(Arrays, DroppedUnitsAreThoseOfTheRandomWords) {
  constexpr std::uint32_t kThreshold = 0x40000000;  // a quarter
  for (const std::int64_t size : kSizes) {
    const RandomMatrix x(1, size, 9);
    std::vector<float> y(x.values.size());
    drop_units(x.values, y, {3, 5, 7}, 11, kThreshold, 4.0F / 3);
    for (std::size_t u = 0; u < y.size(); ++u) {
      const auto words = philox4x32({3, 5, 7, static_cast<std::uint32_t>(u / 4)}, {11, 0});
      EXPECT_EQ(y[u], words[u % 4] >= kThreshold ? x.values[u] * (4.0F / 3) : 0.0F);
    }
  }
}

}  // namespace
}  // namespace unroll
