// Texts that a tokenizer can read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "unroll/text.h"
#include "unroll/tokenizer.h"

namespace unroll {

// A view of a text that every tokenizer of a kind can read. The constructor checks, so that a text need not be checked
// again; parts are cut between characters.
class CheckedText {
 public:
  // Throws Error{kInput} if a tokenizer of this kind cannot read the text, naming byte (from 0) and line (from 1):
  // bytes that are not UTF-8 (kByte takes any), the word "<eos>" in kWhitespace text (in any case with `lowercase`).
  CheckedText(TokenizerKind kind, bool lowercase, const NamedText& text);

  [[nodiscard]] TokenizerKind kind() const noexcept { return kind_; }
  [[nodiscard]] std::string_view view() const noexcept { return text_.text; }
  [[nodiscard]] const std::string& name() const noexcept { return text_.name; }
  [[nodiscard]] bool empty() const noexcept { return text_.text.empty(); }

  // The text before byte `cut`, and from it on. Requires the start of a character there, unless kByte.
  [[nodiscard]] CheckedText before(std::size_t cut) const {
    return {kind_, {text_.text.substr(0, cut), text_.name}, skipped_};
  }
  [[nodiscard]] CheckedText from(std::size_t cut) const {
    return {kind_, {text_.text.substr(cut), text_.name}, skipped_ + cut};
  }

  // "'book.txt', line 3, column 5": where the byte `at` stands; lines and columns, of characters, count from 1.
  [[nodiscard]] std::string place(std::size_t at) const;

 private:
  friend class Corpus;  // which joins checked texts
  CheckedText(TokenizerKind kind, NamedText text, std::size_t skipped = 0)
      : kind_(kind), text_(std::move(text)), skipped_(skipped) {}

  TokenizerKind kind_;
  NamedText text_;
  std::size_t skipped_ = 0;  // bytes right before the view, of the text that it was cut from
};

// The column of the character at byte `at`, from 1.
[[nodiscard]] std::int64_t column_of(std::string_view line, std::size_t at);

// The same check for one line of a text; messages leave the line number to the name.
void check_line(TokenizerKind kind, bool lowercase, const NamedText& line);

}  // namespace unroll
