// Splits text into words.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "unroll/tokenizer.h"

namespace unroll {

// Called for each word and each newline of a text, in order.
//
//   piece  the bytes in the text, as a view into it; "\n" for a newline
//   word   the same, folded to lower case if requested, valid during the call; the same view as `piece` if nothing
//          changed
using WordVisitor = std::function<void(std::string_view piece, std::string_view word)>;

// Cuts text into words: between ASCII white space (kWhitespace) or at the word boundaries of Unicode (kWord: ICU's
// rules and dictionaries for the root locale; segments of white space are dropped). Lower case is ICU's for the root
// locale.
//
// Linear in time; apart from the text itself, needs memory for one word and a window, for lines of any length.
// Immutable; any number of threads may use one. Throws Error{kMemory} if ICU runs out of memory.
// Source: Unicode Standard Annex 29, "Unicode Text Segmentation", section 4.
class WordSplitter {
 public:
  WordSplitter(TokenizerKind kind, bool lowercase);
  ~WordSplitter();
  WordSplitter(WordSplitter&&) noexcept;
  WordSplitter& operator=(WordSplitter&&) noexcept;

  // Requires UTF-8.
  void split(std::string_view text, const WordVisitor& visit) const;

 private:
  struct Icu;
  std::unique_ptr<const Icu> icu_;
};

}  // namespace unroll
