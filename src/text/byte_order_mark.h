// Byte-order marks: U+FEFF at the head of a file, in the coding of the file.
//
// Source: The Unicode Standard, section 23.8, "Byte Order Mark (BOM)"; table 2-4 lists the bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unroll/text.h"

namespace unroll {

// The mark that a file begins with.
struct ByteOrderMark {
  std::string_view coding = {};  // "UTF-8", "UTF-16" or "UTF-32"; empty: there is no mark
  std::string_view bytes = {};   // of the mark
};

// The mark of a file that begins with `head`; nothing where the bytes after `head` decide, unless it is the whole file.
[[nodiscard]] std::optional<ByteOrderMark> find_byte_order_mark(std::string_view head, bool whole) noexcept;

// The number of bytes at the head of the text that are no part of it: those of a UTF-8 mark. Throws Error{kInput} for
// UTF-16 and UTF-32 unless any bytes are read; messages call the file `name`.
[[nodiscard]] std::size_t bytes_to_drop(const ByteOrderMark& mark, TextCoding coding, const std::string& name);

}  // namespace unroll
