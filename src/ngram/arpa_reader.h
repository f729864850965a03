// Reading n-grams from an ARPA file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ngram/ngram_table.h"

namespace unroll {

// Lets a text be looked up by a piece of another one.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

using WordNumbers = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

// What an ARPA file holds.
struct ArpaFile {
  NgramTable table;
  WordNumbers numbers;  // of its words in the table
};

// Reads the file `path`, plain or gzip, as Ngram::load() says. Throws what that throws.
[[nodiscard]] ArpaFile read_arpa(const std::string& path);

}  // namespace unroll
