// Who may ask: the checks that a request passes before anything else is done about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api_error.h"
#include "server/http.h"

namespace unroll {

struct GateOptions {
  std::string api_key = {};                       // empty: anybody may ask
  std::vector<std::string> allowed_origins = {};  // of pages of other servers; "*": all
  bool loopback = true;                           // only names of this machine are answered to
  std::string host = "127.0.0.1";                 // the name or address that the server listens at
};

// A page of another server can make a browser send requests to this one. So requests with an Origin are refused unless
// it is this server's own or an allowed one; and on a loopback address those are refused that were sent to another name
// than localhost, because such a name was made to lead here (DNS rebinding).
class Gate {
 public:
  explicit Gate(GateOptions options) : options_(std::move(options)) {}

  // Why the request is not answered; none if it is. Status 403, or 401 without the key, which /health and what is
  // public need not have.
  [[nodiscard]] std::optional<ApiError> refusal(const HttpRequest& request, bool is_public = false) const;

  // What a browser needs to let the page of an allowed origin read the answer.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers(const HttpRequest& request) const;

  // Whether a browser asks beforehand what it may send.
  [[nodiscard]] static bool is_preflight(const HttpRequest& request) noexcept;

 private:
  [[nodiscard]] bool is_allowed(std::string_view origin) const noexcept;
  [[nodiscard]] bool is_our_host(std::string_view host) const;

  GateOptions options_;
};

// Whether both are equal; takes as long wherever they differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace unroll
