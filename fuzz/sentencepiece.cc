#include <string>

#include "target.h"
#include "targets.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

// Plain words, spaces in odd places, a ligature that normalisation takes apart, a character that no model lists.
constexpr std::string_view kPiecesText = "the cat  sees\n a \xEF\xAC\x81 ab abc\r\n\n\xE2\x98\x83 na\xC3\xAFve\taaaa ";

void check_pieces(const Tokenizer& tokenizer, std::string_view line) {
  std::int32_t previous = -1;
  std::int64_t end = 0;
  for (const Token& token : tokenizer.encode_line({line, "line"})) {
    expect(token.id >= 0 && token.id < tokenizer.size(), "ids are in the vocabulary");
    expect(token.offset >= end && token.length >= 0, "tokens follow each other");
    end = token.offset + token.length;
    static_cast<void>(tokenizer.written(previous, token.id));
    static_cast<void>(tokenizer.is_control(token.id));
    previous = token.id;
  }
  expect(end <= std::ssize(line), "tokens are within the line");
}

}  // namespace

std::string fuzz_sentencepiece(std::string_view input) {
  return refusal_of([&] {
    const Tokenizer tokenizer = Tokenizer::from_sentencepiece(std::string(input), "fuzzed.model");
    expect(tokenizer.boundary() >= 0 && tokenizer.boundary() < tokenizer.size(), "there is a boundary");
    const EncodedText text = tokenizer.encode({kPiecesText, "text"});
    expect(text.bytes == std::ssize(kPiecesText), "bytes are counted");
    check_pieces(tokenizer, kPiecesText);
  });
}

}  // namespace unroll
