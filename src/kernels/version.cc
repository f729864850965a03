#include "unroll/version.h"

#include <fmt/format.h>
#include <hwy/highway.h>

#include "kernels/processor.h"

namespace unroll {

std::string version() { return UNROLL_VERSION; }

std::string instruction_set() { return instruction_set_name(); }

std::vector<std::pair<std::string, std::string>> libraries() {
  return {{"Highway", fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
          {"ICU", UNROLL_ICU_VERSION},
          {"zlib", UNROLL_ZLIB_VERSION},
          {"xxHash", UNROLL_XXHASH_VERSION},
          {"JSON for Modern C++", UNROLL_JSON_VERSION},
          {"fmt", UNROLL_FMT_VERSION}};
}

}  // namespace unroll
