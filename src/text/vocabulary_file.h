// vocab.txt: one symbol a line, the line's number (from 0) is its id.
//
// Within a symbol \n, \t, \r and \\ stand for newline, tab, carriage return and backslash; a carriage return at the end
// of a line is left out, and so is a last line that is empty. Symbols that every vocabulary of the kind holds are
// appended where the file lacks them: "<unk>", then the newline or "<eos>".
#pragma once

#include <string>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The symbols by id. Throws Error{kFile} for a file that cannot be read, Error{kInput} naming the line for bytes that
// are not UTF-8, empty lines, unknown escapes, duplicates and symbols that the kind cannot have. Not for kByte.
[[nodiscard]] std::vector<std::string> read_vocabulary_file(TokenizerKind kind, const std::string& path);

}  // namespace unroll
