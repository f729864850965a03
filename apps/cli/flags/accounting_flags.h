// The flags that say what the probability of a line is made of.
#pragma once

#include <optional>
#include <string>

#include "cli/flags/flags.h"
#include "unroll/score/accounting.h"
#include "unroll/tokenizer.h"

namespace unroll {

class AccountingFlags {
 public:
  // Declares --context, --no-end, --unk and --unk-words. This must live until flags->parse() has returned.
  void declare(Flags* flags);

  // Declares --begin.
  void declare_begin(Flags* flags);

  // Declares all but --context, for what reads a text as a whole.
  void declare_counting(Flags* flags);

  // What the command line said, with `state`. Throws Error{kUsage} for flags that contradict each other.
  [[nodiscard]] Accounting accounting(const Flags& flags, StatePolicy state) const;

 private:
  Accounting accounting_;
  bool no_end_ = false;
};

// Declares --begin, which sets `begin`.
void add_begin_flag(Flags* flags, std::optional<BeginPolicy>* begin);

// The policy in words: "state reset; begin \n (read, not scored); end \n (scored); unknown scored as <unk>". Where it
// has no begin, that is the boundary.
[[nodiscard]] std::string describe(const Accounting& accounting, const Tokenizer& tokenizer);

// What becomes of unknown tokens, in words that follow "they are" or "unknown".
[[nodiscard]] std::string unknown_words(const Accounting& accounting);

// What to tell of tokens of the context that the model does not know; empty where there are none.
[[nodiscard]] std::string context_note(const Accounting& accounting, const Tokenizer& tokenizer);

}  // namespace unroll
