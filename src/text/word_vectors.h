// Word vectors in the text form of word2vec, which fastText writes too, and in that of GloVe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// Vectors of some words of a vocabulary.
struct WordVectors {
  std::int64_t dimension = 0;              // D
  std::vector<std::int32_t> ids = {};      // of the words that have one, ascending
  std::vector<float> numbers = {};         // (ids, D)
  std::int64_t in_file = 0;                // vectors of the file
  std::int64_t from_lower_case = 0;        // of ids: words whose lower case stands in the file, and not they themselves
  std::vector<std::string> repeated = {};  // words of the vocabulary that the file has again: the first vector counts

  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    const auto D = static_cast<std::size_t>(dimension);
    return std::span(numbers).subspan(i * D, D);
  }
};

// Reads the vectors of `words`, whose places are their ids, from the file `path`, plain or packed with gzip: a line per
// word, the word and D numbers between blanks. A first line of two whole numbers, "N D", announces N vectors; without
// it, as GloVe writes, the first vector says what D is. A word may hold blanks, and bytes that are not UTF-8. Empty
// lines are left out.
//
// A word that the file lacks takes the vector of its lower case. Keeps nothing of words that are not asked for, so that
// the file may be larger than memory.
// Throws Error{kInput}, naming the line: another number of numbers, what is not a finite number in a vector that is
// kept, other than N vectors, none at all; Error{kFile} as LineReader does.
[[nodiscard]] WordVectors read_word_vectors(const std::string& path, std::span<const std::string> words);

}  // namespace unroll
