#include "text/symbol_counts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "text/utf8.h"
#include "text/vocabulary.h"

namespace unroll {
namespace {

std::vector<SymbolCount> count_bytes(std::string_view text) {
  std::array<std::int64_t, 256> counts{};
  for (const char byte : text) ++counts[static_cast<unsigned char>(byte)];
  std::vector<SymbolCount> found;
  for (std::size_t value = 0; value < counts.size(); ++value) {
    if (counts[value] > 0 && value != '\n') found.push_back({std::string(1, static_cast<char>(value)), counts[value]});
  }
  return found;
}

std::vector<SymbolCount> count_characters(std::string_view text) {
  // By code point, with the bytes of each character from its first occurrence.
  std::vector<SymbolCount> by_code_point(128);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = decode_utf8(text.substr(at));
    if (next.value >= by_code_point.size()) by_code_point.resize(next.value + 1);
    SymbolCount& entry = by_code_point[next.value];
    if (entry.count++ == 0) entry.symbol = text.substr(at, next.length);
    at += next.length;
  }
  std::erase_if(by_code_point, [](const SymbolCount& entry) { return entry.count == 0 || entry.symbol == kNewline; });
  return by_code_point;
}

// Allows lookups by std::string_view.
struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const noexcept { return std::hash<std::string_view>()(word); }
};

std::vector<SymbolCount> count_words(std::string_view text, const WordSplitter& splitter) {
  std::unordered_map<std::string, std::int64_t, ViewHash, std::equal_to<>> counts;
  splitter.split(text, [&counts](std::string_view, std::string_view word) {
    const auto known = counts.find(word);
    if (known != counts.end()) {
      ++known->second;
    } else if (word != kNewline && word != kUnknownSymbol) {
      counts.emplace(word, 1);
    }
  });
  std::vector<SymbolCount> found;
  found.reserve(counts.size());
  for (const auto& [word, count] : counts) found.push_back({word, count});
  return found;
}

}  // namespace

std::vector<SymbolCount> count_symbols(TokenizerKind kind, std::string_view text, const WordSplitter& splitter) {
  switch (kind) {
    case TokenizerKind::kByte:
      return count_bytes(text);
    case TokenizerKind::kChar:
      return count_characters(text);
    case TokenizerKind::kWord:
    case TokenizerKind::kWhitespace:
      return count_words(text, splitter);
    case TokenizerKind::kSentencePiece:
      break;  // its vocabulary comes from its model
  }
  return {};
}

std::vector<std::string> most_frequent(const TokenizerOptions& options, std::vector<SymbolCount> counts) {
  std::erase_if(counts, [&options](const SymbolCount& entry) { return entry.count < options.min_count; });
  std::sort(counts.begin(), counts.end(), [](const SymbolCount& a, const SymbolCount& b) {
    return std::tie(b.count, a.symbol) < std::tie(a.count, b.symbol);
  });
  const std::vector<std::string_view> required = required_symbols(options.kind);
  if (options.vocab_size > 0) {
    const auto room = static_cast<std::size_t>(options.vocab_size) - required.size();
    counts.resize(std::min(counts.size(), room));
  }
  std::vector<std::string> symbols(required.begin(), required.end());
  for (SymbolCount& entry : counts) symbols.push_back(std::move(entry.symbol));
  // UTF-8 sorts by bytes as by code points.
  if (options.kind == TokenizerKind::kChar) std::sort(symbols.begin() + 1, symbols.end());
  return symbols;
}

}  // namespace unroll
