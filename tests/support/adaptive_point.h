// A random point of an adaptive softmax: parameters, inputs and targets.
#pragma once

#include <complex>
#include <vector>

#include "nn/ref/adaptive_softmax.h"
#include "support/recurrent_point.h"

namespace unroll {

// Values are random floats, so that float and double layers compute at the same point.
struct AdaptivePoint {
  std::int64_t rows = 0;
  std::int64_t H = 0;
  std::int64_t V = 0;
  std::vector<std::int64_t> cutoffs;
  std::vector<Slice> slices;  // head, bias, P and Q of each cluster, h
  std::vector<float> values;
  std::vector<std::int32_t> targets;  // some ignored

  [[nodiscard]] AdaptiveShape shape() const { return {.H = H, .V = V, .cutoffs = cutoffs}; }
};

inline AdaptivePoint random_adaptive_point(std::int64_t rows, std::int64_t H, std::int64_t V,
                                           const std::vector<std::int64_t>& cutoffs, std::uint64_t seed) {
  AdaptivePoint point{rows, H, V, cutoffs, {}, {}, {}};
  const AdaptiveShape shape = point.shape();
  const auto append = [&](const std::string& name, std::int64_t size, float scale) {
    point.slices.push_back({name, static_cast<std::int64_t>(point.values.size()), size});
    const auto stream = static_cast<std::uint32_t>(point.slices.size());
    for (const float number : random_numbers(seed, stream, size, scale)) point.values.push_back(number);
  };
  append("head", shape.head_size() * H, 0.6F);
  append("bias", shape.head_size(), 1);
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const TailCluster cluster = shape.cluster(i);
    append("P" + std::to_string(i), cluster.width * H, 0.7F);
    append("Q" + std::to_string(i), cluster.size * cluster.width, 0.8F);
  }
  append("h", rows * H, 1);
  for (const float number : random_numbers(seed, 90, rows, 1)) {
    const auto id = static_cast<std::int32_t>((number + 1) / 2 * static_cast<float>(V));
    point.targets.push_back(number > 0.1F && number < 0.2F ? -1 : id);
  }
  // One in each part.
  for (std::size_t i = 0; i <= cutoffs.size() && i < point.targets.size(); ++i) {
    point.targets[i] = static_cast<std::int32_t>(i == 0 ? 0 : cutoffs[i - 1]);
  }
  return point;
}

// Several clusters and one, a cluster of one symbol, one row, widths of one and past a vector.
inline std::vector<AdaptivePoint> adaptive_points() {
  return {random_adaptive_point(23, 17, 41, {7, 19}, 1), random_adaptive_point(9, 5, 6, {5}, 2),
          random_adaptive_point(1, 68, 33, {1, 2, 19}, 3), random_adaptive_point(150, 72, 120, {3, 40}, 4)};
}

template <class T>
ref::AdaptiveParams<T> adaptive_params(const AdaptivePoint& point, T* values) {
  const AdaptiveShape shape = point.shape();
  std::size_t next = 0;
  const auto matrix = [&](std::int64_t rows, std::int64_t cols) {
    return MatView<T>(values + point.slices[next++].offset, rows, cols);
  };
  ref::AdaptiveParams<T> params;
  params.head = matrix(shape.head_size(), point.H);
  params.bias = matrix(1, shape.head_size()).flat();
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const TailCluster cluster = shape.cluster(i);
    const MatView<T> P = matrix(cluster.width, point.H);
    params.tails.push_back({P, matrix(cluster.size, cluster.width)});
  }
  return params;
}

template <class S>
ref::Matrix<S> adaptive_inputs(const AdaptivePoint& point, std::span<const S> values) {
  ref::Matrix<S> h(point.rows, point.H);
  std::ranges::copy(values.subspan(static_cast<std::size_t>(point.slices.back().offset)), h.values.begin());
  return h;
}

inline std::vector<double> adaptive_complex_step(const AdaptivePoint& point) {
  std::vector<Complex> values(point.values.begin(), point.values.end());
  return ref::complex_step_gradient(std::span(values), [&] {
    const std::span<const Complex> now = values;
    return ref::adaptive_softmax_forward(adaptive_params(point, now.data()), adaptive_inputs(point, now),
                                         point.targets);
  });
}

// In the order of the slices.
inline std::vector<double> adaptive_reference_gradient(const AdaptivePoint& point) {
  const std::vector<double> values(point.values.begin(), point.values.end());
  std::vector<double> gradient(values.size());
  ref::Matrix<double> dh;
  ref::adaptive_softmax_backward(adaptive_params(point, values.data()),
                                 adaptive_inputs(point, std::span<const double>(values)), point.targets,
                                 adaptive_params(point, gradient.data()), dh);
  std::ranges::copy(dh.values, gradient.begin() + point.slices.back().offset);
  return gradient;
}

}  // namespace unroll
