// Base64: bytes as text, for JSON.
//
// Source: RFC 4648, section 4 (with padding, without line ends).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unroll {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

// The inverse; nothing if the text is not a result of encode_base64().
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace unroll
