#include "exchange/derived_vocabulary.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "text/utf8.h"
#include "text/vocabulary.h"
#include "unroll/character.h"

namespace unroll {
namespace {

// Symbols in the order of their first occurrence, and how often each occurs.
class OccurrenceCounts {
 public:
  void add(std::string_view symbol) {
    auto place = place_.find(symbol);
    if (place == place_.end()) {
      place = place_.emplace(symbol, counts_.size()).first;
      counts_.emplace_back(symbol, 0);
    }
    ++counts_[place->second].second;
  }

  DerivedVocabulary ordered(SymbolOrder order) && {
    DerivedVocabulary derived;
    if (order == SymbolOrder::kSorted) std::ranges::sort(counts_);  // UTF-8 sorts as its code points do
    if (order == SymbolOrder::kFrequency) {
      std::ranges::stable_sort(counts_, std::ranges::greater(), [](const auto& entry) { return entry.second; });
      for (std::size_t i = 1; i < counts_.size(); ++i) derived.tied += counts_[i].second == counts_[i - 1].second;
    }
    for (auto& [symbol, count] : counts_) derived.symbols.push_back(std::move(symbol));
    return derived;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> place_;
  std::vector<std::pair<std::string, std::int64_t>> counts_;
};

void count_characters_of(std::string_view text, bool joins_line_ends, OccurrenceCounts& counts) {
  while (!text.empty()) {
    const std::size_t bytes = first_character(text).bytes;
    const bool is_return = joins_line_ends && text.front() == '\r';
    if (is_return) {
      if (!text.starts_with("\r\n")) counts.add(kNewline);  // a lone one is a line end for Python too
    } else {
      counts.add(text.substr(0, bytes));
    }
    text.remove_prefix(bytes);
  }
}

void count_words_of(std::string_view text, bool with_ends, OccurrenceCounts& counts) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty()) {
      const auto* stop = std::ranges::find_if(line, is_ascii_space);
      const auto bytes = static_cast<std::size_t>(stop - line.begin());
      if (bytes > 0) counts.add(line.substr(0, bytes));
      line.remove_prefix(std::min(bytes + 1, line.size()));
    }
    if (with_ends) counts.add(kEndSymbol);
  }
}

}  // namespace

std::string symbol_unit_name(SymbolUnit unit) {
  switch (unit) {
    case SymbolUnit::kCharacters:
      return "characters";
    case SymbolUnit::kCharactersOfLines:
      return "characters with CR LF as one newline";
    case SymbolUnit::kWordsAndEnds:
      return "words and <eos>";
    case SymbolUnit::kWords:
      return "words";
  }
  return {};
}

DerivedVocabulary derive_vocabulary(const std::vector<std::string>& texts, SymbolUnit unit, SymbolOrder order) {
  OccurrenceCounts counts;
  for (const std::string& text : texts) {
    const bool are_words = unit == SymbolUnit::kWords || unit == SymbolUnit::kWordsAndEnds;
    if (are_words) {
      count_words_of(text, unit == SymbolUnit::kWordsAndEnds, counts);
    } else {
      count_characters_of(text, unit == SymbolUnit::kCharactersOfLines, counts);
    }
  }
  return std::move(counts).ordered(order);
}

}  // namespace unroll
