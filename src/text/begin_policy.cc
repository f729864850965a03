#include "unroll/begin_policy.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name(BeginPolicy policy) noexcept {
  switch (policy) {
    case BeginPolicy::kBoundary:
      return "boundary";
    case BeginPolicy::kNone:
      return "none";
  }
  return {};
}

}  // namespace

std::string_view begin_policy_name(BeginPolicy policy) noexcept { return name(policy); }

BeginPolicy parse_begin_policy(std::string_view text) { return parse_name<BeginPolicy, name>("begin", text); }

}  // namespace unroll
