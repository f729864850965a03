// Turns texts and words into what a network reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "label/examples.h"
#include "unroll/task.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Symbols that are read of a text: of a longer one the first.
inline constexpr std::int64_t kTextSymbols = 4096;

// Gives the words of texts their characters, each distinct word once.
class CharacterEncoder {
 public:
  // Takes the characters of `task`. Without them, append() does nothing.
  explicit CharacterEncoder(const Task& task);

  // Appends the word of one more step. Without a word (an empty one) it is kNoWord.
  void append(std::string_view word, Examples& examples);

 private:
  std::unordered_map<std::string, std::int32_t> characters_;
  std::unordered_map<std::string, std::int32_t> forms_;  // of the words appended so far
};

// Encodes texts for all of a classifier's or a conditional model's uses. An encoder is for one list of examples.
class TextEncoder {
 public:
  TextEncoder(const Tokenizer& tokenizer, const Task& task) : tokenizer_(tokenizer), characters_(task) {}

  // Appends a text: its symbols and the boundary, which also makes a step of an empty text. Line ends within it are the
  // boundary too, which has no characters; those of other symbols are as the text has them, not folded to lower case.
  // `name` is what messages call the text. Returns whether it was cut. Throws as Tokenizer::encode_line().
  bool append(std::string_view text, const std::string& name, Examples& examples);

  // The same of a text that was encoded as these tokens, all of which are read.
  void append(std::string_view text, std::span<const Token> tokens, Examples& examples);

 private:
  const Tokenizer& tokenizer_;
  CharacterEncoder characters_;
};

// Encodes words for a tagger, each as one step.
class WordEncoder {
 public:
  WordEncoder(const Tokenizer& tokenizer, const Task& task) : tokenizer_(tokenizer), characters_(task) {}

  // Appends a sentence of at least one word. A word that is no single token of the vocabulary is unknown to it; its
  // characters are read all the same.
  void append(std::span<const std::string> words, Examples& examples);

 private:
  [[nodiscard]] std::int32_t id_of(const std::string& word) const;

  const Tokenizer& tokenizer_;
  CharacterEncoder characters_;
};

// A token as the text has it, not folded to lower case; empty where it is the boundary.
[[nodiscard]] std::string_view written_word(const Tokenizer& tokenizer, std::string_view text, const Token& token);

// The code points of a word as UTF-8 each; a byte that is not part of one stands for itself.
[[nodiscard]] std::vector<std::string> characters_of(std::string_view word);

}  // namespace unroll
