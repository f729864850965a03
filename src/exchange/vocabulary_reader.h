// Vocabulary files of other programs: text, JSON, pickles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exchange/found_vocabulary.h"

namespace unroll {

// Either the symbols of a text file, or what the values of another file hold.
struct VocabularyFile {
  std::vector<std::string> symbols = {};
  std::optional<VocabularySearch> search = {};
};

// Reads a file, looking for `size` symbols:
//
//   pickle  known by its first byte, or by its name: .pkl, .pickle, .bin
//   JSON    begins with [ or {, and is JSON
//   text    a symbol on each line, as it stands; where all symbols are characters, \n, \t, \r and \\ are the newline,
//           tab, carriage return and backslash. Carriage returns at the ends of lines are dropped.
//
// Throws Error{kFile}; kInput with the field `vocab` and the line for a symbol that is empty, not UTF-8, or there
// already; kFormat for a damaged pickle, and for JSON that is none in a file called .json.
[[nodiscard]] VocabularyFile read_vocabulary(const std::string& path, std::int64_t size);

}  // namespace unroll
