// Which tokens the probability of a line consists of: one policy behind every number about a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unroll/begin_policy.h"
#include "unroll/state_policy.h"

namespace unroll {

// What an unknown token adds to the log-probability of its line. The network reads <unk> in any case.
enum class UnknownPolicy {
  kScore,  // ln p(<unk>): the probability of any unknown word
  kSkip,   // nothing: it is left out of the sum and of the count
  kShare,  // ln p(<unk>) - ln N: the probability of this one, of N equally likely unknown words
};

// "score", "skip", "share".
[[nodiscard]] std::string_view unknown_policy_name(UnknownPolicy policy) noexcept;

// The policy of that name. Throws Error{kUsage} naming the known ones.
[[nodiscard]] UnknownPolicy parse_unknown_policy(std::string_view text);

// Most words that may share the probability of <unk>.
inline constexpr std::int64_t kMostUnknownWords = std::int64_t{1} << 40;

// Begin, end, unknown words and state of a line.
//
//   ln p(line) = sum over its tokens w_t, and with `end` its closing boundary, of ln p(w_t | begin, w_1 .. w_(t-1))
//
// Begin is the boundary symbol, read from a zero state (kReset) or from the state after the line before (kCarry), and
// then `context`, whose tokens are read and never counted. It is tokenized by itself, and the line follows immediately.
//
// With BeginPolicy::kNone no boundary is read before the first token of the context, or of a line without one (with
// kCarry of the first line alone). That token is given: it is read and adds nothing to the sum or the count. Where the
// vocabulary has no boundary, a line has no closing one either.
struct Accounting {
  StatePolicy state = StatePolicy::kReset;
  std::string context = {};               // read before each line; with kReset alone
  std::optional<BeginPolicy> begin = {};  // empty: the model's
  bool end = true;                        // the closing boundary counts, if there is one
  UnknownPolicy unknown = UnknownPolicy::kScore;
  std::int64_t unknown_words = 1;  // N of kShare

  friend bool operator==(const Accounting&, const Accounting&) = default;
};

// Throws Error{kUsage} for unknown_words out of range, or other than 1 without kShare, for a context with kCarry, and
// for one that holds a line end.
void check(const Accounting& accounting);

// What a counted token adds: its ln p, minus ln N where it is unknown and the policy is kShare.
[[nodiscard]] double counted_log_prob(const Accounting& accounting, bool is_unknown, double log_prob);

// Whether a token is counted at all.
[[nodiscard]] bool counts(const Accounting& accounting, bool is_unknown) noexcept;

}  // namespace unroll
