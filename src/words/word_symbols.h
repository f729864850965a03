// Where words begin and end among a tokenizer's symbols (docs/math/words.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The state of a word after some of its symbols.
enum class WordStage {
  kSpace,   // no text yet, at most white space: the next symbol belongs to the same word, or is the end of the line
  kText,    // has text, and continues up to a symbol that closes it
  kClosed,  // its last symbol ended with white space: the next symbol begins the next word
};

// A word's symbols within a line.
struct WordSymbols {
  std::size_t first = 0;
  std::size_t last = 0;                  // one past the last
  WordStage before = WordStage::kSpace;  // of the word before it: kText where only a closing symbol could come
  bool end = false;                      // the end of the line: the boundary, after white space that no word follows
};

// The symbols of a vocabulary as parts of words. Immutable.
class WordVocabulary {
 public:
  // Throws Error{kUsage} for a symbol that has white space within its text.
  explicit WordVocabulary(const Tokenizer& tokenizer);

  [[nodiscard]] bool tokens_are_words() const noexcept { return tokens_are_words_; }
  [[nodiscard]] std::int32_t boundary() const noexcept { return boundary_; }

  // Whether `id` closes a word that has text: it begins with white space, or is the boundary.
  [[nodiscard]] bool closes(std::int32_t id) const { return shapes_[static_cast<std::size_t>(id)].space_first; }

  // The symbol that stands for white space which the vocabulary lacks: the space, where tokens are characters and it is
  // one; else -1.
  [[nodiscard]] std::int32_t space() const noexcept { return space_; }

  // All symbols that close a word, by id.
  [[nodiscard]] std::span<const std::int32_t> closing() const noexcept { return closing_; }

  // The stage of a word after `id`, which is not the boundary, was added to it.
  [[nodiscard]] WordStage after(WordStage stage, std::int32_t id) const;

  // Cuts the symbols of a line, the boundary as the last one, into words and the end of the line.
  [[nodiscard]] std::vector<WordSymbols> cut(std::span<const std::int32_t> ids) const;

 private:
  struct Shape {
    bool space_first = false;
    bool space_last = false;
    bool text = false;
  };
  static Shape shape_of(std::string_view symbol, bool pieces);

  bool tokens_are_words_;
  std::int32_t boundary_;
  std::int32_t space_ = -1;
  std::vector<Shape> shapes_;
  std::vector<std::int32_t> closing_;
};

}  // namespace unroll
