// How many f32 operations a second this processor can do at most: multiply-adds on registers alone.
//
//   peak THREADS
//
// For each line on standard input measures again and prints "ONE ALL": GFLOP/s of one thread and of THREADS threads
// together, the best of several short runs each. UNROLL_MAX_ISA caps the instruction set as everywhere in unroll.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include "base/workers.h"
#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "../bench/peak.cc"  // beside src, which is an include folder
#include <hwy/foreach_target.h>                // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve independent chains: enough to hide the latency of a multiply-add on two units (8 to 10 in flight), and few
// enough for the 16 registers of AVX2. Each chain converges to 1, so that no number is ever subnormal or infinite.
// Returns how many operations were done; `result` keeps the compiler from leaving them out.
double multiply_adds(std::int64_t rounds, float* result) {
  const hn::ScalableTag<float> f;
  using V = hn::Vec<hn::ScalableTag<float>>;
  constexpr int kChains = 12;
  const V factor = hn::Set(f, 0.75F);
  const V term = hn::Set(f, 0.25F);
  V chains[kChains];
  for (int i = 0; i < kChains; ++i) chains[i] = hn::Set(f, static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (V& chain : chains) chain = hn::MulAdd(chain, factor, term);
  }
  V sum = hn::Zero(f);
  for (const V& chain : chains) sum = hn::Add(sum, chain);
  *result = hn::GetLane(hn::SumOfLanes(f, sum));
  return 2.0 * kChains * static_cast<double>(hn::Lanes(f)) * static_cast<double>(rounds);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {
namespace {

HWY_EXPORT(multiply_adds);

double gflops(Workers& workers) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRuns = 8;
  constexpr std::int64_t kRounds = 4'000'000;  // about 10 ms
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    double operations = 0;
    const Clock::time_point start = Clock::now();
    workers.run(workers.count(), [&](std::int64_t task) {
      float result = 0;
      const double done = HWY_DYNAMIC_DISPATCH(multiply_adds)(kRounds, &result);
      const float volatile kept = result;
      static_cast<void>(kept);
      if (task == 0) operations = done * workers.count();
    });
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best * 1e-9;
}

int measure_on_request(int threads) {
  prepare_processor();
  Workers one(1);
  Workers all(threads);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << fmt::format("{} {}\n", gflops(one), gflops(all)) << std::flush;
  }
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  try {
    if (argc == 2) return unroll::measure_on_request(std::stoi(argv[1]));
    std::cerr << "usage: peak THREADS\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "peak: " << error.what() << '\n';
    return 1;
  }
}
#endif
