// Vocabularies as programs derive them from their training texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The order of the symbols that occur.
enum class SymbolOrder {
  kSorted,     // by code points
  kFirst,      // by first occurrence
  kFrequency,  // by falling count, ties by first occurrence
};

// What counts as a symbol.
enum class SymbolUnit {
  kCharacters,
  kCharactersOfLines,  // characters, with CR LF as one newline, as Python reads text
  kWordsAndEnds,       // words between white space, and <eos> at the end of each line
  kWords,
};

struct DerivedVocabulary {
  std::vector<std::string> symbols;
  std::int64_t tied = 0;  // of kFrequency: symbols that occur as often as the one before
};

// "characters", "words and <eos>", ...
[[nodiscard]] std::string symbol_unit_name(SymbolUnit unit);

// The symbols of texts, one after another. Requires texts in UTF-8.
[[nodiscard]] DerivedVocabulary derive_vocabulary(const std::vector<std::string>& texts, SymbolUnit unit,
                                                  SymbolOrder order);

}  // namespace unroll
