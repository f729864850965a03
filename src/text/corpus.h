// A training text before tokenization: reads and checks it, and splits it into a training part and a held-out part.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/state_policy.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Throws Error{kInput} if a tokenizer of this kind cannot read `text`, naming byte (from 0) and line (from 1): bytes
// that are not UTF-8 (kByte takes any), the word "<eos>" in kWhitespace text. Messages call the text `name`.
void check_text(TokenizerKind kind, bool lowercase, std::string_view text, std::string_view name);

// The same for one line of a text; messages leave the line number to `name`.
void check_line(TokenizerKind kind, bool lowercase, std::string_view line, std::string_view name);

// Calls f(line, offset, whole) for each line of a text: the line without its line end, the offset of its first byte,
// and whether a line end follows.
template <class F>
void for_each_line(std::string_view text, const F& f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    f(text.substr(at, end - at), static_cast<std::int64_t>(at), end < text.size());
    at = end + 1;
  }
}

// Appends `text` to `texts`, with a newline between them if the first does not end with one.
void append_text(std::string& texts, std::string text);

// As read_texts(), with check_text() on each file, so that messages name the file and the place in it. Throws
// Error{kFile} and Error{kInput}.
[[nodiscard]] std::string read_corpus(const std::vector<std::string>& paths, TokenizerKind kind, bool lowercase);

// Views into a text.
struct SplitText {
  std::string_view train, valid;
};

// Holds out the tail: of n symbols the first floor(n (1 - share)) are for training, n counting bytes for kByte and
// characters for the other kinds. Share 0 holds out nothing.
//
// For words and sub-words, and for any kind with StatePolicy::kReset, lines stay whole: the cut moves on to the start
// of the next line, or, if that would hold out nothing, back to the start of its own; in a text of a single line it
// stays. Throws Error{kUsage} unless 0 <= share < 1. Requires UTF-8 unless kByte.
[[nodiscard]] SplitText split_tail(std::string_view text, double share, TokenizerKind kind, StatePolicy state);

}  // namespace unroll
