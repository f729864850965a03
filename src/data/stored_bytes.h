// Bytes of a file in a binary format, read one number after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "data/number_array.h"

namespace unroll {

class StoredBytes {
 public:
  StoredBytes(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const noexcept { return next_; }

  // The next `count` bytes. Throws Error{kInput} if the file ends before: it ends within `what`.
  std::string_view take(std::uint64_t count, std::string_view what);
  // The next number, of `size` bytes.
  std::uint64_t little_endian(std::size_t size, std::string_view what);
  std::uint64_t big_endian(std::size_t size, std::string_view what);

 private:
  const std::string& path_;
  std::string_view bytes_;
  std::size_t next_ = 0;
};

// Throws Error{kInput} unless the bytes of `array` from its first element on are those of its shape, and at least one
// element. Whatever the shape is, nothing overflows.
void expect_elements(const NumberArray& array);

}  // namespace unroll
