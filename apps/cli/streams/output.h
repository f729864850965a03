// Buffered output that reports write errors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace unroll {

// Thrown if the reader of standard output is gone (EPIPE): there is nothing left to do, and it is not an error.
struct ReaderGone {};

// Buffers standard output, or what else takes its bytes. Unflushed text is lost: a verb flushes before it returns.
class Output {
 public:
  // Standard output.
  Output() = default;

  // Passes bytes on to `take`, which may throw.
  explicit Output(std::function<void(std::string_view)> take) : take_(std::move(take)) {}

  // Throws ReaderGone, or Error{kFile} with the system's reason (no space), if a full buffer cannot be written.
  void write(std::string_view text);

  // Writes the buffer to the system. Throws as write().
  void flush();

  // Bytes that were written so far, buffered ones too.
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }

 private:
  std::function<void(std::string_view)> take_ = {};  // empty: standard output
  std::int64_t bytes_ = 0;
  std::string buffer_;
};

}  // namespace unroll
