// Text to words.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "unroll/tokenizer.h"

namespace unroll {

// Called for each word and each newline of a text, in order.
//
//   piece  the bytes as the text has them, a view into the text; "\n" for a newline
//   word   the same folded to lower case where that was asked for, valid during the call; a view equal in place to
//          `piece` where nothing changed
using WordVisitor = std::function<void(std::string_view piece, std::string_view word)>;

// Cuts text into words: between ASCII white space (kWhitespace) or at the word boundaries of Unicode (kWord: ICU's
// rules and dictionaries for the root locale; segments of white space are left out). Lower case is ICU's for the root
// locale.
//
// Linear in time; beyond the text itself it takes memory for one word and a window, whatever the length of a line.
// Immutable; any number of threads may use one. Throws Error{kMemory} where ICU has none left.
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
