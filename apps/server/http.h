// HTTP/1.1 on one thread: reads requests, writes answers, and bounds what a client can take of memory and time.
//
//   HttpServer server({.port = 8080}, [](HttpRequest request, std::shared_ptr<HttpAnswer> answer) {
//     answer->send({.body = "{\"path\": \"" + request.path + "\"}"});
//   });
//   server.run();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {

struct HttpOptions {
  std::string host = "127.0.0.1";     // an address, or a name that has one
  std::int64_t port = 8080;           // 0: any free one
  std::int64_t connections = 1024;    // at once; more wait, unaccepted
  std::int64_t header_bytes = 16384;  // of a request, its first line included
  std::int64_t body_bytes = std::int64_t{1} << 20;
  std::int64_t bodies_bytes = std::int64_t{1} << 26;  // of all that are being read; at least body_bytes
  double read_seconds = 10;           // for a request in all; also until the first one, and until the next
  double write_seconds = 10;          // for each 64 KiB that a client takes
  std::int64_t unsent_bytes = 65536;  // of a stream: a client that is further behind when a part comes is dropped
  // Called on the thread of run() for each request that cannot be read; returns the x-request-id of its answer.
  std::function<std::string(int status, std::string_view message, const std::string& client)> refused = {};
  double heartbeat_seconds = 15;  // a stream that says nothing for so long sends a comment
};

struct HttpRequest {
  std::string method;                                        // "POST"
  std::string path;                                          // "/v1/models", percent signs decoded; begins with /
  std::string query;                                         // what follows the first ?, as it came
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in their order
  std::string body;
  std::string client;  // "127.0.0.1:50234"

  // The value of the header with this name in lower case, the first one; null if it is missing.
  [[nodiscard]] const std::string* header(std::string_view name) const noexcept;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides type, length, date and connection
};

// The answer to one request. May be used from any one thread at a time, and outlive the server; the first of send() and
// begin() counts, and after it send() does nothing. One that is destroyed unanswered answers 500; one that was begun
// and not ended closes its connection, so that the client sees that something is missing.
//
// Once the client has gone, or was dropped, all functions but gone() do nothing. A client that only ends its own
// sending counts as gone too, unless the answer was complete by then. HEAD and status 204 and 304 have no body.
class HttpAnswer {
 public:
  HttpAnswer() = default;
  HttpAnswer(const HttpAnswer&) = delete;
  HttpAnswer& operator=(const HttpAnswer&) = delete;
  virtual ~HttpAnswer() = default;

  // Answers at once.
  virtual void send(HttpResponse response) = 0;

  // Answers in parts: status, headers and the first part, then write() for each further one, then end(). A part is sent
  // as it comes. "text/event-stream", whose parts are whole events, has heartbeats between them.
  virtual void begin(HttpResponse response) = 0;
  virtual void write(std::string part) = 0;
  virtual void end() = 0;

  // Bytes that the client has not taken yet. Who writes faster than clients read should write less, larger parts.
  [[nodiscard]] virtual std::int64_t unsent() const = 0;

  // Whether nobody reads the answer any more. True within moments of the client's leaving.
  [[nodiscard]] virtual bool gone() const noexcept = 0;
};

// Called on the thread of run(), for each request: must not wait, nor throw.
using HttpHandler = std::function<void(HttpRequest request, std::shared_ptr<HttpAnswer> answer)>;

// What cannot be read is answered here and closes its connection, with a body of {"error": {"message", "type", "param",
// "code"}} as OpenAI's servers have it: 400, 408 a request that takes too long, 413 a body or 431 a header too large,
// 503 where too many bodies come at once.
// Requests of a connection are answered in order; while one is answered, its connection is read no further than to see
// the client leave. The target is a path or a whole http:// address, whose host then replaces the header `host`.
// HTTP/1.0 is answered without chunks, and its connection closed.
class HttpServer {
 public:
  // Listens. Throws Error{kUsage} for a host that has no address, and Error{kFile} for a port that is not free or not
  // allowed.
  HttpServer(const HttpOptions& options, HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::int64_t port() const noexcept;
  [[nodiscard]] std::int64_t connections() const noexcept;  // open ones; from any thread

  // Whether `host` of the options is an address that only this machine reaches (127.0.0.0/8, ::1).
  [[nodiscard]] bool is_loopback() const noexcept;

  // Serves until stop(). Throws nothing of a client's.
  void run();

  // From any thread or handler: no further connection is accepted, those between two requests are closed, and others
  // after the answer to the present one.
  void refuse();

  // Closes everything, and ends run(): answers that are complete are still sent, for a second at most.
  void stop();

  // Calls `call` on the thread of run(): soon, after some seconds, and each time that one of the signals arrives. From
  // any thread; on_signals() before run().
  void post(std::function<void()> call);
  void after(double seconds, std::function<void()> call);
  void on_signals(const std::vector<int>& signals, std::function<void(int signal)> call);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace unroll
