// Bytes as text, so that they may stand in JSON.
//
// Source: RFC 4648, section 4 (with padding, without line ends).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unroll {

[[nodiscard]] std::string encode_base64(std::string_view bytes);

// The way back; nothing where the text is not what encode_base64() makes of some bytes.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace unroll
