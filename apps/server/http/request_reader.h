// One request, read from the bytes of a connection as they come.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/http.h"
#include "server/http/boost.h"
#include "server/http/outbox.h"

namespace unroll {

// Why a request cannot be read: the status of the answer, and its message.
struct Refusal {
  int status;
  std::string_view message;
};

// Reads one request. Its header is parsed when it is there in full: Beast's parser takes one in parts, and its limit
// counts from the last complete field.
class RequestReader {
 public:
  explicit RequestReader(const HttpOptions& options) : options_(options) {}

  // Takes from the front of `received` what belongs to the request. True once it is complete. Throws Refusal.
  bool read(std::string& received);

  // What there is of the body.
  [[nodiscard]] std::size_t body_bytes() const { return parser_ ? parser_->get().body().size() : 0; }

  // Whether the client waits for leave to send the body; once.
  bool takes_leave() { return std::exchange(expects_leave_, false); }

  HttpRequest request;
  AnswerForm form;

 private:
  bool read_header(std::string& received);
  void take_header();
  void expect_one_framing();
  std::size_t put(std::string_view bytes, error_code& error);

  const HttpOptions& options_;
  std::optional<beast_http::request_parser<beast_http::string_body>> parser_;
  std::size_t searched_ = 0;  // no end of the header before
  bool expects_leave_ = false;
};

}  // namespace unroll
