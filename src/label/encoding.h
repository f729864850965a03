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

// Appends a text: its symbols and the boundary, which also makes a step of an empty text. Line ends within it are the
// boundary too. `name` is what messages call it. Returns whether the text was cut. Throws as Tokenizer::encode_line().
bool append_text(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Examples& examples);

// Encodes words for a tagger, each as one step.
class WordEncoder {
 public:
  // Takes the characters of `task`, if it has some.
  WordEncoder(const Tokenizer& tokenizer, const Task& task);

  // Appends a sentence of at least one word. A word that is no single token of the vocabulary is unknown to it; its
  // characters are read all the same.
  void append(std::span<const std::string> words, Examples& examples);

 private:
  [[nodiscard]] std::int32_t id_of(const std::string& word) const;
  std::int32_t form_of(const std::string& word, Examples& examples);

  const Tokenizer& tokenizer_;
  bool has_characters_;
  std::unordered_map<std::string, std::int32_t> characters_;
  std::unordered_map<std::string, std::int32_t> forms_;  // of the words appended so far
};

// The code points of a word as UTF-8 each; a byte that is not part of one stands for itself.
[[nodiscard]] std::vector<std::string> characters_of(std::string_view word);

}  // namespace unroll
