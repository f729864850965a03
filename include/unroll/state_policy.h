// What happens to the hidden state between lines of text.
#pragma once

#include <string_view>

namespace unroll {

// What happens to the hidden state at the end of a line of text.
enum class StatePolicy {
  kCarry,  // it continues into the next line: the text is one long sequence
  kReset,  // it returns to zero: each line stands alone
};

// "carry", "reset".
[[nodiscard]] std::string_view state_policy_name(StatePolicy policy) noexcept;

// The policy with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] StatePolicy parse_state_policy(std::string_view text);

}  // namespace unroll
