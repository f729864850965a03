// A line of an N-best list taken apart, dialect by dialect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/nbest.h"

namespace unroll {

// A line that is being read: messages name its place.
struct NbestLine {
  std::string_view file;  // as messages call it
  std::int64_t number = 0;
  std::string_view bytes;  // without newline, and without a carriage return before it

  // Throws Error{kInput}: "'f', line 3, column 7: what".
  [[noreturn]] void refuse(std::size_t at, const std::string& what) const;

  // The part of `bytes` that `field` views, as a finite number; `name` is how messages call the field.
  [[nodiscard]] double number_of(std::string_view field, std::string_view name) const;
  [[nodiscard]] std::size_t place_of(std::string_view field) const {
    return static_cast<std::size_t>(field.data() - bytes.data());
  }
};

// Each reads a line into `hypothesis` (all but line and number, words counted where the line does not say) and returns
// the id of its list. Throws Error{kInput} by NbestLine::refuse.
std::string read_rnnlm(const NbestLine& line, Hypothesis& hypothesis);
std::string read_kaldi(const NbestLine& line, Hypothesis& hypothesis);
std::string read_moses(const NbestLine& line, Hypothesis& hypothesis);
std::string read_srilm(const NbestLine& line, Hypothesis& hypothesis);  // the id is empty: it is the file's
std::string read_columns(const NbestLine& line, const NbestFormat& format, Hypothesis& hypothesis);
std::string read_json(const NbestLine& line, Hypothesis& hypothesis);

// Sets the text to `field`, a part of the line, and counts its words.
void set_text(const NbestLine& line, std::string_view field, Hypothesis& hypothesis);

// Without white space at both ends; where there is nothing else, empty at its start.
[[nodiscard]] std::string_view trimmed_field(std::string_view field) noexcept;

// Takes the first run of bytes between white space off `rest`; empty, and at its end, where there is none.
[[nodiscard]] std::string_view take_field(std::string_view& rest) noexcept;

// Words between ASCII white space.
[[nodiscard]] std::int64_t count_words(std::string_view text) noexcept;

}  // namespace unroll
