#include <algorithm>
#include <string>
#include <vector>

#include "target.h"
#include "targets.h"
#include "unroll/text.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

// Capital letters: in lower case.
TokenizerOptions options_of(char choice) {
  switch (choice) {
    case 'b':
      return {.kind = TokenizerKind::kByte};
    case 'w':
    case 'W':
      return {.kind = TokenizerKind::kWord, .lowercase = choice == 'W'};
    case 's':
    case 'S':
      return {.kind = TokenizerKind::kWhitespace, .lowercase = choice == 'S'};
    default:
      return {.kind = TokenizerKind::kChar};
  }
}

std::string decoded(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string text;
  std::int32_t previous = -1;
  for (const std::int32_t id : ids) {
    text += tokenizer.written(previous, id);
    previous = id;
  }
  return text;
}

// Ids of the line; each byte is in one token or in none.
std::vector<std::int32_t> ids_of_line(const Tokenizer& tokenizer, std::string_view line) {
  std::vector<std::int32_t> ids;
  std::int64_t end = 0;
  for (const Token& token : tokenizer.encode_line({line, "line"})) {
    expect(token.id >= 0 && token.id < tokenizer.size(), "ids are in the vocabulary");
    expect(token.offset >= end && token.length > 0, "tokens follow each other");
    end = token.offset + token.length;
    ids.push_back(token.id);
  }
  expect(end <= std::ssize(line), "tokens are within the line");
  return ids;
}

void check_tokenizer(const TokenizerOptions& options, std::string_view text) {
  const Tokenizer tokenizer = Tokenizer::train(options, {text, "text"});
  const EncodedText encoded = tokenizer.encode({text, "text"});
  if (text.find("<unk>") == std::string_view::npos) expect(encoded.unknown == 0, "a text's own symbols are known");
  if (encoded.lossless) expect(decoded(tokenizer, encoded.ids) == text, "a lossless text is decoded to itself");

  std::vector<std::int32_t> ids;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::vector<std::int32_t> line = ids_of_line(tokenizer, text.substr(at, end - at));
    ids.insert(ids.end(), line.begin(), line.end());
    if (end < text.size() || tokens_are_words(options.kind)) ids.push_back(tokenizer.boundary());
    at = end + 1;
  }
  expect(ids == encoded.ids, "a line has the ids that it has within its text");

  const Tokenizer again =
      Tokenizer::from_vocabulary(options.kind, options.lowercase, std::vector<std::string>(tokenizer.vocabulary()));
  expect(again.encode({text, "text"}).ids == encoded.ids, "the same vocabulary gives the same ids");
}

// A file, perhaps packed: as a whole, and line by line.
void check_reading(std::string_view input) {
  const std::string path = file_of(input, "text.gz");
  const std::string text = read_text(path);
  LineReader reader(path);
  std::string lines;
  for (std::string line; reader.next(line);) {
    expect(line.find('\n') == std::string::npos, "a line has no line end");
    lines += line + "\n";
  }
  if (!text.empty() && text.back() != '\n') lines.pop_back();
  expect(lines == text, "lines make up the text");
  static_cast<void>(lower_case(text));
}

}  // namespace

// c: characters, b: bytes, w: words, s: words between white space, W and S: in lower case, z: a file as it is.
std::string fuzz_text(std::string_view input) {
  const char choice = take_choice(input, "cbwsWSz");
  return refusal_of([&] {
    if (choice == 'z') {
      check_reading(input);
    } else {
      check_tokenizer(options_of(choice), input);
    }
  });
}

}  // namespace unroll
