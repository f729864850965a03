#include "label/encoding.h"

#include <algorithm>
#include <iterator>

#include "text/utf8.h"
#include "text/vocabulary.h"
#include "text/window.h"

namespace unroll {

CharacterEncoder::CharacterEncoder(const Task& task) {
  for (const std::string& character : task.characters) {
    characters_.emplace(character, static_cast<std::int32_t>(characters_.size()) + 1);
  }
}

// Of a word that is too long, its first and last characters.
void CharacterEncoder::append(std::string_view word, Examples& examples) {
  if (characters_.empty()) return;
  if (word.empty()) return examples.forms.push_back(kNoWord);
  const auto next = static_cast<std::int32_t>(examples.words.ends.size());
  const auto [known, is_new] = forms_.try_emplace(std::string(word), next);
  examples.forms.push_back(known->second);
  if (!is_new) return;
  std::vector<std::string> characters = characters_of(word);
  const auto half = static_cast<std::ptrdiff_t>(kWordCharacters / 2);
  if (std::ssize(characters) > 2 * half) characters.erase(characters.begin() + half, characters.end() - half);
  for (const std::string& character : characters) {
    const auto found = characters_.find(character);
    examples.words.characters.push_back(found == characters_.end() ? 0 : found->second);
  }
  examples.words.ends.push_back(std::ssize(examples.words.characters));
}

bool TextEncoder::append(std::string_view text, const std::string& name, Examples& examples) {
  const std::vector<Token> tokens = tokenizer_.encode_line({text, name});
  const auto count = std::min<std::int64_t>(std::ssize(tokens), kTextSymbols);
  append(text, std::span(tokens).first(static_cast<std::size_t>(count)), examples);
  return count < std::ssize(tokens);
}

void TextEncoder::append(std::string_view text, std::span<const Token> tokens, Examples& examples) {
  for (const Token& token : tokens) {
    examples.ids.push_back(token.id);
    characters_.append(written_word(tokenizer_, text, token), examples);
  }
  examples.ids.push_back(tokenizer_.boundary());
  characters_.append("", examples);
  examples.starts.push_back(std::ssize(examples.ids));
}

void WordEncoder::append(std::span<const std::string> words, Examples& examples) {
  for (const std::string& word : words) {
    examples.ids.push_back(id_of(word));
    characters_.append(word, examples);
  }
  examples.starts.push_back(std::ssize(examples.ids));
}

std::int32_t WordEncoder::id_of(const std::string& word) const {
  if (word == kEndSymbol) return tokenizer_.unknown();
  const std::vector<Token> tokens = tokenizer_.encode_line({word, "a word"});
  return tokens.size() == 1 ? tokens.front().id : tokenizer_.unknown();
}

std::string_view written_word(const Tokenizer& tokenizer, std::string_view text, const Token& token) {
  if (token.id == tokenizer.boundary()) return {};
  return text.substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length));
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
