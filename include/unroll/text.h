// Reading text: plain or gzip files and standard input, whole or line by line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The whole content of a file; "-" is standard input; a gzip stream is unpacked (known by its first two bytes).
// Throws Error{kFile}: missing, a directory, no permission, damaged gzip; Error{kMemory} where there is no room for it.
[[nodiscard]] std::string read_text(const std::string& path);

// The files' contents one after another. Where a file that others follow does not end with a newline, one is put
// after it, so that no symbol or word spans two files.
[[nodiscard]] std::string read_texts(const std::vector<std::string>& paths);

// The text in lower case, word by word as `lowercase` of TokenizerOptions folds it (ICU, root locale); white space
// stays. What is not UTF-8 comes back as it is.
[[nodiscard]] std::string lower_case(std::string_view text);

// Reads a file or a pipe line by line in bounded memory; a line of any length is whole. Not for two threads at once.
class LineReader {
 public:
  // Opens like read_text and throws like it.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // Next line without its newline (a carriage return before it stays). False at the end of the input; a last line
  // without newline is a line, an empty rest is none. Throws Error{kFile} when reading fails.
  bool next(std::string& line);

  // Whether next() would return at once, because a whole line (or the end) has arrived already. A caller that
  // answers a pipe works through what it has as soon as this is false.
  [[nodiscard]] bool ready();

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace unroll
