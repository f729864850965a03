// Pooling in plain loops: one vector per text from the outputs of all its steps. See nn/pooling.h.
#pragma once

#include <span>
#include <vector>

#include "nn/pooling.h"
#include "nn/ref/matrix.h"

namespace unroll::ref {

// The rows of h that hold the steps of text r, in their order.
inline std::vector<std::int64_t> rows_of_text(const PoolingShape& shape, std::size_t r) {
  std::vector<std::int64_t> rows;
  for (std::int32_t p = 0; p < shape.texts[r].count; ++p) {
    const WindowPiece& piece = shape.pieces[static_cast<std::size_t>(shape.texts[r].first + p)];
    for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) rows.push_back(t * shape.B + piece.row);
  }
  return rows;
}

// The row whose last output column c of the readout kLast is.
inline std::int64_t last_row(const PoolingShape& shape, const std::vector<std::int64_t>& rows, std::int64_t c) {
  return shape.bidirectional && c >= shape.D / 2 ? rows.front() : rows.back();
}

// The first of the rows with the largest value in column c.
template <class S>
std::int64_t greatest_row(const Matrix<S>& h, const std::vector<std::int64_t>& rows, std::int64_t c) {
  std::int64_t greatest = rows.front();
  for (const std::int64_t row : rows) {
    if (real_part(h(row, c)) > real_part(h(greatest, c))) greatest = row;
  }
  return greatest;
}

// a = softmax over the rows of w . tanh(h_row).
template <class S>
std::vector<S> attention_of(std::span<const S> w, const Matrix<S>& h, const std::vector<std::int64_t>& rows) {
  using std::exp;
  std::vector<S> a;
  for (const std::int64_t row : rows) {
    S score(0);
    for (std::int64_t c = 0; c < h.cols; ++c) score += w[static_cast<std::size_t>(c)] * tanh_of(h(row, c));
    a.push_back(score);
  }
  S most = a.front();
  for (const S& score : a) {
    if (real_part(score) > real_part(most)) most = score;
  }
  S sum(0);
  for (S& score : a) sum += score = exp(score - most);
  for (S& score : a) score /= sum;
  return a;
}

// Sets out.
template <class S>
void pooling_forward(const PoolingShape& shape, std::span<const S> w, const Matrix<S>& h, Matrix<S>& out) {
  const std::int64_t D = shape.D;
  out = Matrix<S>(std::ssize(shape.texts), readout_size(shape.readout, D));
  for (std::size_t r = 0; r < shape.texts.size(); ++r) {
    const std::vector<std::int64_t> rows = rows_of_text(shape, r);
    S* const to = out.row(static_cast<std::int64_t>(r));
    const bool all = shape.readout == Readout::kConcat;
    for (std::int64_t c = 0; c < D; ++c) {
      if (all || shape.readout == Readout::kLast) to[c] = h(last_row(shape, rows, c), c);
      if (all || shape.readout == Readout::kMax) to[all ? D + c : c] = h(greatest_row(h, rows, c), c);
      if (all || shape.readout == Readout::kMean) {
        S& mean = to[all ? 2 * D + c : c];
        for (const std::int64_t row : rows) mean += h(row, c);
        mean /= S(static_cast<double>(rows.size()));
      }
    }
    if (shape.readout != Readout::kAttention) continue;
    const std::vector<S> a = attention_of(w, h, rows);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::int64_t c = 0; c < D; ++c) to[c] += a[t] * h(rows[t], c);
    }
  }
}

// One text of the readout kAttention. Adds to dw and dh.
template <class S>
void attention_backward(std::span<const S> w, const Matrix<S>& h, const std::vector<std::int64_t>& rows, const S* dout,
                        std::span<S> dw, Matrix<S>& dh) {
  const std::vector<S> a = attention_of(w, h, rows);
  std::vector<S> da(rows.size());
  S mean(0);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::int64_t c = 0; c < h.cols; ++c) da[t] += dout[c] * h(rows[t], c);
    mean += a[t] * da[t];
  }
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const S ds = a[t] * (da[t] - mean);
    for (std::int64_t c = 0; c < h.cols; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const S tanh_h = tanh_of(h(rows[t], c));
      dw[i] += ds * tanh_h;
      dh(rows[t], c) += a[t] * dout[c] + ds * w[i] * (S(1) - tanh_h * tanh_h);
    }
  }
}

// Adds to dw; sets dh.
template <class S>
void pooling_backward(const PoolingShape& shape, std::span<const S> w, const Matrix<S>& h, const Matrix<S>& dout,
                      std::span<S> dw, Matrix<S>& dh) {
  const std::int64_t D = shape.D;
  dh = Matrix<S>(h.rows, h.cols);
  for (std::size_t r = 0; r < shape.texts.size(); ++r) {
    const std::vector<std::int64_t> rows = rows_of_text(shape, r);
    const S* const d = dout.row(static_cast<std::int64_t>(r));
    const bool all = shape.readout == Readout::kConcat;
    for (std::int64_t c = 0; c < D; ++c) {
      if (all || shape.readout == Readout::kLast) dh(last_row(shape, rows, c), c) += d[c];
      if (all || shape.readout == Readout::kMax) dh(greatest_row(h, rows, c), c) += d[all ? D + c : c];
      if (all || shape.readout == Readout::kMean) {
        const S share = d[all ? 2 * D + c : c] / S(static_cast<double>(rows.size()));
        for (const std::int64_t row : rows) dh(row, c) += share;
      }
    }
    if (shape.readout == Readout::kAttention) attention_backward(w, h, rows, d, dw, dh);
  }
}

}  // namespace unroll::ref
