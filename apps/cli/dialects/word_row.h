// A row of the table of words that reading research works with, whatever tokens the words are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unroll {

// The columns of word_row().
inline constexpr std::string_view kWordColumns = "word sentid sentpos wlen surp entropy entred";

struct WordRow {
  std::string_view word;
  std::int64_t sentence = 0;               // from 0
  std::int64_t position = 0;               // in the sentence, from 0
  std::optional<double> log_prob = {};     // nats; none where the word does not count: NA
  std::optional<double> entropy = 0;       // nats, before the word is read; none where it is given: NA
  std::optional<double> entropy_before{};  // of the word before; none for the first one, and after a given one
};

// Fields between blanks, bits; wlen is characters, entred max(0, what the entropy fell by), 0 for the first word.
// Without a line end: other columns may follow.
[[nodiscard]] std::string word_row(const WordRow& row);

}  // namespace unroll
