// Reads vocabulary files (vocab.txt): one symbol per line, whose id is the line number (from 0).
//
// Within a symbol \n, \t, \r and \\ stand for newline, tab, carriage return and backslash; a carriage return at the end
// of a line is dropped, and so is an empty last line. Symbols that every vocabulary of the kind holds are appended if
// the file lacks them: "<unk>", then the newline or "<eos>".
#pragma once

#include <string>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The symbols by id. Throws Error{kFile} for a file that cannot be read, Error{kInput} naming the line for bytes that
// are not UTF-8, empty lines, unknown escapes, duplicates and symbols that the kind cannot have. Not for kByte.
[[nodiscard]] std::vector<std::string> read_vocabulary_file(TokenizerKind kind, const std::string& path);

}  // namespace unroll
