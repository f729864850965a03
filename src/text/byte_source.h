// Bytes of a file, a pipe or standard input as they arrive, unpacked where they are gzip.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace unroll {

// Reads with read(2), so that what a pipe holds is taken at once and never waited to be more. gzip is known by its
// first two bytes; several streams one after another are one, zeros after the last are padding. Not for two threads at
// once.
class ByteSource {
 public:
  // "-" is standard input. Throws Error{kFile}: missing, a directory, no permission.
  explicit ByteSource(const std::string& path);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;

  // Reads once and appends what came of it, perhaps nothing. False at the end. Throws Error{kFile} when reading fails
  // and for gzip that is damaged or ends early.
  bool append_some(std::string& bytes);

  // Whether append_some() would return at once.
  [[nodiscard]] bool ready() const noexcept;

  // Size of a file as it lies on disk; 0 where that is not known.
  [[nodiscard]] std::int64_t stored_bytes() const noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace unroll
