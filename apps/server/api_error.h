// What a client is told when its request fails, in the shape that OpenAI's clients read.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "server/http.h"
#include "unroll/error.h"

namespace unroll {

// Thrown while a request is read or answered.
class ApiError : public std::runtime_error {
 public:
  // `param` is the field of the request that is to blame, `code` a word for programs; both may be empty.
  ApiError(int status, const std::string& message, std::string param = {}, std::string code = {});

  // 400 for what is wrong with a text or an option, 500 for the rest. Fields between backticks are called as they are
  // in requests.
  explicit ApiError(const Error& error);

  // The same error, after which the client may try again in so many seconds. Without, a retry is of no use.
  [[nodiscard]] ApiError retry_after(int seconds) const;

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

  // {"error": {"message", "type", "param", "code"}}
  [[nodiscard]] std::string body() const;

  // With Retry-After, or else x-should-retry: false where clients would retry by themselves.
  [[nodiscard]] HttpResponse response() const;

 private:
  int status_;
  std::string param_;
  std::string code_;
  std::optional<int> retry_seconds_;
};

// 429 where a queue is full; 503 where the server is starting or going; 404; 503 after so many seconds.
[[nodiscard]] ApiError queue_is_full();
[[nodiscard]] ApiError is_stopping();
[[nodiscard]] ApiError is_loading();
[[nodiscard]] ApiError takes_too_long(double seconds);

}  // namespace unroll
