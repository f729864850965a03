#include "exchange/vocabulary_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/file.h"
#include "base/quote.h"
#include "checkpoints/json_file.h"
#include "checkpoints/read_checkpoint.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr char kPickleStart = '\x80';

bool is_pickle_name(std::string_view path) {
  constexpr std::array<std::string_view, 3> kEndings{".pkl", ".pickle", ".bin"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return path.ends_with(ending); });
}

VocabularyFile from_values(const ValueGraph& graph, ValueId root, std::int64_t size) {
  return {.search = find_vocabularies(graph, root, size)};
}

// What a line stands for where symbols are characters; empty where it is no escape.
std::string_view unescaped_character(std::string_view line) {
  if (line == "\\n") return "\n";
  if (line == "\\t") return "\t";
  if (line == "\\r") return "\r";
  if (line == "\\\\") return "\\";
  return {};
}

class TextVocabulary {
 public:
  explicit TextVocabulary(const std::string& path) : path_(path), lines_(path) {}

  std::vector<std::string> read() {
    std::string line;
    while (lines_.next(line)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      add(line);
    }
    const bool are_characters = std::ranges::all_of(symbols_, [](const std::string& symbol) {
      return decode_utf8(symbol).length == symbol.size() || !unescaped_character(symbol).empty();
    });
    if (are_characters) {
      for (std::string& symbol : symbols_) {
        const std::string_view character = unescaped_character(symbol);
        if (!character.empty()) symbol = character;
      }
    }
    return std::move(symbols_);
  }

 private:
  void add(const std::string& symbol) {
    const std::int64_t number = std::ssize(symbols_) + 1;
    if (symbol.empty()) refuse(number, "the line is empty: expected a symbol, a newline in a JSON array or as \\n");
    if (find_invalid_utf8(symbol) != std::string_view::npos) refuse(number, "the symbol is not UTF-8");
    const auto [place, is_new] = line_of_.emplace(symbol, number);
    if (!is_new) refuse(number, fmt::format("{} is already in line {}", quote(symbol), place->second));
    symbols_.push_back(symbol);
  }

  [[noreturn]] void refuse(std::int64_t number, const std::string& why) const {
    throw Error(ErrorCode::kInput, fmt::format("vocabulary '{}', line {}: {}", path_, number, why), "vocab");
  }

  const std::string& path_;
  LineReader lines_;
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, std::int64_t> line_of_;
};

}  // namespace

VocabularyFile read_vocabulary(const std::string& path, std::int64_t size) {
  const MappedFile file(path);
  const std::string_view bytes = file.bytes();
  if (bytes.starts_with(kPickleStart) || is_pickle_name(path)) {
    const ForeignFile checkpoint = read_checkpoint(path);
    return from_values(checkpoint.values, checkpoint.root, size);
  }
  const std::string_view text = without_byte_order_mark({bytes, text_name(path)});
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && (text[start] == '{' || text[start] == '[')) {
    try {
      ValueGraph graph;
      const ValueId root = read_json(graph, text, text_name(path));
      return from_values(graph, root, size);
    } catch (const Error&) {
      // A list of words may begin with a bracket too.
      if (path.ends_with(".json")) throw;
    }
  }
  return {.symbols = TextVocabulary(path).read()};
}

}  // namespace unroll
