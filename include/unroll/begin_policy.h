// What a network reads before the first symbol of a text.
#pragma once

#include <string_view>

namespace unroll {

// What a network reads before the first symbol of a text, and where lines are read by themselves of each line.
enum class BeginPolicy {
  kBoundary,  // the boundary symbol, from a zero state: the first symbol is predicted like any other
  kNone,  // nothing: the first symbol is given; the zero state reads it, and the second is the first to be predicted
};

// "boundary", "none".
[[nodiscard]] std::string_view begin_policy_name(BeginPolicy policy) noexcept;

// The policy with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] BeginPolicy parse_begin_policy(std::string_view text);

}  // namespace unroll
