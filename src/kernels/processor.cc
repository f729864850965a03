#include "kernels/processor.h"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "unroll/error.h"
#include "unroll/version.h"

namespace unroll {
namespace {

// Highway's targets are bits, better ones lower: everything below `best` goes.
void leave_highway_at_most(std::int64_t best) { hwy::DisableTargets(best - 1); }

void apply_cap(const std::string& cap) {
  dnnl::status status = dnnl::status::success;
  if (cap == "avx2") {
    status = dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    leave_highway_at_most(HWY_AVX2);
  } else if (cap == "sse4") {
    status = dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
    leave_highway_at_most(HWY_SSE4);
  } else {
    throw Error(ErrorCode::kUsage,
                fmt::format("UNROLL_MAX_ISA is '{}': expected avx2 or sse4, or leave it unset", cap));
  }
  if (status != dnnl::status::success) {
    throw Error(ErrorCode::kUsage, "UNROLL_MAX_ISA came too late: oneDNN was in use before the first call into unroll");
  }
}

std::string_view dnnl_isa_name(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "generic";
  }
}

}  // namespace

void prepare_processor() {
  static const bool prepared = [] {
    const char* cap = std::getenv("UNROLL_MAX_ISA");
    if (cap != nullptr && *cap != '\0') apply_cap(cap);
    return true;
  }();
  static_cast<void>(prepared);
}

bool has_avx512_products() {
  prepare_processor();
  static const bool result = [] {
    switch (dnnl::get_effective_cpu_isa()) {
      case dnnl::cpu_isa::avx512_core:
      case dnnl::cpu_isa::avx512_core_vnni:
      case dnnl::cpu_isa::avx512_core_bf16:
      case dnnl::cpu_isa::avx512_core_amx:
        return true;
      default:
        return false;
    }
  }();
  return result;
}

bool has_bf16_products() { prepare_processor(); return dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_bf16 || dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx; }
int product_row_unit() {
  if (has_avx512_products()) return 1;
  // oneDNN's AVX2 product works on groups of 6 rows, the SSE4 one on groups that 12 is a multiple of; a group that is
  // not full sums in another order.
  static const bool avx2 =
      dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx2 || dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx2_vnni;
  return avx2 ? 6 : 12;
}

std::string version() { return UNROLL_VERSION; }

std::string instruction_set() {
  prepare_processor();
  const std::int64_t targets = hwy::SupportedTargets();
  return fmt::format("products {}, kernels {}", dnnl_isa_name(dnnl::get_effective_cpu_isa()),
                     hwy::TargetName(targets & -targets));
}

std::vector<std::pair<std::string, std::string>> libraries() {
  const dnnl_version_t* dnnl = dnnl_version();
  return {{"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)},
          {"Highway", fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
          {"ICU", UNROLL_ICU_VERSION},
          {"zlib", UNROLL_ZLIB_VERSION},
          {"xxHash", UNROLL_XXHASH_VERSION},
          {"JSON for Modern C++", UNROLL_JSON_VERSION},
          {"fmt", UNROLL_FMT_VERSION}};
}

}  // namespace unroll
