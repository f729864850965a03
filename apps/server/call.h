// A request on its way through the server, and what becomes of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api_error.h"
#include "server/http.h"

namespace unroll {

// What is logged and counted of a request.
struct CallRecord {
  std::string id;
  std::string method;
  std::string path;
  std::string route;  // a fixed word for each, for counting; "other" of unknown paths
  std::string client;
  std::string model = {};
  int status = 0;  // 499: the client left before the answer was complete
  std::string error = {};
  bool stream = false;
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::optional<double> first_seconds = {};  // until the first part of a stream that has text
  double seconds = 0;
  std::string text = {};  // the request's body; only where texts are logged
};

// Holds a request and its answer. Used by one thread at a time; the first of send(), fail() and end() ends it, and its
// record is given to `ended` once, from the thread that did; where nobody ends it the answer is 500.
class Call {
 public:
  using Ended = std::function<void(const CallRecord&)>;

  Call(HttpRequest request, std::shared_ptr<HttpAnswer> answer, std::string id, std::string route, Ended ended);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  [[nodiscard]] const HttpRequest& request() const noexcept { return request_; }
  [[nodiscard]] CallRecord& record() noexcept { return record_; }
  [[nodiscard]] const CallRecord& record() const noexcept { return record_; }

  // Goes along with every answer to the request.
  void add_header(std::string name, std::string value) { headers_.emplace_back(std::move(name), std::move(value)); }

  // Frees the body, once it has been read.
  void drop_body() { request_.body = {}; }

  void send(HttpResponse response);
  void fail(const ApiError& error);  // in a stream an event, after which it ends

  // An answer in server-sent events: each part is one or more of them. The first one with text is timed.
  void begin_events();
  void write(std::string events, bool has_text = true);
  void end();

  [[nodiscard]] bool gone() const noexcept { return answer_->gone(); }
  [[nodiscard]] std::int64_t unsent() const { return answer_->unsent(); }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] double seconds() const noexcept;  // since it came

  // The client has gone: nothing more is answered.
  void give_up();

 private:
  void finish(int status);
  HttpResponse with_headers(HttpResponse response) const;

  HttpRequest request_;
  std::shared_ptr<HttpAnswer> answer_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  CallRecord record_;
  Ended on_end_;
  bool ended_ = false;
};

}  // namespace unroll
