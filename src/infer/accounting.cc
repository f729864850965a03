#include "unroll/score/accounting.h"

#include <fmt/format.h>

#include <cmath>

#include "base/names.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view name(UnknownPolicy policy) noexcept {
  switch (policy) {
    case UnknownPolicy::kScore:
      return "score";
    case UnknownPolicy::kSkip:
      return "skip";
    case UnknownPolicy::kShare:
      return "share";
  }
  return "";
}

}  // namespace

std::string_view unknown_policy_name(UnknownPolicy policy) noexcept { return name(policy); }

UnknownPolicy parse_unknown_policy(std::string_view text) { return parse_name<UnknownPolicy, name>("policy", text); }

void check(const Accounting& accounting) {
  expect_enumerator("unknown", accounting.unknown, name(accounting.unknown));
  expect_enumerator("state", accounting.state, state_policy_name(accounting.state));
  if (accounting.unknown_words < 1 || accounting.unknown_words > kMostUnknownWords) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`unknown_words` is {}: expected 1 to {}", accounting.unknown_words, kMostUnknownWords),
                "unknown_words");
  }
  if (accounting.unknown != UnknownPolicy::kShare && accounting.unknown_words != 1) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`unknown_words` is {}, but `unknown` is {}: only share divides by the number of words",
                            accounting.unknown_words, unknown_policy_name(accounting.unknown)),
                "unknown_words");
  }
  if (!accounting.context.empty() && accounting.state == StatePolicy::kCarry) {
    throw Error(
        ErrorCode::kUsage,
        "a `context` is read before each line by itself, so it cannot be combined with a state that is carried on",
        "context");
  }
  if (const std::size_t newline = accounting.context.find('\n'); newline != std::string::npos) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`context` has a line end at byte {}: it must be part of a line", newline), "context");
  }
}

double counted_log_prob(const Accounting& accounting, bool is_unknown, double log_prob) {
  if (!is_unknown || accounting.unknown != UnknownPolicy::kShare) return log_prob;
  return log_prob - std::log(static_cast<double>(accounting.unknown_words));
}

bool counts(const Accounting& accounting, bool is_unknown) noexcept {
  return !is_unknown || accounting.unknown != UnknownPolicy::kSkip;
}

}  // namespace unroll
