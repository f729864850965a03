// Standard output, whose failures are told.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// Thrown when whoever read standard output went away: nothing is left to be done, and nothing went wrong.
struct ReaderGone {};

// Buffered writing to standard output. What is not flushed is lost: a verb flushes before it returns.
class Output {
 public:
  // Throws ReaderGone, or Error{kFile} with the system's reason (no space), when a full buffer cannot be written.
  void write(std::string_view text);

  // Hands all that was written to the system. Throws like write.
  void flush();

 private:
  std::string buffer_;
};

}  // namespace unroll
