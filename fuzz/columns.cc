#include "unroll/data/columns.h"

#include <string>
#include <vector>

#include "target.h"
#include "targets.h"
#include "unroll/judge/spans.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Columns and CoNLL-U with tags, the same without, text, and what the file seems to be.
constexpr std::string_view kKinds = "cuCUta";

ColumnOptions options_of(char choice) {
  switch (choice) {
    case 'u':
      return {.format = ColumnFormat::kConllu, .tag_column = "feats"};
    case 'C':
      return {.format = ColumnFormat::kColumns, .tag_column = "new", .tags_needed = false};
    case 'U':
      return {.format = ColumnFormat::kConllu, .word_column = "lemma", .tag_column = "xpos", .tags_needed = false};
    case 't':
      return {.format = ColumnFormat::kText, .tags_needed = false};
    case 'a':
      return {.known_tags = {"O", "B-X"}, .tags_needed = false};
    default:
      return {};
  }
}

void check_tags(const std::vector<std::string>& tags, SpanEvaluation& evaluation) {
  SchemeFinder finder;
  finder.add(tags);
  const FoundScheme found = finder.found();
  expect(found.invalid_sentences <= 1, "a sentence is one sentence");
  evaluation.add(tags, tags);
  expect(evaluation.micro().f1.value_or(1) == 1, "a sentence equals itself");
  if (found.scheme == TagScheme::kNone) return;
  const std::vector<std::string> valid = convert_tags(found.scheme, found.scheme, tags);
  expect(!find_invalid_tag(found.scheme, valid), "a converted sentence is valid");
  expect((valid == tags) == !find_invalid_tag(found.scheme, tags), "a valid sentence stays as it is");
}

void check_sentence(const ColumnSentence& sentence, SpanEvaluation& evaluation) {
  for (const TagPlace& place : sentence.places) {
    expect(place.first <= sentence.bytes.size() && place.size <= sentence.bytes.size() - place.first,
           "tags have their places within the bytes");
  }
  if (!sentence.words.empty()) expect(line_of(sentence, sentence.words.size() - 1) >= sentence.line, "lines grow");
  if (sentence.tags.empty()) {
    static_cast<void>(with_tags(sentence, std::vector<std::string>(sentence.words.size(), "T")));
    return;
  }
  expect(with_tags(sentence, sentence.tags) == sentence.bytes, "its own tags give the same bytes");
  check_tags(sentence.tags, evaluation);
}

std::string bytes_of_sentences(const std::string& path, const ColumnOptions& options) {
  ColumnReader reader(path, options);
  SpanEvaluation evaluation;
  std::string bytes;
  for (ColumnSentence sentence; reader.next(sentence);) {
    check_sentence(sentence, evaluation);
    bytes += sentence.bytes;
  }
  return bytes;
}

}  // namespace

std::string fuzz_columns(std::string_view input) {
  const char choice = take_choice(input, kKinds);
  const ColumnOptions options = options_of(choice);
  const std::string path = file_of(input, "columns");
  return refusal_of([&] {
    const std::string bytes = bytes_of_sentences(path, options);
    const std::string_view text = without_byte_order_mark({bytes, "columns"});
    expect(text == read_text(path), "sentences together are the file");
    if (!options.tags_needed) return;
    refusal_of([&] { expect_trainable(read_tagged_texts({path}, options)); });
  });
}

}  // namespace unroll
