// Gives the symbols of other programs the names that tokenizers of ours have for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// Whether symbols are characters, but for a few with a special meaning, such as "<pad>".
[[nodiscard]] bool are_characters(const std::vector<std::string>& symbols);

// Renames symbols in place and returns a note for each kind of change. Names of symbols that no text can have are
// characters of the private use area, or words such as "<symbol-17>".
std::vector<std::string> rename_symbols(TokenizerKind kind, std::vector<std::string>& symbols);

}  // namespace unroll
