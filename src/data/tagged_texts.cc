#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "data/label_numbers.h"
#include "data/message_parts.h"
#include "data/text_file.h"
#include "data/trainable.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Gives numbers to tags, in the order in which they come.
class TagNumbers {
 public:
  explicit TagNumbers(std::vector<std::string>& tags) : tags_(tags) {}

  std::int32_t of(const std::string& tag) {
    const auto [found, is_new] = numbers_.emplace(tag, static_cast<std::int32_t>(tags_.size()));
    if (is_new) tags_.push_back(tag);
    return found->second;
  }

 private:
  std::vector<std::string>& tags_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

void append_file(TaggedTexts& texts, TagNumbers& numbers, const std::string& path, const ColumnOptions& options) {
  ColumnReader reader(path, options);
  const auto file = static_cast<std::int32_t>(texts.files.size());
  for (ColumnSentence sentence; reader.next(sentence);) {
    if (sentence.words.empty()) continue;
    TaggedSentence tagged{.words = std::move(sentence.words), .tags = {}, .file = file, .line = sentence.line};
    tagged.tags.reserve(sentence.tags.size());
    for (const std::string& tag : sentence.tags) tagged.tags.push_back(numbers.of(tag));
    texts.words += static_cast<std::int64_t>(tagged.words.size());
    texts.sentences.push_back(std::move(tagged));
  }
  texts.files.push_back(path);
  texts.columns.push_back(reader.tag_column());
}

}  // namespace

std::string TaggedTexts::place(std::size_t sentence) const {
  const TaggedSentence& its = sentences.at(sentence);
  return line_place(files.at(static_cast<std::size_t>(its.file)), its.line);
}

TaggedTexts read_tagged_texts(const std::vector<std::string>& paths, const ColumnOptions& options) {
  TaggedTexts texts;
  ColumnOptions with_tags_needed = options;
  with_tags_needed.tags_needed = true;
  TagNumbers numbers(texts.tags);
  for (const std::string& path : paths) append_file(texts, numbers, path, with_tags_needed);
  if (texts.words == 0) {
    throw Error(ErrorCode::kInput, fmt::format("{} has no word: expected a word and its tag on each line",
                                               paths.empty() ? "the data" : text_name(paths)));
  }
  std::vector<std::string> sorted = texts.tags;
  std::ranges::sort(sorted);
  renumber_tags(texts, sorted);
  return texts;
}

std::string doubt_about_tags(const TaggedTexts& texts) {
  const auto tags = static_cast<std::int64_t>(texts.tags.size());
  const auto doubt = [&](const std::string& what) {
    return fmt::format("{} in column {} of {}: is this the right column? (`tag_column`)", what, texts.columns.front(),
                       text_name(texts.files));
  };
  if (tags == 1) return doubt(fmt::format("every word has the same tag ({})", texts.tags.front()));
  if ((tags > 100 && tags > texts.words / 10) || (tags > 1000 && tags > texts.words / 50) || tags > 10000) {
    return doubt(fmt::format("{} tags of {} words", grouped_digits(tags), grouped_digits(texts.words)));
  }
  return {};
}

void expect_trainable(const TaggedTexts& texts) {
  const std::string doubt = doubt_about_tags(texts);
  if (!doubt.empty()) throw Error(ErrorCode::kInput, doubt, "tag_column");
}

void renumber_tags(TaggedTexts& texts, std::span<const std::string> tags) {
  LabelNumbers found = label_numbers(texts.tags, tags);
  for (TaggedSentence& sentence : texts.sentences) {
    for (std::int32_t& tag : sentence.tags) tag = found.numbers[static_cast<std::size_t>(tag)];
  }
  texts.tags = std::move(found.labels);
}

}  // namespace unroll
