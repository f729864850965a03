#include "kernels/processor.h"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "unroll/error.h"

namespace unroll {
namespace {

// Highway's targets are bits, better ones lower: disables everything below `best`.
void leave_highway_at_most(std::int64_t best) { hwy::DisableTargets(best - 1); }

void apply_cap(const std::string& cap) {
  if (cap == "avx2") {
    leave_highway_at_most(HWY_AVX2);
  } else if (cap == "sse4") {
    leave_highway_at_most(HWY_SSE4);
  } else {
    throw Error(ErrorCode::kUsage,
                fmt::format("UNROLL_MAX_ISA is '{}': expected avx2 or sse4, or leave it unset", cap));
  }
}

// UNROLL_MAX_ISA; empty if there is none.
std::string cap_of_environment() {
  const char* cap = std::getenv("UNROLL_MAX_ISA");
  return cap == nullptr ? "" : cap;
}

// Applies the cap and returns the best remaining instruction set, in Highway's numbers: better ones lower.
std::int64_t choose_target() {
  const std::string cap = cap_of_environment();
  if (!cap.empty()) apply_cap(cap);
  const std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  // Highway 1.0 forgets disabled targets when asked which it supports: so they are disabled again, and it is never
  // asked again.
  hwy::GetChosenTarget().Update(targets);
  return targets & -targets;
}

std::int64_t best_target() {
  static const std::int64_t target = choose_target();
  return target;
}

#if defined(__x86_64__)
// Bit `bit` of EAX in CPUID leaf 7, subleaf 1.
bool has_extended_feature(unsigned bit) {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> bit & 1U) != 0;
}
#endif

}  // namespace

void prepare_processor() { best_target(); }

bool has_bf16_products() {
#if defined(__x86_64__)
  constexpr unsigned kAvx512Bf16 = 5;
  static const bool result = best_target() <= HWY_AVX3 && has_extended_feature(kAvx512Bf16);
  return result;
#else
  return false;
#endif
}

bool has_int8_products() {
#if defined(__x86_64__)
  constexpr unsigned kAvxVnni = 4;
  static const bool result = best_target() <= HWY_AVX3 ? __builtin_cpu_supports("avx512vnni") != 0
                                                       : best_target() == HWY_AVX2 && cap_of_environment().empty() &&
                                                             has_extended_feature(kAvxVnni);
  return result;
#else
  return false;
#endif
}

std::string instruction_set_name() {
  std::string name = hwy::TargetName(best_target());
  if (has_bf16_products()) name += ", bf16";
  if (has_int8_products()) name += ", int8";
  return name;
}

}  // namespace unroll
