#include "exchange/symbol_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/quote.h"
#include "text/vocabulary.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::array<std::string_view, 8> kUnknownNames{"<UNK>", "[UNK]", "<unknown>", "UNKNOWN_TOKEN",
                                                        "<OOV>", "<oov>", "xxunk",     "UNK"};
constexpr std::array<std::string_view, 7> kEndNames{"<eos>", "<EOS>", "</s>", "[EOS]", "SENTENCE_END", "<end>", "EOS"};
constexpr std::ptrdiff_t kMostSpecial = 16;

bool is_one_character(std::string_view symbol) {
  if (symbol.empty()) return false;
  const Character first = first_character(symbol);
  return first.well_formed && first.bytes == symbol.size();
}

constexpr unsigned kFirstPrivate = 0xE000;

// The first character of the private use area, and those after it.
std::string private_character(std::size_t number) {
  const unsigned value = kFirstPrivate + static_cast<unsigned>(number);
  return {static_cast<char>(0xE0 | value >> 12), static_cast<char>(0x80 | (value >> 6 & 0x3F)),
          static_cast<char>(0x80 | (value & 0x3F))};
}

class SymbolRenaming {
 public:
  SymbolRenaming(TokenizerKind kind, std::vector<std::string>& symbols) : kind_(kind), symbols_(symbols) {}

  std::vector<std::string> run() {
    const std::string boundary(kind_ == TokenizerKind::kChar ? kNewline : kEndSymbol);
    rename_first(kUnknownNames, std::string(kUnknownSymbol), "the unknown symbol");
    rename_first(kEndNames, boundary, "the boundary");
    if (kind_ != TokenizerKind::kChar) {
      rename_first(std::array<std::string_view, 1>{kNewline}, boundary, "the boundary");
    }
    rename_impossible();
    return std::move(notes_);
  }

 private:
  [[nodiscard]] bool has(std::string_view name) const { return std::ranges::find(symbols_, name) != symbols_.end(); }

  // Renames the first of `names` that is there, unless `name` is.
  void rename_first(const auto& names, const std::string& name, std::string_view meaning) {
    if (has(name)) return;
    for (const std::string_view other : names) {
      const auto found = std::ranges::find(symbols_, other);
      if (found == symbols_.end()) continue;
      notes_.push_back(fmt::format("the symbol {} is {}, {} here", quote(other), meaning, quote(name)));
      *found = name;
      return;
    }
  }

  void rename_impossible() {
    std::size_t renamed = 0;
    for (std::size_t id = 0; id < symbols_.size(); ++id) {
      std::string& symbol = symbols_[id];
      if (symbol_fault(kind_, symbol).empty()) continue;
      const bool is_char = kind_ == TokenizerKind::kChar;
      std::string name = is_char ? private_character(renamed) : fmt::format("<symbol-{}>", id);
      if (renamed < kShown) {
        // A character for private use has no form of its own: fonts show nothing.
        const std::string shown = is_char ? fmt::format("U+{:04X}", kFirstPrivate + renamed) : quote(name);
        notes_.push_back(fmt::format("the symbol {} ({}) is not one that a text is cut into: it is called {} here", id,
                                     quote(symbol), shown));
      }
      ++renamed;
      symbol = std::move(name);
    }
    if (renamed > kShown) notes_.push_back(fmt::format("{} more symbols were renamed so", renamed - kShown));
  }

  static constexpr std::size_t kShown = 4;
  TokenizerKind kind_;
  std::vector<std::string>& symbols_;
  std::vector<std::string> notes_;
};

}  // namespace

bool are_characters(const std::vector<std::string>& symbols) {
  const std::ptrdiff_t others =
      std::ranges::count_if(symbols, [](const std::string& symbol) { return !is_one_character(symbol); });
  return others <= kMostSpecial && others * 4 < std::ssize(symbols);
}

std::vector<std::string> rename_symbols(TokenizerKind kind, std::vector<std::string>& symbols) {
  return SymbolRenaming(kind, symbols).run();
}

}  // namespace unroll
