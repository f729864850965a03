#include "server/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace unroll {
namespace {

constexpr std::string_view kBearer = "bearer ";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// "localhost:8080" without its port.
std::string_view without_port(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return host;
  return host.substr(0, colon);
}

std::string_view key_of(const HttpRequest& request) noexcept {
  const std::string* const header = request.header("authorization");
  if (header == nullptr || lower(std::string_view(*header).substr(0, kBearer.size())) != kBearer) return {};
  std::string_view key = std::string_view(*header).substr(kBearer.size());
  while (!key.empty() && key.front() == ' ') key.remove_prefix(1);
  return key;
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  std::size_t difference = a.size() ^ b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    const char of_a = a.empty() ? '\0' : a[i % a.size()];
    difference |= static_cast<unsigned char>(of_a ^ b[i]);
  }
  return difference == 0;
}

std::optional<ApiError> Gate::refusal(const HttpRequest& request, bool is_public) const {
  const std::string* const host = request.header("host");
  if (options_.loopback && host != nullptr && !is_our_host(*host)) {
    return ApiError(
        403, fmt::format("the request was sent to {}, but this server answers to localhost only (see --host)", *host),
        {}, "wrong_host");
  }
  const std::string* const origin = request.header("origin");
  if (origin != nullptr && !is_allowed(*origin)) {
    const bool own = host != nullptr && (*origin == "http://" + *host || *origin == "https://" + *host);
    if (!own) {
      return ApiError(403, fmt::format("pages of {} may not use this server (see --allow-origin)", *origin), {},
                      "wrong_origin");
    }
  }
  const bool needs_key = !options_.api_key.empty() && !is_public && request.path != "/health" && !is_preflight(request);
  if (needs_key && !equal_in_constant_time(key_of(request), options_.api_key)) {
    return ApiError(401, "a key is needed: send the header \"Authorization: Bearer KEY\"", {}, "invalid_api_key");
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> Gate::headers(const HttpRequest& request) const {
  const std::string* const origin = request.header("origin");
  if (origin == nullptr || !is_allowed(*origin)) return {};
  std::vector<std::pair<std::string, std::string>> headers{{"Access-Control-Allow-Origin", *origin},
                                                           {"Vary", "Origin"}};
  if (is_preflight(request)) {
    headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    headers.emplace_back("Access-Control-Max-Age", "600");
    const std::string* const wanted = request.header("access-control-request-headers");
    if (wanted != nullptr) headers.emplace_back("Access-Control-Allow-Headers", *wanted);
  } else {
    headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, Retry-After");
  }
  return headers;
}

bool Gate::is_preflight(const HttpRequest& request) noexcept {
  return request.method == "OPTIONS" && request.header("origin") != nullptr;
}

bool Gate::is_allowed(std::string_view origin) const noexcept {
  return std::ranges::any_of(options_.allowed_origins,
                             [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

bool Gate::is_our_host(std::string_view host) const {
  const std::string name = lower(without_port(host));
  if (name == "localhost" || name == "[::1]" || name == lower(options_.host)) return true;
  return name.starts_with("127.") &&
         std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace unroll
