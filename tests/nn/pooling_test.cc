#include "nn/pooling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "support/pooling_point.h"

namespace unroll {
namespace {

constexpr double kExactPooling = 1e-12;

// The fast layer, on plain vectors. Everything that it sets begins as NaN.
struct PoolingRun {
  PoolingRun(const PoolingPoint& at, int threads) : point(at), workers(threads) {
    const std::int64_t R = std::ssize(at.texts);
    tape = pooling_tape(at.readout, at.D, at.T * at.B, R, true, [&](const char*, std::int64_t rows, std::int64_t cols) {
      scratch.emplace_back(static_cast<std::size_t>(rows * cols), kUnset);
      return MatView<float>(scratch.back().data(), rows, cols);
    });
    out.assign(at.dout.size(), kUnset);
    pooling_forward(workers, at.shape(), at.w, inputs(), tape, {out.data(), R, width()});
  }
  PoolingRun(const PoolingRun&) = delete;
  PoolingRun& operator=(const PoolingRun&) = delete;

  [[nodiscard]] std::int64_t width() const { return readout_size(point.readout, point.D); }
  [[nodiscard]] MatView<const float> inputs() const { return {point.h.data(), point.T * point.B, point.D}; }

  // dw, then dh; dw is added to `initial`.
  std::vector<float> gradient(float initial) {
    std::vector<float> all(point.w.size(), initial);
    std::vector<float> dh(point.h.size(), kUnset);
    pooling_backward(workers, point.shape(), point.w, inputs(), tape,
                     {point.dout.data(), std::ssize(point.texts), width()}, all,
                     {dh.data(), point.T * point.B, point.D});
    all.insert(all.end(), dh.begin(), dh.end());
    return all;
  }

  const PoolingPoint& point;
  Workers workers;
  std::vector<std::vector<float>> scratch;
  PoolingTape tape;
  std::vector<float> out;
};

std::vector<PoolingPoint> awkward_points() { return pooling_points({1, 2, 7, 16, 17, 34, 66}); }

// The same texts, one piece each, in the rows and from the steps that are given.
PoolingPoint moved(const PoolingPoint& from, std::int64_t T, std::int64_t B, const std::vector<WindowPiece>& to,
                   const std::vector<std::size_t>& texts) {
  PoolingPoint point = from;
  point.T = T;
  point.B = B;
  point.pieces = to;
  point.texts.clear();
  point.dout.clear();
  point.h.assign(static_cast<std::size_t>(T * B * from.D), kUnset);
  const std::int64_t width = readout_size(from.readout, from.D);
  for (std::size_t r = 0; r < texts.size(); ++r) {
    point.texts.push_back({static_cast<std::int32_t>(r), 1});
    const auto old_rows = ref::rows_of_text(from.shape(), texts[r]);
    const auto new_rows = ref::rows_of_text(point.shape(), r);
    EXPECT_EQ(old_rows.size(), new_rows.size());
    for (std::size_t t = 0; t < old_rows.size(); ++t) {
      std::copy_n(from.h.begin() + old_rows[t] * from.D, from.D, point.h.begin() + new_rows[t] * from.D);
    }
    const auto d = from.dout.begin() + static_cast<std::int64_t>(texts[r]) * width;
    point.dout.insert(point.dout.end(), d, d + width);
  }
  return point;
}

TEST(Pooling, ReferenceBackwardMatchesComplexStep) {
  for (const PoolingPoint& point : pooling_points({1, 2, 5, 6})) {
    SCOPED_TRACE(describe(point));
    EXPECT_TRUE(agree(point.slices(), pooling_reference_gradient(point), pooling_complex_step(point), kExactPooling));
  }
}

TEST(Pooling, ForwardMatchesTheReferenceAndNeverReadsStepsOfNoText) {
  for (const PoolingPoint& point : awkward_points()) {
    SCOPED_TRACE(describe(point));
    const std::vector<double> w(point.w.begin(), point.w.end());
    ref::Matrix<double> expected;
    ref::pooling_forward(point.shape(), std::span<const double>(w),
                         matrix_of<double>(std::span<const float>(point.h), point.T * point.B, point.D), expected);
    const PoolingRun run(point, 1);
    EXPECT_LE(ref::relative_error(std::span<const float>(run.out), std::span<const double>(expected.values)), 2e-6);
  }
}

TEST(Pooling, BackwardMatchesTheReference) {
  for (const PoolingPoint& point : awkward_points()) {
    SCOPED_TRACE(describe(point));
    EXPECT_TRUE(agree(point.slices(), PoolingRun(point, 1).gradient(0), pooling_reference_gradient(point), 1e-5));
  }
}

TEST(Pooling, BackwardAddsToTheGradientOfTheAttention) {
  const PoolingPoint point = pooling_point(Readout::kAttention, 17, false, 3);
  std::vector<float> gradient = PoolingRun(point, 1).gradient(0.5F);
  for (std::size_t i = 0; i < point.w.size(); ++i) gradient[i] -= 0.5F;
  EXPECT_TRUE(agree(point.slices(), gradient, pooling_reference_gradient(point), 1e-5));
}

TEST(Pooling, ResultsDoNotDependOnTheNumberOfWorkers) {
  for (const PoolingPoint& point : pooling_points({17, 34})) {
    SCOPED_TRACE(describe(point));
    PoolingRun one(point, 1);
    PoolingRun three(point, 3);
    EXPECT_EQ(one.out, three.out);
    EXPECT_EQ(one.gradient(0), three.gradient(0));
  }
}

TEST(Pooling, ATextDoesNotDependOnItsPlaceNorOnOtherTexts) {
  for (const PoolingPoint& point : pooling_points({17, 34})) {
    SCOPED_TRACE(describe(point));
    const std::vector<std::size_t> all = {0, 1, 2, 3, 4};
    const PoolingPoint elsewhere = moved(point, 9, 2, {{0, 0, 3}, {1, 2, 6}, {0, 5, 1}, {1, 0, 2}, {0, 6, 2}}, all);
    PoolingRun run(point, 1);
    PoolingRun other(elsewhere, 2);
    EXPECT_EQ(run.out, other.out);
    const std::vector<float> gradient = run.gradient(0);
    const std::vector<float> other_gradient = other.gradient(0);
    for (std::size_t i = 0; i < point.w.size(); ++i) EXPECT_EQ(gradient[i], other_gradient[i]);

    const PoolingPoint alone = moved(point, 6, 1, {{0, 0, 6}}, {1});
    const PoolingRun alone_run(alone, 1);
    EXPECT_EQ(0, std::memcmp(alone_run.out.data(), run.out.data() + run.width(), alone_run.out.size() * sizeof(float)));
  }
}

TEST(Pooling, OfEqualMaximaTheFirstStepGetsTheGradient) {
  PoolingPoint point = pooling_point(Readout::kMax, 3, false, 5);
  for (const std::int64_t row : ref::rows_of_text(point.shape(), 1)) {
    std::fill_n(point.h.begin() + row * point.D, point.D, 0.25F);
  }
  const std::vector<float> dh = PoolingRun(point, 1).gradient(0);
  const std::vector<std::int64_t> rows = ref::rows_of_text(point.shape(), 1);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::int64_t c = 0; c < point.D; ++c) {
      EXPECT_EQ(dh[static_cast<std::size_t>(rows[t] * point.D + c)],
                t == 0 ? point.dout[static_cast<std::size_t>(point.D + c)] : 0.0F);
    }
  }
}

TEST(Pooling, LargeScoresOfTheAttentionDoNotOverflow) {
  PoolingPoint point = pooling_point(Readout::kAttention, 17, false, 6);
  for (float& weight : point.w) weight *= 1e6F;
  PoolingRun run(point, 1);
  for (const float value : run.out) EXPECT_TRUE(std::isfinite(value));
  for (const float value : run.gradient(0)) EXPECT_TRUE(std::isfinite(value));
}

TEST(Pooling, NotANumberInATextIsNotHidden) {
  for (PoolingPoint point : pooling_points({4})) {
    SCOPED_TRACE(describe(point));
    const std::vector<std::int64_t> rows = ref::rows_of_text(point.shape(), 1);
    for (const std::int64_t row : {rows.front(), rows.back()}) {
      std::fill_n(point.h.begin() + row * point.D, point.D, kUnset);
    }
    const PoolingRun run(point, 1);
    for (std::int64_t c = 0; c < run.width(); ++c) {
      EXPECT_TRUE(std::isnan(run.out[static_cast<std::size_t>(run.width() + c)]));
      EXPECT_FALSE(std::isnan(run.out[static_cast<std::size_t>(c)]));
    }
  }
}

}  // namespace
}  // namespace unroll
