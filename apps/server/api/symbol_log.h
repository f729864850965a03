// The log-probabilities of an answer, symbol by symbol, as clients of OpenAI's servers read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/engine.h"
#include "unroll/tokenizer.h"

namespace unroll {

// The text of a symbol as the lists have it: the text itself, or bytes:\xe2\x82 where it is not whole UTF-8.
[[nodiscard]] std::string shown_piece(std::string_view piece);

// Counts the characters of a text that comes in pieces, which may end within one. Each part that is not UTF-8 counts as
// one, as it is shown.
class CharacterCount {
 public:
  // Returns the index of the character, from 0, in which the piece begins.
  std::int64_t add(std::string_view piece);

 private:
  void add_byte(char byte);

  std::int64_t whole_ = 0;
  std::string unfinished_ = {};
};

// How answers list log-probabilities: of texts in four lists, of messages in one.
enum class LogShape { kText, kChat };

// Lists the symbols of one text in order. Joined, the pieces are the text; offsets count its characters,
// from the beginning of what was skipped. The symbol
// itself is always among the most probable ones that are listed, with the same digits. No two of these have one name:
// where two symbols have the same text the less probable one is token_id:N.
class SymbolLog {
 public:
  SymbolLog(Tokenizer tokenizer, LogShape shape) : tokenizer_(std::move(tokenizer)), shape_(shape) {}

  // The symbols to come follow this text, which is not listed; `id` is its last symbol.
  void skip(std::int32_t id, std::string_view text);

  // A symbol that was not predicted.
  void add_given(std::int32_t id, std::string_view piece);

  void add(const SymbolReport& report, std::string_view piece);

  // Appends what was added since the last call to `json`; bytes() at most, besides the names of the lists.
  void take(std::string& json);
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  [[nodiscard]] std::string name(std::int32_t id) const;
  [[nodiscard]] std::string top(const SymbolReport& report, std::string_view piece) const;
  void add_piece(std::int32_t id, std::string_view piece);

  Tokenizer tokenizer_;
  LogShape shape_;
  std::int32_t previous_ = -1;
  CharacterCount characters_ = {};
  std::string tokens_;
  std::string log_probs_;
  std::string top_;
  std::string offsets_;
};

}  // namespace unroll
