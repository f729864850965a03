// The peak operations per second of this processor: multiply-adds on registers alone, in each precision.
//
//   peak THREADS
//
// For each line on standard input measures again and prints six numbers, G operations/s of one thread and of THREADS
// threads together, the best of several short runs each: f32, bf16 (pairs of products added to f32 in one instruction)
// and int8 (fours of products added to 32-bit integers in one instruction). 0 0 if the processor has no such
// instruction. UNROLL_MAX_ISA caps the instruction set as everywhere in unroll.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include "base/workers.h"
#include "kernels/processor.h"
#include "unroll/version.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "../bench/peak.cc"  // beside src, which is an include folder
#include <hwy/foreach_target.h>                // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// As many independent chains as hide the latency of a multiply-add on two units (8 to 10 in flight) and fit the
// registers: 32 with AVX-512, else 16. Each chain converges to 1, so that no number is ever subnormal or infinite.
// All loops over chains are unrolled, or GCC keeps the chains in memory. Returns the number of operations.
double f32_multiply_adds(std::int64_t rounds) {
  const hn::ScalableTag<float> f;
  using V = hn::Vec<hn::ScalableTag<float>>;
  constexpr int kChains = HWY_TARGET <= HWY_AVX3 ? 24 : 12;
  const V factor = hn::Set(f, 0.75F);
  const V term = hn::Set(f, 0.25F);
  V chains[kChains];
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) chains[i] = hn::Set(f, static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (V& chain : chains) chain = hn::MulAdd(chain, factor, term);
  }
  V sum = hn::Zero(f);
#pragma GCC unroll 24
  for (const V& chain : chains) sum = hn::Add(sum, chain);
  const float volatile kept = hn::GetLane(hn::SumOfLanes(f, sum));  // keeps the compiler from removing the loop
  static_cast<void>(kept);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(f)) * static_cast<double>(rounds);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {
namespace {

HWY_EXPORT(f32_multiply_adds);

double f32_loop(std::int64_t rounds) { return HWY_DYNAMIC_DISPATCH(f32_multiply_adds)(rounds); }

using Loop = double (*)(std::int64_t rounds);

#if defined(__x86_64__)
// The instructions as assembly: of intrinsics GCC merges equal chains or copies them around.
constexpr int kChains = 24;

__attribute__((target("avx512f,avx512bf16"))) double bf16_loop(std::int64_t rounds) {
  const __m512i ones = _mm512_set1_epi16(0x3F80);
  __m512 chains[kChains];
#pragma GCC unroll 24
  for (__m512& chain : chains) chain = _mm512_setzero_ps();
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (__m512& chain : chains)
      asm volatile("vdpbf16ps %1, %1, %0" : "+v"(chain) : "v"(ones));  // NOLINT(hicpp-no-assembler)
  }
  __m512 sum = _mm512_setzero_ps();
#pragma GCC unroll 24
  for (const __m512& chain : chains) sum = _mm512_add_ps(sum, chain);
  const float volatile kept = _mm512_cvtss_f32(sum);
  static_cast<void>(kept);
  return 2.0 * 32 * kChains * static_cast<double>(rounds);
}

__attribute__((target("avx512f,avx512vnni"))) double int8_loop(std::int64_t rounds) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i chains[kChains];
#pragma GCC unroll 24
  for (__m512i& chain : chains) chain = _mm512_setzero_si512();
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (__m512i& chain : chains)
      asm volatile("vpdpbusd %1, %1, %0" : "+v"(chain) : "v"(ones));  // NOLINT(hicpp-no-assembler)
  }
  __m512i sum = _mm512_setzero_si512();
#pragma GCC unroll 24
  for (const __m512i& chain : chains) sum = _mm512_add_epi32(sum, chain);
  const int volatile kept = _mm512_cvtsi512_si32(sum);
  static_cast<void>(kept);
  return 2.0 * 64 * kChains * static_cast<double>(rounds);
}

constexpr int kShortChains = 12;

__attribute__((target("avx2,avxvnni"))) double short_int8_loop(std::int64_t rounds) {
  const __m256i ones = _mm256_set1_epi8(1);
  __m256i chains[kShortChains];
#pragma GCC unroll 24
  for (__m256i& chain : chains) chain = _mm256_setzero_si256();
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (__m256i& chain : chains)
      asm volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(chain) : "x"(ones));  // NOLINT(hicpp-no-assembler)
  }
  __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 24
  for (const __m256i& chain : chains) sum = _mm256_add_epi32(sum, chain);
  const int volatile kept = _mm256_cvtsi256_si32(sum);
  static_cast<void>(kept);
  return 2.0 * 32 * kShortChains * static_cast<double>(rounds);
}
#endif

struct Loops {
  Loop f32 = f32_loop;
  Loop bf16 = nullptr;
  Loop int8 = nullptr;
};

Loops loops_of_this_processor() {
  prepare_processor();
  Loops loops;
#if defined(__x86_64__)
  const bool is_wide = instruction_set().starts_with("AVX3");
  if (has_bf16_products()) loops.bf16 = bf16_loop;
  if (has_int8_products()) loops.int8 = is_wide ? int8_loop : short_int8_loop;
#endif
  return loops;
}

double gigaops(Workers& workers, Loop loop) {
  using Clock = std::chrono::steady_clock;
  if (loop == nullptr) return 0;
  constexpr int kRuns = 6;
  constexpr std::int64_t kRounds = 3'000'000;  // about 10 ms
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    double operations = 0;
    const Clock::time_point start = Clock::now();
    workers.run(workers.count(), [&](std::int64_t task) {
      const double done = loop(kRounds);
      if (task == 0) operations = done * workers.count();
    });
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best * 1e-9;
}

int measure_on_request(int threads) {
  const Loops loops = loops_of_this_processor();
  Workers one(1);
  Workers all(threads);
  for (std::string line; std::getline(std::cin, line);) {
    std::string answer;
    for (const Loop loop : {loops.f32, loops.bf16, loops.int8}) {
      answer += fmt::format("{} {} ", gigaops(one, loop), gigaops(all, loop));
    }
    answer.back() = '\n';
    std::cout << answer << std::flush;
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
