#include "nn/pooling.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "kernels/activations.h"
#include "kernels/arrays.h"
#include "nn/text_steps.h"

namespace unroll {
namespace {

constexpr std::int64_t kTextsPerTask = 4;
constexpr std::int64_t kZeroedRows = 256;

template <class T>
std::span<T> row_of_matrix(MatView<T> matrix, std::int64_t r) {
  return {matrix.row(r), static_cast<std::size_t>(matrix.cols)};
}

// The columns of h whose last output is that of the last step.
std::int64_t forward_columns(const PoolingShape& shape) { return shape.bidirectional ? shape.D / 2 : shape.D; }

void last_forward(const PoolingShape& shape, const TextSteps& steps, MatView<const float> h, float* out) {
  const std::int64_t forward = forward_columns(shape);
  std::copy_n(h.row(steps.last()), forward, out);
  std::copy_n(h.row(steps.first()) + forward, shape.D - forward, out + forward);
}

void last_backward(const PoolingShape& shape, const TextSteps& steps, const float* dout, MatView<float> dh) {
  const std::int64_t forward = forward_columns(shape);
  float* const at_last = dh.row(steps.last());
  for (std::int64_t c = 0; c < forward; ++c) at_last[c] += dout[c];
  float* const at_first = dh.row(steps.first());
  for (std::int64_t c = forward; c < shape.D; ++c) at_first[c] += dout[c];
}

void max_forward(const PoolingShape& shape, const TextSteps& steps, MatView<const float> h, float* out,
                 std::int32_t* greatest) {
  const std::int64_t first = steps.first();
  std::copy_n(h.row(first), shape.D, out);
  std::fill_n(greatest, shape.D, static_cast<std::int32_t>(first));
  steps.for_each([&](std::int64_t row) {
    const float* const x = h.row(row);
    for (std::int64_t c = 0; c < shape.D; ++c) {
      const bool greater = x[c] > out[c] || std::isnan(x[c]);
      out[c] = greater ? x[c] : out[c];
      greatest[c] = greater ? static_cast<std::int32_t>(row) : greatest[c];
    }
  });
}

void max_backward(const PoolingShape& shape, const float* dout, const std::int32_t* greatest, MatView<float> dh) {
  for (std::int64_t c = 0; c < shape.D; ++c) dh(greatest[c], c) += dout[c];
}

void mean_forward(const PoolingShape& shape, const TextSteps& steps, MatView<const float> h, float* out) {
  const std::span<float> sum(out, static_cast<std::size_t>(shape.D));
  std::ranges::fill(sum, 0.0F);
  steps.for_each([&](std::int64_t row) { add(row_of_matrix(h, row), sum); });
  const auto n = static_cast<float>(steps.count());
  for (float& value : sum) value /= n;
}

void mean_backward(const PoolingShape& shape, const TextSteps& steps, const float* dout, MatView<float> dh) {
  const auto share = static_cast<float>(1 / static_cast<double>(steps.count()));
  const std::span<const float> d(dout, static_cast<std::size_t>(shape.D));
  steps.for_each([&](std::int64_t row) { add_scaled(share, d, row_of_matrix(dh, row)); });
}

void attention_forward(const TextSteps& steps, std::span<const float> w, MatView<const float> h,
                       MatView<float> attention, std::span<float> out) {
  float most = -std::numeric_limits<float>::infinity();
  steps.for_each([&](std::int64_t row) {
    hyperbolic_tangents(row_of_matrix(h, row), out);  // out is scratch until the sum below
    const auto score = static_cast<float>(dot(w, out));
    attention(row, 0) = score;
    most = std::max(most, score);
  });
  double sum = 0;
  steps.for_each([&](std::int64_t row) {
    float& a = attention(row, 0);
    a = static_cast<float>(std::exp(static_cast<double>(a) - static_cast<double>(most)));
    sum += static_cast<double>(a);
  });
  std::ranges::fill(out, 0.0F);
  steps.for_each([&](std::int64_t row) {
    float& a = attention(row, 0);
    a = static_cast<float>(static_cast<double>(a) / sum);
    add_scaled(a, row_of_matrix(h, row), out);
  });
}

void attention_backward(const TextSteps& steps, std::span<const float> w, MatView<const float> h,
                        MatView<const float> attention, std::span<const float> dout, std::span<float> dw,
                        MatView<float> dh) {
  double mean = 0;
  steps.for_each(
      [&](std::int64_t row) { mean += static_cast<double>(attention(row, 0)) * dot(dout, row_of_matrix(h, row)); });
  std::ranges::fill(dw, 0.0F);
  steps.for_each([&](std::int64_t row) {
    const float a = attention(row, 0);
    const auto ds = static_cast<float>(static_cast<double>(a) * (dot(dout, row_of_matrix(h, row)) - mean));
    const std::span<float> d = row_of_matrix(dh, row);
    hyperbolic_tangents(row_of_matrix(h, row), d);
    add_scaled(ds, d, dw);
    for (std::size_t c = 0; c < d.size(); ++c) d[c] = a * dout[c] + ds * w[c] * (1 - d[c] * d[c]);
  });
}

// Runs task(text, its steps) on every text, in parallel.
template <class Task>
void for_each_text(Workers& workers, const PoolingShape& shape, const Task& task) {
  workers.run_ranges(std::ssize(shape.texts), kTextsPerTask, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      task(r, TextSteps(shape.B, shape.pieces, shape.texts[static_cast<std::size_t>(r)]));
  });
}

bool takes_maxima(Readout readout) { return readout == Readout::kMax || readout == Readout::kConcat; }

}  // namespace

void pooling_forward(Workers& workers, const PoolingShape& shape, std::span<const float> w, MatView<const float> h,
                     PoolingTape& tape, MatView<float> out) {
  assert(h.cols == shape.D && out.rows == std::ssize(shape.texts));
  assert(out.cols == readout_size(shape.readout, shape.D));
  if (takes_maxima(shape.readout)) tape.greatest.resize(shape.texts.size() * static_cast<std::size_t>(shape.D));
  for_each_text(workers, shape, [&](std::int64_t r, const TextSteps& steps) {
    std::int32_t* const greatest = tape.greatest.data() + r * shape.D;
    float* const to = out.row(r);
    switch (shape.readout) {
      case Readout::kSteps:
        assert(false);
        return;
      case Readout::kLast:
        return last_forward(shape, steps, h, to);
      case Readout::kMax:
        return max_forward(shape, steps, h, to, greatest);
      case Readout::kMean:
        return mean_forward(shape, steps, h, to);
      case Readout::kConcat:
        last_forward(shape, steps, h, to);
        max_forward(shape, steps, h, to + shape.D, greatest);
        mean_forward(shape, steps, h, to + 2 * shape.D);
        return;
      case Readout::kAttention:
        return attention_forward(steps, w, h, tape.attention, row_of_matrix(out, r));
    }
  });
}

void pooling_backward(Workers& workers, const PoolingShape& shape, std::span<const float> w, MatView<const float> h,
                      const PoolingTape& tape, MatView<const float> dout, std::span<float> dw, MatView<float> dh) {
  workers.run_ranges(dh.rows, kZeroedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) std::fill_n(dh.row(row), dh.cols, 0.0F);
  });
  for_each_text(workers, shape, [&](std::int64_t r, const TextSteps& steps) {
    const std::int32_t* const greatest = tape.greatest.data() + r * shape.D;
    const float* const d = dout.row(r);
    switch (shape.readout) {
      case Readout::kSteps:
        assert(false);
        return;
      case Readout::kLast:
        return last_backward(shape, steps, d, dh);
      case Readout::kMax:
        return max_backward(shape, d, greatest, dh);
      case Readout::kMean:
        return mean_backward(shape, steps, d, dh);
      case Readout::kConcat:
        last_backward(shape, steps, d, dh);
        max_backward(shape, d + shape.D, greatest, dh);
        mean_backward(shape, steps, d + 2 * shape.D, dh);
        return;
      case Readout::kAttention:
        return attention_backward(steps, w, h, tape.attention, row_of_matrix(dout, r), row_of_matrix(tape.text_dw, r),
                                  dh);
    }
  });
  if (shape.readout == Readout::kAttention) add_column_sums(tape.text_dw.row_range(0, std::ssize(shape.texts)), dw);
}

}  // namespace unroll
