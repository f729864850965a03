#include "server/http/request_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/message.h"

namespace unroll {
namespace {

constexpr Refusal kNotHttp{400, "this is not a request of HTTP/1.1"};

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

std::size_t RequestReader::put(std::string_view bytes, error_code& error) {
  const std::size_t used = parser_->put(asio::buffer(bytes.data(), bytes.size()), error);
  if (error == beast_http::error::body_limit) throw Refusal{413, "the body is too large"};
  if (error && error != beast_http::error::need_more) throw kNotHttp;
  return used;
}

bool RequestReader::read_header(std::string& received) {
  const std::string_view text = received;
  const auto limit = static_cast<std::size_t>(options_.header_bytes);
  const std::size_t end = text.find("\r\n\r\n", searched_);
  const std::size_t size = end == text.npos ? text.size() : end + 4;
  // What is not HTTP at all is refused at once, not when its time is over.
  if (!is_letter(text.front())) throw kNotHttp;
  for (std::size_t i = text.find('\n', searched_); i < std::min(size, limit); i = text.find('\n', i + 1)) {
    if (text[i - 1] != '\r') throw Refusal{400, "a line does not end in CR LF"};
  }
  if (size > limit || (end == text.npos && size == limit)) throw Refusal{431, "the header is too large"};
  if (end == text.npos) {
    searched_ = size - std::min<std::size_t>(size, 3);
    return false;
  }
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limit));
  parser_->body_limit(static_cast<std::uint64_t>(options_.body_bytes));
  error_code error;
  const std::size_t used = put(text.substr(0, size), error);
  if (error || used != size) throw kNotHttp;
  received.erase(0, used);
  take_header();
  return true;
}

// Beast reads a body of no length where the last coding is not chunked, and accepts equal lengths.
void RequestReader::expect_one_framing() {
  const auto& fields = parser_->get();
  const auto length = fields.equal_range(beast_http::field::content_length);
  if (length.first != length.second) {
    const auto& value = length.first->value();
    const bool is_number = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (std::next(length.first) != length.second || !is_number) throw Refusal{400, "more than one Content-Length"};
  }
  const auto coding = fields.equal_range(beast_http::field::transfer_encoding);
  if (coding.first != coding.second) {
    const bool is_known = std::next(coding.first) == coding.second &&
                          boost::beast::iequals(coding.first->value(), "chunked") && fields.version() == 11;
    if (!is_known) throw Refusal{400, "the only Transfer-Encoding that is known is chunked"};
  }
}

void RequestReader::take_header() {
  const auto& fields = parser_->get();
  expect_one_framing();
  const std::size_t hosts = fields.count(beast_http::field::host);
  if (hosts > 1 || (hosts == 0 && fields.version() == 11)) throw Refusal{400, "expected one Host"};
  request.method = std::string(fields.method_string());
  for (const auto& field : fields) {
    std::string name(field.name_string());
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  const std::string_view target(fields.target().data(), fields.target().size());
  if (!read_target(target, request)) throw Refusal{400, "the target of the request cannot be read"};
  form = {.head_only = request.method == "HEAD",
          .chunks = fields.version() == 11,
          .closes = fields.version() != 11 || !parser_->keep_alive()};
  expects_leave_ = fields.version() == 11 && boost::beast::iequals(fields[beast_http::field::expect], "100-continue");
}

bool RequestReader::read(std::string& received) {
  if (!parser_ && !read_header(received)) return false;
  parser_->eager(true);
  while (!parser_->is_done() && !received.empty()) {
    error_code error;
    received.erase(0, put(received, error));
    if (error != beast_http::error::need_more) continue;
    if (received.size() >= static_cast<std::size_t>(options_.header_bytes)) {
      throw Refusal{400, "a line between chunks is too long"};
    }
    break;
  }
  if (!parser_->is_done()) return false;
  request.body = std::move(parser_->get().body());
  return true;
}

}  // namespace unroll
