// Parses a line of an N-best list, dialect by dialect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/nbest/nbest.h"

namespace unroll {

// A line that is being read: messages name its place.
struct NbestLine {
  std::string_view file;  // what messages call it
  std::int64_t number = 0;
  std::string_view bytes;  // without newline, and without a carriage return before it

  // Throws Error{kInput}: "'f', line 3, column 7: what".
  [[noreturn]] void refuse(std::size_t at, const std::string& what) const;

  // The part of `bytes` that `field` views, as a number that check_size() takes; `name` is what messages call the
  // field.
  [[nodiscard]] double number_of(std::string_view field, std::string_view name) const;
  void check_size(std::size_t at, double value, std::string_view name) const;  // refuses what is beyond 1e30
  [[nodiscard]] std::size_t place_of(std::string_view field) const {
    return static_cast<std::size_t>(field.data() - bytes.data());
  }
};

// Each reads a line into `hypothesis` (all but line and number, words counted where the line does not say), and the id
// of its list into `id`, which is set even where another field is refused. Throws Error{kInput} by NbestLine::refuse.
void read_rnnlm(const NbestLine& line, std::string& id, Hypothesis& hypothesis);
void read_kaldi(const NbestLine& line, std::string& id, Hypothesis& hypothesis);
void read_moses(const NbestLine& line, std::string& id, Hypothesis& hypothesis);
void read_srilm(const NbestLine& line, const NbestFormat& format, Hypothesis& hypothesis);  // the id is the file's
void read_columns(const NbestLine& line, const NbestFormat& format, std::string& id, Hypothesis& hypothesis);
void read_json(const NbestLine& line, std::string& id, Hypothesis& hypothesis);

// Sets `id` to `field`, a part of the line, and notes its column.
void set_id(const NbestLine& line, std::string_view field, std::string& id, Hypothesis& hypothesis);

// Sets the text to `field`, a part of the line, and counts its words.
void set_text(const NbestLine& line, std::string_view field, Hypothesis& hypothesis);

// The words of `text` that count in this format: for kSrilm all but pauses and noise, otherwise all. Where none is left
// out, the text is unchanged; otherwise one space is between words.
[[nodiscard]] std::string counted_text(const NbestFormat& format, std::string_view text);

// Takes the first run of bytes between white space off `rest`; empty, and at its end, where there is none.
[[nodiscard]] std::string_view take_field(std::string_view& rest) noexcept;

// Words between ASCII white space.
[[nodiscard]] std::int64_t count_words(std::string_view text) noexcept;

}  // namespace unroll
