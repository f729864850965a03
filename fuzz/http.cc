#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http.h"
#include "server/http/request_reader.h"
#include "target.h"
#include "targets.h"

namespace unroll {
namespace {

struct ReadRequests {
  std::vector<HttpRequest> requests;
  std::string refusal;  // of what follows them
};

// Reads what a client sends on a connection, in pieces of this size.
ReadRequests read_requests(std::string_view sent, std::size_t piece, const HttpOptions& options) {
  ReadRequests read;
  std::string received;
  std::optional<RequestReader> reader;
  try {
    for (std::size_t at = 0; at < sent.size(); at += piece) {
      received += sent.substr(at, piece);
      while (!received.empty()) {
        if (!reader) received.erase(0, std::min(received.find_first_not_of("\r\n"), received.size()));
        if (received.empty()) break;
        if (!reader) reader.emplace(options);
        if (!reader->read(received)) break;
        read.requests.push_back(std::move(reader->request));
        reader.reset();
      }
    }
  } catch (const Refusal& refusal) {
    read.refusal = refusal.message;
  }
  return read;
}

void check_request(const HttpRequest& request, const HttpOptions& options) {
  std::size_t header = request.method.size();
  for (const auto& [name, value] : request.headers) {
    header += name.size() + value.size();
    expect(!name.empty() && name.find_first_of("\r\n: ") == name.npos, "a header has a name");
    expect(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a header is one line");
  }
  expect(static_cast<std::int64_t>(header) <= options.header_bytes, "the header is within its bound");
  expect(static_cast<std::int64_t>(request.body.size()) <= options.body_bytes, "the body is within its bound");
  expect(request.path.starts_with('/') && request.path.find('\0') == request.path.npos, "a path is one");
}

bool same(const HttpRequest& a, const HttpRequest& b) {
  return a.method == b.method && a.path == b.path && a.query == b.query && a.headers == b.headers && a.body == b.body;
}

}  // namespace

// What is sent on a connection: read at once, and byte by byte.
std::string fuzz_http(std::string_view input) {
  const HttpOptions options{.header_bytes = 400, .body_bytes = 200};
  const ReadRequests at_once = read_requests(input, input.size() + 1, options);
  const ReadRequests by_bytes = read_requests(input, 1, options);
  for (const HttpRequest& request : at_once.requests) check_request(request, options);
  for (std::size_t i = 0; i < std::min(at_once.requests.size(), by_bytes.requests.size()); ++i) {
    expect(same(at_once.requests[i], by_bytes.requests[i]), "a request is the same however it is cut");
  }
  if (at_once.refusal.empty() && at_once.requests.empty()) return "no request is complete";
  return at_once.refusal;
}

}  // namespace unroll
