// A text file in memory, as UTF-8, and places in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "unroll/data/labelled_texts.h"

namespace unroll {

// The whole text of a file. A text without LF has its CRs replaced by LF, so that lines end in LF or CR LF.
class TextFile {
 public:
  // Reads the file as read_text() does; latin1 is converted. Throws as read_text(), and Error{kInput} with line and
  // column for bytes that are not UTF-8, and for what seems to be UTF-16 without a byte-order mark. Warns where a file
  // that is UTF-8 beyond ASCII is read as latin1.
  TextFile(const std::string& path, TextEncoding encoding);

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // "'reviews.csv', line 3, column 5": where the byte `at` stands. Counts the lines before it, so only for messages.
  [[nodiscard]] std::string place(std::size_t at) const;

  // Throws Error{kInput}: the place of the byte `at`, and why it is refused.
  [[noreturn]] void refuse(std::size_t at, std::string_view why) const;

 private:
  std::string path_;
  std::string text_;
};

// "'reviews.csv', line 3".
[[nodiscard]] std::string line_place(const std::string& path, std::int64_t line);

// The line without a carriage return at its end.
[[nodiscard]] inline std::string_view without_carriage_return(std::string_view line) noexcept {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace unroll
