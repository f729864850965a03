#include "label/encoding.h"

#include <algorithm>
#include <iterator>

#include "text/utf8.h"
#include "text/vocabulary.h"
#include "text/window.h"

namespace unroll {

bool append_text(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Examples& examples) {
  const std::vector<Token> tokens = tokenizer.encode_line({text, name});
  const auto count = std::min<std::int64_t>(std::ssize(tokens), kTextSymbols);
  for (std::int64_t i = 0; i < count; ++i) examples.ids.push_back(tokens[static_cast<std::size_t>(i)].id);
  examples.ids.push_back(tokenizer.boundary());
  examples.starts.push_back(std::ssize(examples.ids));
  return count < std::ssize(tokens);
}

WordEncoder::WordEncoder(const Tokenizer& tokenizer, const Task& task)
    : tokenizer_(tokenizer), has_characters_(!task.characters.empty()) {
  for (const std::string& character : task.characters) {
    characters_.emplace(character, static_cast<std::int32_t>(characters_.size()) + 1);
  }
}

void WordEncoder::append(std::span<const std::string> words, Examples& examples) {
  for (const std::string& word : words) {
    examples.ids.push_back(id_of(word));
    if (has_characters_) examples.forms.push_back(form_of(word, examples));
  }
  examples.starts.push_back(std::ssize(examples.ids));
}

std::int32_t WordEncoder::id_of(const std::string& word) const {
  if (word == kEndSymbol) return tokenizer_.unknown();
  const std::vector<Token> tokens = tokenizer_.encode_line({word, "a word"});
  return tokens.size() == 1 ? tokens.front().id : tokenizer_.unknown();
}

// Of a word that is too long, its first and last characters.
std::int32_t WordEncoder::form_of(const std::string& word, Examples& examples) {
  const auto [known, is_new] = forms_.try_emplace(word, static_cast<std::int32_t>(examples.words.ends.size()));
  if (!is_new) return known->second;
  std::vector<std::string> characters = characters_of(word);
  const auto half = static_cast<std::ptrdiff_t>(kWordCharacters / 2);
  if (std::ssize(characters) > 2 * half) characters.erase(characters.begin() + half, characters.end() - half);
  for (const std::string& character : characters) {
    const auto found = characters_.find(character);
    examples.words.characters.push_back(found == characters_.end() ? 0 : found->second);
  }
  examples.words.ends.push_back(std::ssize(examples.words.characters));
  return known->second;
}

std::vector<std::string> characters_of(std::string_view word) {
  std::vector<std::string> characters;
  while (!word.empty()) {
    const std::size_t length = std::max<std::size_t>(1, decode_utf8(word).length);
    characters.emplace_back(word.substr(0, length));
    word.remove_prefix(length);
  }
  return characters;
}

}  // namespace unroll
