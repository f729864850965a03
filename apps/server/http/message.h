// The text of HTTP/1.1 messages: heads and chunks of answers, targets of requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"

namespace unroll {

// How an answer is told from what follows it on its connection.
enum class Framing {
  kLength,  // Content-Length
  kChunks,  // Transfer-Encoding: chunked
  kClose,   // its end is that of the connection
};

// Status line and header of an answer, with the empty line. Control characters in values are left out. A status without
// a body (204, 304) has no length either.
[[nodiscard]] std::string answer_head(const HttpResponse& response, Framing framing, bool closes);

[[nodiscard]] bool status_has_body(int status) noexcept;

// `part` as a chunk; nothing for an empty part, which would mean the end.
void append_chunk(std::string_view part, std::string& text);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// An answer {"error": {...}} with this status. `message` consists of printable ASCII without quotes and backslashes.
[[nodiscard]] HttpResponse error_response(int status, std::string_view message);

// "a%20b" as "a b"; nothing for a malformed escape or a NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// Sets path and query from the target of a request line: /path?query, or http://host/path?query, whose host then
// replaces the header `host`. False if it is neither, or has a malformed escape or a NUL.
[[nodiscard]] bool read_target(std::string_view target, HttpRequest& request);

}  // namespace unroll
