// Text from a file or an argument, as a message shows it.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// `text` in double quotes, escaped as in JSON: quotes, backslashes and control characters. Bytes that are not UTF-8
// become U+FFFD each. Shows at most 80 bytes of the text, whole characters only, and "..." for the rest.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace unroll
