// Symbols, numbers and names as pictures show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// A symbol by itself: a newline is \n, a space U+2423, of other characters that are not printable each byte is \xHH; a
// combining mark that comes first stands on U+25CC. Of more than `most` columns the rest is an ellipsis; 0: all.
[[nodiscard]] std::string shown_symbol(std::string_view symbol, std::int64_t most = 0);

// Of the symbol `id`; of none (-1) a dash.
[[nodiscard]] std::string shown_symbol(const Tokenizer& tokenizer, std::int32_t id, std::int64_t most = 0);

// The same within a sentence: in quotation marks.
[[nodiscard]] std::string quoted_symbol(std::string_view symbol);
[[nodiscard]] std::string quoted_symbol(const Tokenizer& tokenizer, std::int32_t id);

// The columns that text takes in a monospaced type: none for combining marks, two for wide characters.
[[nodiscard]] std::int64_t columns_of(std::string_view text) noexcept;

// A probability as a share: "42%", "3.1%", "0.02%", "<0.01%".
[[nodiscard]] std::string percent(double share);

// What is left of something that may have grown: as percent() up to 1, above it "×1.35".
[[nodiscard]] std::string share_left(double ratio);

// A number with three digits: "0.312", "12.5", "1.2e-05".
[[nodiscard]] std::string three_digits(double number);

// The bounds of a scale about zero: "±72.1", "±2e+05".
[[nodiscard]] std::string within(double most);

// A whole number with a comma after each three digits.
[[nodiscard]] std::string with_commas(std::int64_t number);

// "1 step", "12,345 steps".
[[nodiscard]] std::string counted(std::int64_t number, std::string_view one);

// The last part of a path, its characters as those of symbols but for spaces.
[[nodiscard]] std::string shown_name(std::string_view path, std::int64_t most = 0);

// The same of several, with as many folders as tell them apart.
[[nodiscard]] std::vector<std::string> shown_names(const std::vector<std::string>& paths, std::int64_t most = 0);

}  // namespace unroll
