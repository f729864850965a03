// Holding out the tail of a training text for validation.
#pragma once

#include "text/checked_text.h"
#include "unroll/state_policy.h"

namespace unroll {

struct SplitText {
  CheckedText train, valid;
};

// Holds out the tail: of n symbols the first floor(n (1 - share)) are for training, n counting bytes for kByte and
// characters for the other kinds. Share 0 holds out nothing.
//
// For words and sub-words, and for any kind with StatePolicy::kReset, lines (which end in LF) stay whole: the cut moves
// on to the start of the next line, unless that leaves less than a quarter of what was to be held out; else back to the
// start of its own, unless that leaves less than half of what was to be trained on. Where lines are too long for both,
// it moves on behind the next white space; in a text of a single line it stays. Throws Error{kUsage} unless
// 0 <= share < 1.
[[nodiscard]] SplitText split_tail(const CheckedText& text, double share, StatePolicy state);

// The same, where something has to be left to train on. Throws Error{kInput}, too, where nothing is.
[[nodiscard]] SplitText split_to_train(const CheckedText& text, double share, StatePolicy state);

}  // namespace unroll
