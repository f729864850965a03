// h_t = a_t h_{t-1} + b_t for all steps at once, by sums in place of products: the published way to train minGRU
// and minLSTM in parallel over time. A second opinion on the sweep of kernels/scans.h, which needs no logarithms.
#pragma once

#include <cassert>
#include <cmath>
#include <span>
#include <vector>

namespace unroll::ref {

// With A_t = ln a_1 + ... + ln a_t,
//
//   ln h_t = A_t + ln( h_0 + sum_{k <= t} e^{ln b_k - A_k} )
//
// two cumulative sums, the second of exponentials, of which only the logarithm is kept.
//
// Shapes   log_a, log_b (T): logarithms; log_h0: that of the previous state, -infinity if it is zero. Returns h_1 ..
//          h_T.
// Source   Heinsen 2023, "Efficient parallelization of a ubiquitous sequential computation" (arXiv:2311.06281).
inline std::vector<double> log_space_scan(std::span<const double> log_a, std::span<const double> log_b, double log_h0) {
  assert(log_a.size() == log_b.size());
  std::vector<double> h(log_a.size());
  double sum = 0;             // A_t
  double log_total = log_h0;  // ln of the bracket
  for (std::size_t t = 0; t < h.size(); ++t) {
    sum += log_a[t];
    const double term = log_b[t] - sum;
    const double larger = std::fmax(log_total, term);
    log_total = larger + std::log1p(std::exp(std::fmin(log_total, term) - larger));
    h[t] = std::exp(sum + log_total);
  }
  return h;
}

}  // namespace unroll::ref
