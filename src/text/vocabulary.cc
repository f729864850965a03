#include "text/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::kFormat, fmt::format("vocabulary: {}", what));
}

}  // namespace

std::vector<std::string_view> required_symbols(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::kByte:
    case TokenizerKind::kSentencePiece:
      return {};
    case TokenizerKind::kChar:
      return {kUnknownSymbol, kNewline};
    case TokenizerKind::kWord:
    case TokenizerKind::kWhitespace:
      return {kUnknownSymbol, kEndSymbol};
  }
  return {};
}

std::string_view symbol_fault(TokenizerKind kind, std::string_view symbol) {
  if (symbol.empty()) return "is empty";
  if (find_invalid_utf8(symbol) != std::string_view::npos) return "is not UTF-8";
  if (tokens_are_words(kind)) {
    return std::any_of(symbol.begin(), symbol.end(), is_ascii_space) ? "contains white space" : "";
  }
  const bool one_character = decode_utf8(symbol).length == symbol.size();
  return one_character || symbol == kUnknownSymbol ? "" : "is more than one character";
}

std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  for (int value = 0; value < 256; ++value)
    symbols.emplace_back(1, static_cast<char>(static_cast<unsigned char>(value)));
  return symbols;
}

Vocabulary::Vocabulary(TokenizerKind kind, std::vector<std::string> symbols) : symbols_(std::move(symbols)) {
  if (symbols_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    refuse(fmt::format("{} symbols are too many", symbols_.size()));
  }
  if (kind == TokenizerKind::kByte) {
    if (symbols_ != byte_symbols()) refuse("expected the 256 bytes in order");
    boundary_ = '\n';
    return;
  }
  ids_.reserve(symbols_.size());
  for (std::size_t id = 0; id < symbols_.size(); ++id) add(kind, static_cast<std::int32_t>(id));
  if (symbols_.empty()) refuse("it has no symbols");
  const auto id_or_none = [&](std::string_view symbol) {
    const auto found = ids_.find(symbol);
    return found == ids_.end() ? -1 : found->second;
  };
  unknown_ = id_or_none(kUnknownSymbol);
  boundary_ = id_or_none(kind == TokenizerKind::kChar ? kNewline : kEndSymbol);
  std::replace(character_ids_.begin(), character_ids_.end(), -1, unknown_);
}

void Vocabulary::add(TokenizerKind kind, std::int32_t id) {
  const std::string& symbol = symbols_[static_cast<std::size_t>(id)];
  if (const std::string_view fault = symbol_fault(kind, symbol); !fault.empty()) {
    refuse(fmt::format("symbol {} {}", id, fault));
  }
  const auto [place, is_new] = ids_.emplace(symbol, id);
  if (!is_new) refuse(fmt::format("symbols {} and {} are the same", place->second, id));
  if (kind != TokenizerKind::kChar || symbol == kUnknownSymbol) return;
  const char32_t character = decode_utf8(symbol).value;
  if (character >= character_ids_.size()) character_ids_.resize(character + 1, -1);
  character_ids_[character] = id;
}

}  // namespace unroll
