#include "server/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace unroll {
namespace {

std::string_view reason(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 21> kReasons{{
      {200, "OK"},
      {202, "Accepted"},
      {204, "No Content"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  }};
  const auto* found = std::find_if(kReasons.begin(), kReasons.end(), [&](const auto& r) { return r.first == status; });
  return found == kReasons.end() ? "Status" : found->second;
}

// RFC 9110, 5.6.7; in English whatever the locale is.
std::string date_now() {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], 1900 + utc.tm_year, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

void append_field(std::string_view name, std::string_view value, std::string& head) {
  const auto append = [&](std::string_view text) {
    std::copy_if(text.begin(), text.end(), std::back_inserter(head), [](char c) { return !is_control(c); });
  };
  append(name);
  head += ": ";
  append(value);
  head += "\r\n";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The length of http:// or https:// at the start of `target`; 0 where there is none.
std::size_t scheme_length(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    const bool same = target.size() >= scheme.size() &&
                      std::equal(scheme.begin(), scheme.end(), target.begin(),
                                 [](char s, char t) { return s == (t >= 'A' && t <= 'Z' ? t - 'A' + 'a' : t); });
    if (same) return scheme.size();
  }
  return 0;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(16 * high + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    decoded += c;
  }
  return decoded;
}

bool status_has_body(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

std::string answer_head(const HttpResponse& response, Framing framing, bool closes) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason(response.status), date_now());
  if (status_has_body(response.status)) {
    if (!response.type.empty()) append_field("Content-Type", response.type, head);
    if (framing == Framing::kLength) head += fmt::format("Content-Length: {}\r\n", response.body.size());
    if (framing == Framing::kChunks) head += "Transfer-Encoding: chunked\r\n";
  }
  for (const auto& [name, value] : response.headers) append_field(name, value, head);
  head += closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  return head;
}

void append_chunk(std::string_view part, std::string& text) {
  if (part.empty()) return;
  fmt::format_to(std::back_inserter(text), "{:x}\r\n", part.size());
  text += part;
  text += "\r\n";
}

HttpResponse error_response(int status, std::string_view message) {
  return {.status = status,
          .body = fmt::format(R"({{"error": {{"message": "{}", "type": "{}", "param": null, "code": null}}}})", message,
                              status < 500 ? "invalid_request_error" : "server_error") +
                  "\n"};
}

bool read_target(std::string_view target, HttpRequest& request) {
  if (const std::size_t scheme = scheme_length(target); scheme > 0) {
    target.remove_prefix(scheme);
    const std::string_view host = target.substr(0, target.find_first_of("/?"));
    if (host.empty()) return false;
    target.remove_prefix(host.size());
    for (auto& [name, value] : request.headers) {
      if (name == "host") value = host;
    }
  } else if (!target.starts_with('/')) {
    return false;
  }
  if (target.find('#') != target.npos) return false;
  const std::size_t question = std::min(target.find('?'), target.size());
  request.query = target.substr(std::min(question + 1, target.size()));
  std::optional<std::string> path = percent_decoded(target.substr(0, question));
  if (!path) return false;
  request.path = path->empty() ? "/" : *std::move(path);
  return true;
}

}  // namespace unroll
