// Reads text: plain or gzip files and standard input, whole or line by line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// A text, viewed, and what messages call it: "'book.txt'", "standard input", "line 3".
struct NamedText {
  std::string_view text;
  std::string name;
};

// What the bytes of a text are. A byte-order mark (U+FEFF) at the head of a UTF-8 file is no part of its text: whatever
// reads files drops it.
enum class TextCoding {
  kUtf8,   // UTF-8, or another coding whose ASCII is ASCII; UTF-16 and UTF-32, known by their byte-order marks, are
           // refused with Error{kInput}
  kBytes,  // anything: what models of bytes read
};

// What messages call the text in the file `path`: the path in quotes, or "standard input" for "-".
[[nodiscard]] std::string text_name(const std::string& path);

// The same for several files: "'a.txt' + 'b.txt'".
[[nodiscard]] std::string text_name(const std::vector<std::string>& paths);

// Returns the whole content of a file; "-" is standard input; gzip, known by its first two bytes, is decompressed;
// bytes after its end are left out with a warning (unroll/warning.h).
// Throws Error{kFile}: missing, a directory, no permission, damaged gzip; Error{kMemory} if it does not fit in memory;
// Error{kInput} as TextCoding says.
[[nodiscard]] std::string read_text(const std::string& path, TextCoding coding = TextCoding::kUtf8);

// Returns the files' contents one after another. Adds a newline between two files if the first does not end with one,
// so that no symbol or word spans both.
[[nodiscard]] std::string read_texts(const std::vector<std::string>& paths, TextCoding coding = TextCoding::kUtf8);

// The text of a file that the caller has read: without a byte-order mark. Throws Error{kInput} as TextCoding says.
[[nodiscard]] std::string_view without_byte_order_mark(const NamedText& text, TextCoding coding = TextCoding::kUtf8);

// Returns the text in lower case, folded word by word as TokenizerOptions::lowercase does (ICU, root locale); white
// space is kept. Text that is not UTF-8 is returned unchanged.
[[nodiscard]] std::string lower_case(std::string_view text);

// Reads a file or a pipe line by line, in memory for one line of any length. One thread at a time.
class LineReader {
 public:
  // Opens `path` and throws as read_text() does.
  explicit LineReader(const std::string& path, TextCoding coding = TextCoding::kUtf8);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // Reads the next line, without its newline (a carriage return before it stays). Returns false at the end of the
  // input; a last line without a newline counts, an empty rest does not. Throws Error{kFile} if reading fails, and
  // Error{kInput} as TextCoding says.
  bool next(std::string& line);

  // Whether a newline ended the line that next() returned last: all lines but perhaps the last one.
  [[nodiscard]] bool line_was_whole() const noexcept;

  // Whether the file begins with a byte-order mark of UTF-8, which was dropped; known from the first next() on.
  [[nodiscard]] bool had_byte_order_mark() const noexcept;

  // Whether next() would return at once, because a whole line (or the end) has already arrived. A caller that answers
  // a pipe should process the lines that it has when this is false.
  [[nodiscard]] bool ready();

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace unroll
