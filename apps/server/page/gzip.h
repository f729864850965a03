// Compresses what browsers fetch.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// `bytes` in the format gzip (RFC 1952), the same for the same bytes. Throws std::bad_alloc.
[[nodiscard]] std::string gzip(std::string_view bytes);

// Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3): named, or under *, and not with a weight of 0.
[[nodiscard]] bool accepts_gzip(std::string_view header) noexcept;

}  // namespace unroll
