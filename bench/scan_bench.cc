// minGRU's recurrence over a window, two ways, on one thread: scan_bench [--benchmark_filter=REGEX], and Google
// Benchmark's other options.
//
//   sweep      unroll's own (kernels/scans.h): step by step, all units in parallel
//   log_space  the published scan in log space (nn/ref/log_space_scan.h), in its cheapest form:
//              both cumulative sums kept for each unit, one pass over memory
//
// Items are units of a step. error: the largest of h relative to the recurrence in double.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/workers.h"
#include "kernels/processor.h"
#include "kernels/scans.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "../bench/scan_bench.cc"  // beside src, which is an include folder
#include <hwy/foreach_target.h>                      // must come before highway.h
#include <hwy/highway.h>
// After it.
#include <hwy/contrib/math/math-inl.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

// ln(1 + e^a).
HWY_INLINE V softplus_of(V a) {
  const V zero = hn::Zero(F());
  return hn::Add(hn::Max(a, zero), hn::Log1p(F(), exp_of(hn::Neg(hn::Abs(a)))));
}

// gates (T*B, 2H): a_z, a_n; h ((T+1)*B, H) from row B on; sum and total (B*H) scratch, for a previous state of zero.
// Requires H to be a multiple of a vector.
void log_space_kernel(const ScanShape& s, const float* gates, float* h, float* sum, float* total) {
  const F f;
  const V zero = hn::Zero(f);
  std::fill_n(sum, s.B * s.H, 0.0F);
  std::fill_n(total, s.B * s.H, -1e30F);
  for (std::int64_t row = 0; row < s.T * s.B; ++row) {
    const float* const a = gates + 2 * row * s.H;
    float* const out = h + (row + s.B) * s.H;
    const std::int64_t unit = row % s.B * s.H;
    for (std::int64_t j = 0; j < s.H; j += static_cast<std::int64_t>(hn::Lanes(f))) {
      const V a_z = hn::LoadU(f, a + j);
      const V a_n = hn::LoadU(f, a + s.H + j);
      const V log_keep = hn::Neg(softplus_of(a_z));
      const V n = hn::IfThenElse(hn::Ge(a_n, zero), hn::Add(a_n, hn::Set(f, 0.5F)), sigmoid_of(a_n));
      const V log_sum = hn::Add(hn::LoadU(f, sum + unit + j), log_keep);
      const V term = hn::Sub(hn::Add(hn::Add(a_z, log_keep), hn::Log(f, n)), log_sum);
      const V before = hn::LoadU(f, total + unit + j);
      const V log_total = hn::Add(hn::Max(before, term), hn::Log1p(f, exp_of(hn::Neg(hn::Abs(hn::Sub(before, term))))));
      hn::StoreU(log_sum, f, sum + unit + j);
      hn::StoreU(log_total, f, total + unit + j);
      hn::StoreU(exp_of(hn::Add(log_sum, log_total)), f, out + j);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {
namespace {

HWY_EXPORT(log_space_kernel);

struct Window {
  ScanShape shape;
  std::vector<float> gates, h, sum, total;

  explicit Window(const benchmark::State& state)
      : shape{.T = state.range(0), .B = state.range(1), .H = state.range(2), .first = 0, .last = 0},
        gates(static_cast<std::size_t>(2 * shape.T * shape.B * shape.H)),
        h(static_cast<std::size_t>((shape.T + 1) * shape.B * shape.H)),
        sum(static_cast<std::size_t>(shape.B * shape.H)),
        total(sum.size()) {
    shape.last = shape.B * shape.H;
    std::mt19937 generator(1);
    for (float& value : gates) value = static_cast<float>(generator() >> 8) * 0x1p-22F - 2.0F;
  }

  [[nodiscard]] double largest_error() const {
    double largest = 0;
    std::vector<double> exact(sum.size());
    for (std::int64_t row = 0; row < shape.T * shape.B; ++row) {
      for (std::int64_t j = 0; j < shape.H; ++j) {
        const auto at = static_cast<std::size_t>(row * shape.H + j);
        const double a_z = gates[static_cast<std::size_t>(2 * row * shape.H + j)];
        const double a_n = gates[static_cast<std::size_t>((2 * row + 1) * shape.H + j)];
        const double z = 1 / (1 + std::exp(-a_z));
        double& unit = exact[static_cast<std::size_t>(row % shape.B * shape.H + j)];
        unit = (1 - z) * unit + z * (a_n >= 0 ? a_n + 0.5 : 1 / (1 + std::exp(-a_n)));
        largest = std::max(largest, std::fabs(static_cast<double>(h[at + sum.size()]) / unit - 1));
      }
    }
    return largest;
  }
};

void time_scan(benchmark::State& state, void (*scan)(Window&)) {
  prepare_processor();
  Window window(state);
  Workers(1).run(1, [&](std::int64_t) {
    scan(window);
    for ([[maybe_unused]] auto _ : state) {
      scan(window);
      benchmark::ClobberMemory();
    }
  });
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * window.shape.T * window.shape.last);
  state.counters["error"] = window.largest_error();
}

void sweep(Window& w) { min_gru_scan_forward(w.shape, w.gates.data(), w.h.data()); }
void log_space(Window& w) {
  HWY_DYNAMIC_DISPATCH(log_space_kernel)(w.shape, w.gates.data(), w.h.data(), w.sum.data(), w.total.data());
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"T", "B", "H"})->Args({64, 16, 512})->Args({512, 16, 512})->Args({8192, 1, 512});
  b->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(time_scan, sweep, sweep)->Apply(sizes);
BENCHMARK_CAPTURE(time_scan, log_space, log_space)->Apply(sizes);

}  // namespace
}  // namespace unroll

BENCHMARK_MAIN();
#endif
