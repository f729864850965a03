#include "server/api_error.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "server/api/json_parts.h"

namespace unroll {
namespace {

int status_of(ErrorCode code) noexcept { return code == ErrorCode::kUsage || code == ErrorCode::kInput ? 400 : 500; }

// What fields of the library are called in requests.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kFields{{
    {"`length`", "`max_tokens`"},
    {"`symbols.alternatives`", "`logprobs`"},
}};

std::string in_words_of_requests(std::string message) {
  for (const auto& [field, name] : kFields) {
    for (std::size_t at = 0; (at = message.find(field, at)) != std::string::npos; at += name.size()) {
      message.replace(at, field.size(), name);
    }
  }
  return message;
}

// what() ends at a NUL.
std::string without_nul(std::string message) {
  std::erase(message, '\0');
  return message;
}

std::string_view type_of(int status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

nlohmann::ordered_json null_if_empty(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

}  // namespace

ApiError::ApiError(int status, const std::string& message, std::string param, std::string code)
    : std::runtime_error(without_nul(message)), status_(status), param_(std::move(param)), code_(std::move(code)) {}

ApiError::ApiError(const Error& error)
    : ApiError(status_of(error.code()), in_words_of_requests(error.what()), error.field()) {}

ApiError ApiError::retry_after(int seconds) const {
  ApiError error = *this;
  error.retry_seconds_ = seconds;
  return error;
}

std::string ApiError::body() const {
  const nlohmann::ordered_json error{{"message", what()},
                                     {"type", type_of(status_)},
                                     {"param", null_if_empty(param_)},
                                     {"code", null_if_empty(code_)}};
  return json_body({{"error", error}});
}

HttpResponse ApiError::response() const {
  HttpResponse response{.status = status_, .body = body()};
  if (retry_seconds_) {
    response.headers.emplace_back("Retry-After", fmt::format("{}", *retry_seconds_));
  } else if (status_ >= 500 || status_ == 408 || status_ == 409 || status_ == 429) {
    response.headers.emplace_back("x-should-retry", "false");
  }
  if (status_ == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

ApiError queue_is_full() {
  return ApiError(429, "as many requests wait as the server keeps: try again in a second", {}, "queue_full")
      .retry_after(1);
}

ApiError is_stopping() {
  return ApiError(503, "the server is stopping: try again in a few seconds", {}, "stopping").retry_after(5);
}

ApiError is_loading() {
  return ApiError(503, "the server reads its models: try again in a second", {}, "loading").retry_after(1);
}

ApiError takes_too_long(double seconds) {
  return ApiError(503,
                  fmt::format("the request was not answered within {} s, the most that this server allows: ask for "
                              "less at once",
                              seconds),
                  {}, "time_limit");
}

}  // namespace unroll
