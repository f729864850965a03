// Vocabularies in the values of a file: dictionaries of symbols and ids, and lists of symbols.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoints/foreign_file.h"

namespace unroll {

struct FoundVocabulary {
  std::string path = {};                  // in the file: "char2idx"
  std::vector<std::string> symbols = {};  // by id
};

// What the search found: what fits, and what it was not.
struct VocabularySearch {
  std::vector<FoundVocabulary> found = {};
  std::vector<std::string> others = {};  // "char2idx has 45 symbols", for messages
};

// Looks for `size` symbols in the values below `root`: a dict of ids by symbol or of symbols by id, with the ids from 0
// on (or from 1 on, for one symbol fewer: the symbol 0 is then "<pad>"), a list or tuple of different strings, or a
// string of different characters under a key.
[[nodiscard]] VocabularySearch find_vocabularies(const ValueGraph& graph, ValueId root, std::int64_t size);

}  // namespace unroll
