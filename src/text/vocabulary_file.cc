#include "text/vocabulary_file.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "base/quote.h"
#include "text/vocabulary.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Reads the lines of one file, with their numbers for messages.
class VocabularyReader {
 public:
  VocabularyReader(TokenizerKind kind, const std::string& path) : kind_(kind), path_(path), lines_(path) {}

  std::vector<std::string> read() {
    std::string line;
    while (lines_.next(line)) {
      ++number_;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      add(unescaped(line));
    }
    if (symbols_.empty()) throw Error(ErrorCode::kInput, fmt::format("vocabulary '{}' is empty", path_));
    for (const std::string_view required : required_symbols(kind_)) {
      if (!line_of_.contains(std::string(required))) symbols_.emplace_back(required);
    }
    return symbols_;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kInput, fmt::format("vocabulary '{}', line {}: {}", path_, number_, what));
  }

  void add(const std::string& symbol) {
    if (const std::string_view fault = symbol_fault(kind_, symbol); !fault.empty()) {
      refuse(fmt::format("the symbol {}", fault));
    }
    const auto [place, is_new] = line_of_.emplace(symbol, number_);
    if (!is_new) refuse(fmt::format("{} is already in line {}", quote(symbol), place->second));
    symbols_.push_back(symbol);
  }

  [[nodiscard]] std::string unescaped(std::string_view line) const {
    std::string symbol;
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line[at] != '\\') {
        symbol += line[at];
        continue;
      }
      ++at;
      symbol += unescaped(at < line.size() ? line[at] : '\0');
    }
    return symbol;
  }

  [[nodiscard]] char unescaped(char after_backslash) const {
    switch (after_backslash) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case '\\':
        return '\\';
      default:
        refuse(R"(a backslash is not part of \n, \t, \r or \\; write \\ for a backslash)");
    }
  }

  TokenizerKind kind_;
  const std::string& path_;
  LineReader lines_;
  std::int64_t number_ = 0;
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, std::int64_t> line_of_;
};

}  // namespace

std::vector<std::string> read_vocabulary_file(TokenizerKind kind, const std::string& path) {
  return VocabularyReader(kind, path).read();
}

}  // namespace unroll
