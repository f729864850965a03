#include "unroll/state_policy.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name(StatePolicy policy) noexcept {
  switch (policy) {
    case StatePolicy::kCarry:
      return "carry";
    case StatePolicy::kReset:
      return "reset";
  }
  return {};
}

}  // namespace

std::string_view state_policy_name(StatePolicy policy) noexcept { return name(policy); }

StatePolicy parse_state_policy(std::string_view text) { return parse_name<StatePolicy, name>("state", text); }

}  // namespace unroll
