// Buffered standard output that reports write errors.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// Thrown if the reader of standard output is gone (EPIPE): there is nothing left to do, and it is not an error.
struct ReaderGone {};

// Buffers standard output. Unflushed text is lost: a verb flushes before it returns.
class Output {
 public:
  // Throws ReaderGone, or Error{kFile} with the system's reason (no space), if a full buffer cannot be written.
  void write(std::string_view text);

  // Writes the buffer to the system. Throws as write().
  void flush();

 private:
  std::string buffer_;
};

}  // namespace unroll
