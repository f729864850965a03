#include <string>
#include <vector>

#include "target.h"
#include "targets.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

constexpr std::string_view kVocabularyText = "a b the cat\nthe \xC3\xA9 \xE2\x82\xAC\n";

TokenizerKind kind_of(char choice) {
  switch (choice) {
    case 'w':
      return TokenizerKind::kWord;
    case 's':
      return TokenizerKind::kWhitespace;
    default:
      return TokenizerKind::kChar;
  }
}

}  // namespace

// c: characters, w: words, s: words between white space.
std::string fuzz_vocabulary(std::string_view input) {
  const TokenizerKind kind = kind_of(take_choice(input, "cws"));
  const std::string path = file_of(input, "vocab.txt");
  return refusal_of([&] {
    const Tokenizer tokenizer = Tokenizer::train({.kind = kind, .vocab_file = path}, {kVocabularyText, "text"});
    const EncodedText text = tokenizer.encode({kVocabularyText, "text"});
    for (const std::int32_t id : text.ids) static_cast<void>(tokenizer.symbol(id));
    const Tokenizer again = Tokenizer::from_vocabulary(kind, false, std::vector<std::string>(tokenizer.vocabulary()));
    expect(again.encode({kVocabularyText, "text"}).ids == text.ids, "the same vocabulary gives the same ids");
  });
}

}  // namespace unroll
