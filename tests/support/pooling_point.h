// A random point of a readout: a window with texts in several pieces, texts of one step, and steps of no text, whose
// outputs are NaN, so that whoever reads them is found out.
#pragma once

#include <complex>
#include <vector>

#include "nn/ref/pooling.h"
#include "support/recurrent_point.h"

namespace unroll {

struct PoolingPoint {
  Readout readout = Readout::kLast;
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::int64_t D = 0;
  bool bidirectional = false;
  std::vector<WindowPiece> pieces;
  std::vector<WindowText> texts;
  std::vector<float> w;     // (D) with attention
  std::vector<float> h;     // (T*B, D)
  std::vector<float> dout;  // (R, readout_size)

  [[nodiscard]] PoolingShape shape() const {
    return {.readout = readout, .B = B, .D = D, .bidirectional = bidirectional, .pieces = pieces, .texts = texts};
  }
  [[nodiscard]] std::vector<Slice> slices() const {
    const std::int64_t of_w = std::ssize(w);
    return {{"w", 0, of_w}, {"h", of_w, T * B * D}};
  }
};

inline PoolingPoint pooling_point(Readout readout, std::int64_t D, bool bidirectional, std::uint64_t seed) {
  PoolingPoint point{.readout = readout,
                     .T = 7,
                     .B = 3,
                     .D = D,
                     .bidirectional = bidirectional,
                     .pieces = {{1, 2, 3}, {0, 4, 3}, {2, 0, 1}, {0, 0, 2}, {2, 3, 1}, {1, 0, 2}, {1, 5, 2}},
                     .texts = {{0, 1}, {1, 3}, {4, 1}, {5, 1}, {6, 1}},
                     .w = {},
                     .h = {},
                     .dout = {}};
  if (readout == Readout::kAttention) point.w = random_numbers(seed, 0, D, 2);
  const std::vector<float> numbers = random_numbers(seed, 1, point.T * point.B * D, 1);
  point.h.assign(numbers.size(), kUnset);
  for (std::size_t r = 0; r < point.texts.size(); ++r) {
    for (const std::int64_t row : ref::rows_of_text(point.shape(), r)) {
      std::copy_n(numbers.begin() + row * D, D, point.h.begin() + row * D);
    }
  }
  point.dout = random_numbers(seed, 2, std::ssize(point.texts) * readout_size(readout, D), 1);
  return point;
}

// All readouts of texts, at sizes around those of vectors, with one direction and with two.
inline std::vector<PoolingPoint> pooling_points(const std::vector<std::int64_t>& sizes) {
  std::vector<PoolingPoint> points;
  for (const Readout readout : all_readouts()) {
    if (readout == Readout::kSteps) continue;
    for (const std::int64_t D : sizes) {
      for (const bool bidirectional : {false, true}) {
        if (bidirectional && D % 2 != 0) continue;
        points.push_back(pooling_point(readout, D, bidirectional, 10 + points.size()));
      }
    }
  }
  return points;
}

// The gradient of sum(dout out) with respect to w and h, by the reference's backward.
inline std::vector<double> pooling_reference_gradient(const PoolingPoint& point) {
  const std::vector<double> w(point.w.begin(), point.w.end());
  const auto h = matrix_of<double>(std::span<const float>(point.h), point.T * point.B, point.D);
  const std::int64_t R = std::ssize(point.texts);
  const auto dout = matrix_of<double>(std::span<const float>(point.dout), R, std::ssize(point.dout) / R);
  std::vector<double> gradient(w.size());
  ref::Matrix<double> dh;
  ref::pooling_backward(point.shape(), std::span<const double>(w), h, dout, std::span(gradient), dh);
  gradient.insert(gradient.end(), dh.values.begin(), dh.values.end());
  return gradient;
}

// The same by the complex step, without any backward. Steps of no text get 0: their NaN would not be.
inline std::vector<double> pooling_complex_step(const PoolingPoint& point) {
  std::vector<Complex> values(point.w.begin(), point.w.end());
  values.insert(values.end(), point.h.begin(), point.h.end());
  return ref::complex_step_gradient(std::span(values), [&] {
    ref::Matrix<Complex> h(point.T * point.B, point.D);
    std::copy(values.begin() + std::ssize(point.w), values.end(), h.values.begin());
    ref::Matrix<Complex> out;
    ref::pooling_forward(point.shape(), std::span<const Complex>(values).first(point.w.size()), h, out);
    Complex loss(0);
    for (std::size_t i = 0; i < out.values.size(); ++i) {
      loss += static_cast<double>(point.dout[i]) * out.values[i];
    }
    return loss;
  });
}

inline std::string describe(const PoolingPoint& point) {
  return std::string(readout_name(point.readout)) + ", D " + std::to_string(point.D) +
         (point.bidirectional ? ", both directions" : "");
}

}  // namespace unroll
