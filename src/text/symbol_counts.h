// Vocabularies made from a text: how often each symbol occurs, and which ones are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/word_splitter.h"
#include "unroll/tokenizer.h"

namespace unroll {

// A symbol and how often a text has it.
struct SymbolCount {
  std::string symbol;
  std::int64_t count = 0;
};

// The different symbols of a text, in no particular order, without those that every vocabulary of the kind holds and,
// for kByte, without the newline; none for kSentencePiece. Requires UTF-8 unless kByte.
[[nodiscard]] std::vector<SymbolCount> count_symbols(TokenizerKind kind, std::string_view text,
                                                     const WordSplitter& splitter);

// The symbols to keep, in the order of their ids: at most options.vocab_size in all, none that occurs less often than
// options.min_count; the most frequent stay, ties by bytes. Required symbols are always among them.
[[nodiscard]] std::vector<std::string> most_frequent(const TokenizerOptions& options, std::vector<SymbolCount> counts);

}  // namespace unroll
