#include "nn/sampled_softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <set>
#include <vector>

#include "kernels/arrays.h"
#include "nn/ref/complex_step.h"
#include "nn/ref/sampled_softmax.h"
#include "nn/softmax_loss.h"
#include "support/recurrent_point.h"

namespace unroll {
namespace {

struct SampledPoint {
  std::int64_t R, H, V, N;
  SymbolSampler samples;
  std::vector<Slice> slices;  // V_out, b, h
  std::vector<float> values;
  std::vector<std::int32_t> targets;  // some ignored, some among the samples

  SampledPoint(std::int64_t rows, std::int64_t width, std::int64_t symbols, std::int64_t count, std::uint64_t seed)
      : R(rows), H(width), V(symbols), N(count), samples(symbols, count) {
    samples.draw({.seed = seed, .step = 3});
    for (const auto& [name, size] : {std::pair("V_out", V * H), std::pair("b", V), std::pair("h", R * H)}) {
      slices.push_back({name, std::ssize(values), size});
      for (const float number : random_numbers(seed, static_cast<std::uint32_t>(slices.size()), size, 0.8F)) {
        values.push_back(number);
      }
    }
    for (const float number : random_numbers(seed, 9, R, 1)) {
      const auto id = static_cast<std::int32_t>((number + 1) / 2 * static_cast<float>(V));
      targets.push_back(number > 0.2F && number < 0.35F ? -1 : id);
    }
    targets.front() = samples.ids().front();
  }

  [[nodiscard]] ref::Samples reference_samples() const {
    ref::Samples result{{samples.ids().begin(), samples.ids().end()}, {}};
    for (std::int64_t v = 0; v < V; ++v) {
      result.log_expected.push_back(samples.log_expected_count(static_cast<std::int32_t>(v)));
    }
    return result;
  }
  template <class T>
  [[nodiscard]] MatView<T> V_out(T* all) const {
    return {all, V, H};
  }
  template <class T>
  [[nodiscard]] std::span<T> bias(T* all) const {
    return {all + V * H, static_cast<std::size_t>(V)};
  }
  template <class T>
  [[nodiscard]] T* h(T* all) const {
    return all + V * H + V;
  }
  template <class S>
  [[nodiscard]] ref::Matrix<S> inputs(const std::vector<S>& all) const {
    ref::Matrix<S> result(R, H);
    std::copy_n(h(all.data()), R * H, result.values.begin());
    return result;
  }
};

std::vector<SampledPoint> points() {
  std::vector<SampledPoint> result;
  result.emplace_back(11, 7, 29, 6, 1);
  result.emplace_back(1, 17, 4, 1, 2);
  result.emplace_back(30, 1, 60, 30, 3);
  result.emplace_back(140, 33, 300, 67, 4);
  return result;
}

std::vector<double> reference_gradient(const SampledPoint& point) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  std::vector<double> gradient(values.size());
  ref::Matrix<double> dh;
  ref::sampled_softmax_backward(point.V_out(values.data()), point.bias(values.data()), point.inputs(values),
                                point.targets, point.reference_samples(), point.V_out(gradient.data()),
                                point.bias(gradient.data()), dh);
  std::ranges::copy(dh.values, point.h(gradient.data()));
  return gradient;
}

float share_of(const SampledPoint& point) {
  return static_cast<float>(1 / static_cast<double>(ref::prediction_count(point.targets)));
}

struct Trained {
  std::vector<float> gradient;
  std::vector<double> log_probs;
  std::int64_t rows = 0;  // of V_out that have a gradient
};

// Everything that must be written before it is read begins as NaN.
Trained train(const SampledPoint& point, int threads) {
  Workers workers(threads);
  const WeightView V_out = MatView<const float>(point.V_out(point.values.data()));
  const std::span<const float> bias = point.bias(point.values.data());
  const std::int64_t block = sampled_block_rows(point.R, point.N);
  std::vector<float> logits(static_cast<std::size_t>(block * (point.N + 1)), kUnset);
  std::vector<float> rows(static_cast<std::size_t>(point.N * point.H), kUnset);
  std::vector<float> dV_rows(static_cast<std::size_t>((point.N + point.R) * point.H), kUnset);
  const SampledScratch scratch{.logits = {logits.data(), block, point.N + 1},
                               .rows = {rows.data(), point.N, point.H},
                               .dV_rows = {dV_rows.data(), point.N + point.R, point.H}};
  SampledWeights sampled(point.H, point.N, Precision::kF32);
  sampled.pack(workers, point.samples, V_out, bias, scratch.rows);
  EmbeddingGradient dV_out(point.V, point.H, point.N + point.R);
  Trained result{.gradient = std::vector<float>(point.values.size()),
                 .log_probs = std::vector<double>(point.targets.size(), kUnset)};
  const MatView<float> dh(point.h(result.gradient.data()), point.R, point.H);
  std::ranges::fill(dh.flat(), kUnset);
  sampled_softmax_loss_and_gradient(workers, {point.samples, sampled, V_out, bias},
                                    {point.h(point.values.data()), point.R, point.H}, point.targets, share_of(point),
                                    scratch, result.log_probs, dV_out, point.bias(result.gradient.data()), dh);
  for (const std::int32_t id : dV_out.ids()) {
    std::ranges::copy(dV_out.row(id), point.V_out(result.gradient.data()).row(id));
  }
  result.rows = dV_out.rows().rows;
  return result;
}

TEST(SampledSoftmax, ReferenceBackwardMatchesComplexStep) {
  for (const SampledPoint& point : points()) {
    if (point.R > 100) continue;
    std::vector<Complex> values(point.values.begin(), point.values.end());
    const std::vector<double> expected = ref::complex_step_gradient(std::span(values), [&] {
      const Complex* const all = values.data();
      return ref::sampled_softmax_forward(point.V_out(all), point.bias(all), point.inputs(values), point.targets,
                                          point.reference_samples());
    });
    EXPECT_TRUE(agree(point.slices, reference_gradient(point), expected, 1e-12)) << point.R;
  }
}

TEST(SampledSoftmax, LossAndGradientsMatchTheReferenceForAnyNumberOfWorkers) {
  for (const SampledPoint& point : points()) {
    const std::vector<double> values(point.values.begin(), point.values.end());
    const double loss = ref::sampled_softmax_forward(point.V_out(values.data()), point.bias(values.data()),
                                                     point.inputs(values), point.targets, point.reference_samples());
    const std::vector<double> expected = reference_gradient(point);
    const Trained one = train(point, 1);
    double sum = 0;
    for (const double log_prob : one.log_probs) sum -= log_prob;
    EXPECT_NEAR(sum * static_cast<double>(share_of(point)), loss, 2e-6 * (1 + loss));
    EXPECT_TRUE(agree(point.slices, one.gradient, expected, 1e-5)) << point.R;
    for (const int threads : {2, 3}) {
      const Trained many = train(point, threads);
      EXPECT_EQ(many.gradient, one.gradient) << threads;
      EXPECT_EQ(many.log_probs, one.log_probs) << threads;
    }
  }
}

TEST(SampledSoftmax, OnlyRowsOfSamplesAndTargetsHaveAGradient) {
  for (const SampledPoint& point : points()) {
    std::set<std::int32_t> touched(point.samples.ids().begin(), point.samples.ids().end());
    for (const std::int32_t target : point.targets) {
      if (target >= 0) touched.insert(target);
    }
    EXPECT_EQ(train(point, 2).rows, std::ssize(touched));
  }
}

// With all symbols drawn and no correction, the loss is exact.
TEST(SampledSoftmax, OverAllSymbolsTheReferenceIsTheFullSoftmax) {
  const SampledPoint point = points().front();
  const std::vector<double> values(point.values.begin(), point.values.end());
  ref::Samples all{{}, std::vector<double>(static_cast<std::size_t>(point.V), 0)};
  for (std::int32_t v = 0; v < point.V; ++v) all.ids.push_back(v);
  ref::SoftmaxTape<double> tape;
  const double full = ref::softmax_loss_forward(point.V_out(values.data()), point.bias(values.data()),
                                                point.inputs(values), point.targets, tape);
  EXPECT_NEAR(ref::sampled_softmax_forward(point.V_out(values.data()), point.bias(values.data()), point.inputs(values),
                                           point.targets, all),
              full, 1e-13);
}

TEST(SymbolSampler, DrawsDifferentSymbolsThatDependOnSeedAndStepAlone) {
  SymbolSampler sampler(1000, 300);
  SymbolSampler other(1000, 300);
  std::vector<std::vector<std::int32_t>> drawn;
  for (const NoiseKey key : {NoiseKey{1, 1}, NoiseKey{1, 2}, NoiseKey{2, 1}}) {
    sampler.draw(key);
    const std::set<std::int32_t> different(sampler.ids().begin(), sampler.ids().end());
    EXPECT_EQ(different.size(), 300U);
    EXPECT_GE(*different.begin(), 0);
    EXPECT_LT(*different.rbegin(), 1000);
    for (std::int32_t id = 0; id < 1000; ++id) {
      const std::int64_t place = sampler.place(id);
      EXPECT_EQ(place >= 0, different.contains(id));
      if (place >= 0) {
        EXPECT_EQ(sampler.ids()[static_cast<std::size_t>(place)], id);
      }
    }
    drawn.emplace_back(sampler.ids().begin(), sampler.ids().end());
  }
  EXPECT_NE(drawn[0], drawn[1]);
  EXPECT_NE(drawn[0], drawn[2]);
  other.draw({1, 1});
  EXPECT_TRUE(std::ranges::equal(other.ids(), drawn[0]));
}

TEST(SymbolSampler, SymbolsHaveTheExpectedFrequencies) {
  constexpr std::uint32_t kSteps = 4000;
  SymbolSampler sampler(200, 20);
  std::vector<double> came(200);
  std::vector<double> expected(200);
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    sampler.draw({.seed = 5, .step = step});
    for (std::int32_t id = 0; id < 200; ++id) {
      came[static_cast<std::size_t>(id)] += sampler.place(id) >= 0 ? 1.0 / kSteps : 0;
      expected[static_cast<std::size_t>(id)] += std::exp(sampler.log_expected_count(id)) / kSteps;
    }
  }
  double sum = 0;
  for (std::size_t id = 0; id < 200; ++id) {
    EXPECT_NEAR(came[id], expected[id], 0.05) << id;  // six standard deviations of a share of a half
    if (id > 0) {
      EXPECT_LT(expected[id], expected[id - 1]);
    }
    sum += expected[id];
  }
  EXPECT_NEAR(sum, 20, 0.3);
}

TEST(Arrays, DotIsASumOfProductsInDouble) {
  for (const std::int64_t size : {1, 3, 16, 17, 100}) {
    const std::vector<float> x = random_numbers(1, 1, size, 1);
    const std::vector<float> y = random_numbers(1, 2, size, 1);
    double expected = 0;
    for (std::size_t i = 0; i < x.size(); ++i) expected += static_cast<double>(x[i]) * static_cast<double>(y[i]);
    EXPECT_NEAR(dot(x, y), expected, 1e-14 * static_cast<double>(size));
  }
}

}  // namespace
}  // namespace unroll
