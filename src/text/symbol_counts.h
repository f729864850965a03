// Builds vocabularies from a text: counts symbols and selects those to keep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/word_splitter.h"
#include "unroll/tokenizer.h"

namespace unroll {

// A symbol and its count in a text.
struct SymbolCount {
  std::string symbol;
  std::int64_t count = 0;
};

// Counts the different symbols of a text, in no particular order, without those that every vocabulary of the kind holds
// and, for kByte, without the newline; none for kSentencePiece. Requires UTF-8 unless kByte.
[[nodiscard]] std::vector<SymbolCount> count_symbols(TokenizerKind kind, std::string_view text,
                                                     const WordSplitter& splitter);

// The symbols to keep, in the order of their ids: at most options.vocab_size in all, none that occurs less often than
// options.min_count; keeps the most frequent, ties by bytes. Required symbols are always kept.
[[nodiscard]] std::vector<std::string> most_frequent(const TokenizerOptions& options, std::vector<SymbolCount> counts);

}  // namespace unroll
