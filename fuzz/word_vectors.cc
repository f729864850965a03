#include "text/word_vectors.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "target.h"
#include "targets.h"

namespace unroll {

std::string fuzz_word_vectors(std::string_view input) {
  const std::vector<std::string> words{"the", "Cat", "\xC3\xA9", "new york", "7"};
  const std::string path = file_of(input, "vectors.txt");
  return refusal_of([&] {
    const WordVectors vectors = read_word_vectors(path, words);
    expect(vectors.numbers.size() == vectors.ids.size() * static_cast<std::size_t>(vectors.dimension),
           "each word that is found has its numbers");
    expect(std::ranges::is_sorted(vectors.ids) && vectors.ids.size() <= words.size(), "words are found once");
    expect(std::ranges::all_of(vectors.numbers, [](float x) { return std::isfinite(x); }), "numbers are finite");
  });
}

}  // namespace unroll
