// Reads n-grams from ARPA files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ngram/ngram_table.h"

namespace unroll {

// Allows lookups by std::string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

using WordNumbers = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

// The content of an ARPA file.
struct ArpaFile {
  NgramTable table;
  WordNumbers numbers;  // number of each word in the table
};

// Reads the file `path`, plain or gzip, as Ngram::load() describes, and throws as it.
[[nodiscard]] ArpaFile read_arpa(const std::string& path);

}  // namespace unroll
