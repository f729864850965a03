// The losses of tasks in plain loops, of one row of outputs y. See nn/task_losses.h.
#pragma once

#include <span>
#include <vector>

#include "nn/ref/matrix.h"

namespace unroll::ref {

// softmax(y).
template <class S>
std::vector<S> softmax_of(std::span<const S> y) {
  using std::exp;
  S most = y.front();
  for (const S& value : y) {
    if (real_part(value) > real_part(most)) most = value;
  }
  std::vector<S> p;
  S sum(0);
  for (const S& value : y) {
    p.push_back(exp(value - most));
    sum += p.back();
  }
  for (S& value : p) value /= sum;
  return p;
}

// q_k = (1 - smoothing) [k = label] + smoothing / K.
inline std::vector<double> smoothed_label(std::size_t K, std::size_t label, double smoothing) {
  std::vector<double> q(K, smoothing / static_cast<double>(K));
  q[label] += 1 - smoothing;
  return q;
}

// -sum over k of q_k ln softmax(y)_k.
template <class S>
S softmax_row_loss(std::span<const S> y, const std::vector<double>& q) {
  using std::log;
  const std::vector<S> p = softmax_of(y);
  S loss(0);
  for (std::size_t k = 0; k < y.size(); ++k) loss -= S(q[k]) * log(p[k]);
  return loss;
}
template <class S>
std::vector<S> softmax_row_backward(std::span<const S> y, const std::vector<double>& q) {
  std::vector<S> dy = softmax_of(y);
  for (std::size_t k = 0; k < y.size(); ++k) dy[k] -= S(q[k]);
  return dy;
}

// -ln sigmoid(y_k) for the labels that are wanted, -ln sigmoid(-y_k) for the others.
template <class S>
S sigmoid_row_loss(std::span<const S> y, std::span<const std::uint8_t> wanted) {
  using std::log;
  S loss(0);
  for (std::size_t k = 0; k < y.size(); ++k) loss -= log(sigmoid(wanted[k] != 0 ? y[k] : -y[k]));
  return loss;
}
template <class S>
std::vector<S> sigmoid_row_backward(std::span<const S> y, std::span<const std::uint8_t> wanted) {
  std::vector<S> dy;
  for (std::size_t k = 0; k < y.size(); ++k) dy.push_back(sigmoid(y[k]) - S(wanted[k] != 0 ? 1 : 0));
  return dy;
}

// sum over k of (y_k - z_k)^2 / 2.
template <class S>
S squared_row_loss(std::span<const S> y, std::span<const float> z) {
  S loss(0);
  for (std::size_t k = 0; k < y.size(); ++k) {
    const S difference = y[k] - S(z[k]);
    loss += difference * difference / S(2);
  }
  return loss;
}
template <class S>
std::vector<S> squared_row_backward(std::span<const S> y, std::span<const float> z) {
  std::vector<S> dy;
  for (std::size_t k = 0; k < y.size(); ++k) dy.push_back(y[k] - S(z[k]));
  return dy;
}

}  // namespace unroll::ref
