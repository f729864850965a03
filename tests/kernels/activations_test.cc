#include "kernels/activations.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace unroll {
namespace {

// Every exponent and many mantissas, both signs, zero, and the neighbourhood of every bound.
std::vector<float> many_numbers() {
  std::vector<float> numbers{0.0F, -0.0F};
  for (int exponent = -126; exponent <= 127; ++exponent) {
    for (int i = 0; i < 2000; ++i) {
      const float mantissa = 1.0F + (static_cast<float>(i) + 0.37F) / 2000.0F;
      numbers.push_back(std::ldexp(mantissa, exponent));
      numbers.push_back(-numbers.back());
    }
  }
  for (int i = -100000; i <= 100000; ++i) numbers.push_back(static_cast<float>(i) * 1e-3F);
  return numbers;
}

// Distance in units of the last place of the exact value's float.
double ulps(float got, long double exact) {
  const auto nearest = static_cast<float>(exact);
  const float next = std::nextafter(std::fabs(nearest), std::numeric_limits<float>::infinity());
  const auto unit = static_cast<long double>(next) - static_cast<long double>(std::fabs(nearest));
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / unit);
}

constexpr long double kSmallestNormal = std::numeric_limits<float>::min();

TEST(Activations, ExponentialIsWithinTwoUlp) {
  std::vector<float> x;
  for (const float number : many_numbers()) {
    if (number <= 88.0F) x.push_back(number);
  }
  std::vector<float> y(x.size());
  exponentials(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] < -87.0F) {
      EXPECT_EQ(y[i], 0.0F) << x[i];
    } else {
      ASSERT_LE(ulps(y[i], std::exp(static_cast<long double>(x[i]))), 2.0) << x[i];
    }
  }
}

TEST(Activations, SigmoidIsWithinFourUlp) {
  const std::vector<float> x = many_numbers();
  std::vector<float> y(x.size());
  sigmoids(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = 1 / (1 + std::exp(-static_cast<long double>(x[i])));
    if (x[i] < -87.0F || exact < 2 * kSmallestNormal) {
      EXPECT_LE(y[i], 3 * std::numeric_limits<float>::min()) << x[i];
    } else {
      ASSERT_LE(ulps(y[i], exact), 4.0) << x[i];
    }
  }
}

TEST(Activations, TanhIsWithinFourUlp) {
  const std::vector<float> x = many_numbers();
  std::vector<float> y(x.size());
  hyperbolic_tangents(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_LE(ulps(y[i], std::tanh(static_cast<long double>(x[i]))), 4.0) << x[i];
  }
}

TEST(Activations, NanStaysNanInEveryLane) {
  for (std::size_t size = 1; size <= 40; ++size) {
    std::vector<float> x(size, 0.5F);
    x[size / 2] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> y(size);
    for (const auto function : {exponentials, sigmoids, hyperbolic_tangents}) {
      function(x, y);
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(std::isnan(y[i]), i == size / 2) << size << " " << i;
    }
  }
}

TEST(Activations, InfinitiesSaturate) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{infinity, -infinity};
  std::vector<float> y(2);
  sigmoids(x, y);
  EXPECT_EQ(y, (std::vector<float>{1.0F, 0.0F}));
  hyperbolic_tangents(x, y);
  EXPECT_EQ(y, (std::vector<float>{1.0F, -1.0F}));
}

TEST(Activations, ATailHasTheBitsOfAWholeVector) {
  const std::vector<float> numbers = many_numbers();
  for (const auto function : {sigmoids, hyperbolic_tangents}) {
    std::vector<float> whole(64);
    function(std::span(numbers).subspan(300000, 64), whole);
    for (std::size_t size = 1; size < 64; ++size) {
      std::vector<float> part(size + 1, 7.0F);
      function(std::span(numbers).subspan(300000, size), std::span(part).first(size));
      EXPECT_EQ(std::vector<float>(part.begin(), part.end() - 1),
                std::vector<float>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_EQ(part.back(), 7.0F) << "written past the end";
    }
  }
}

}  // namespace
}  // namespace unroll
