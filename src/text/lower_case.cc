#include <cstddef>

#include "text/utf8.h"
#include "text/word_splitter.h"
#include "unroll/text.h"

namespace unroll {

std::string lower_case(std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos) return std::string(text);
  static const WordSplitter kWords(TokenizerKind::kWhitespace, true);
  std::string result;
  std::size_t done = 0;
  kWords.split(text, [&](std::string_view piece, std::string_view word) {
    const auto at = static_cast<std::size_t>(piece.data() - text.data());
    result.append(text, done, at - done).append(word);
    done = at + piece.size();
  });
  return result.append(text, done);
}

}  // namespace unroll
