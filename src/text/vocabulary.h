// The symbols of a tokenizer, and lookups of their ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

inline constexpr std::string_view kUnknownSymbol = "<unk>";
inline constexpr std::string_view kEndSymbol = "<eos>";
inline constexpr std::string_view kNewline = "\n";

// Whether line ends are the boundary and not symbols of the text, so that text is read line by line.
[[nodiscard]] inline bool reads_lines(TokenizerKind kind) noexcept {
  return tokens_are_words(kind) || kind == TokenizerKind::kSentencePiece;
}

// The symbols that every vocabulary of this kind that is made from a text or a vocabulary file holds, in the order in
// which they are added; none for kByte and for kSentencePiece, whose symbols come from its model. Models that were
// trained by other programs may lack them.
[[nodiscard]] std::vector<std::string_view> required_symbols(TokenizerKind kind);

// Why `symbol` cannot be in a kChar, kWord or kWhitespace vocabulary ("is empty", ...); empty if it can.
[[nodiscard]] std::string_view symbol_fault(TokenizerKind kind, std::string_view symbol);

// All 256 bytes by value.
[[nodiscard]] std::vector<std::string> byte_symbols();

// Symbols by id, and ids by symbol. Immutable; lookups allocate nothing.
class Vocabulary {
 public:
  // Throws Error{kFormat} for duplicates, for symbols that the kind cannot have and for none at all.
  Vocabulary(TokenizerKind kind, std::vector<std::string> symbols);

  // For kSentencePiece, which has its own lookup of symbols.
  Vocabulary(std::vector<std::string> symbols, std::int32_t boundary, std::int32_t unknown)
      : symbols_(std::move(symbols)), boundary_(boundary), unknown_(unknown) {}
  Vocabulary(const Vocabulary&) = delete;  // ids_ views symbols_
  Vocabulary& operator=(const Vocabulary&) = delete;

  [[nodiscard]] const std::vector<std::string>& symbols() const noexcept { return symbols_; }
  [[nodiscard]] std::int32_t boundary() const noexcept { return boundary_; }  // the newline or "<eos>"; -1: none
  [[nodiscard]] std::int32_t unknown() const noexcept { return unknown_; }    // "<unk>"; -1: none

  // The id of a word; unknown() if it is not listed. For word kinds.
  [[nodiscard]] std::int32_t word_id(std::string_view word) const {
    const auto found = ids_.find(word);
    return found == ids_.end() ? unknown_ : found->second;
  }

  // The id of a character; unknown() if it is not listed. For kChar.
  [[nodiscard]] std::int32_t character_id(char32_t character) const noexcept {
    return character < character_ids_.size() ? character_ids_[character] : unknown_;
  }

 private:
  void add(TokenizerKind kind, std::int32_t id);

  std::vector<std::string> symbols_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
  std::vector<std::int32_t> character_ids_;  // by code point, up to the highest one
  std::int32_t boundary_ = -1;
  std::int32_t unknown_ = -1;
};

}  // namespace unroll
