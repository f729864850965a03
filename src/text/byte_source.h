// Reads bytes of a file, a pipe or standard input as they arrive, and decompresses gzip.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "unroll/text.h"

namespace unroll {

// Uses read(2), so that bytes in a pipe are read at once, without waiting for more. gzip is known by its first two
// bytes; concatenated streams are one, zeros after the last are padding, and other bytes after it are left out
// with a warning, as by gzip itself. A byte-order mark at the head of what is
// unpacked is dropped, or refused, as TextCoding says. One thread at a time.
class ByteSource {
 public:
  // "-" is standard input. Throws Error{kFile}: missing, a directory, no permission.
  ByteSource(const std::string& path, TextCoding coding);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;

  // Reads once and appends the result, perhaps nothing. Returns false at the end. Throws Error{kFile} if reading fails
  // and for gzip that is damaged or ends early, Error{kInput} for UTF-16 and UTF-32, and for an id cache unless the
  // text is bytes.
  bool append_some(std::string& bytes);

  // Whether a byte-order mark was dropped so far.
  [[nodiscard]] bool had_byte_order_mark() const noexcept;

  // Whether append_some() would return at once.
  [[nodiscard]] bool ready() const noexcept;

  // Size of the file on disk; 0 if unknown.
  [[nodiscard]] std::int64_t stored_bytes() const noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace unroll
