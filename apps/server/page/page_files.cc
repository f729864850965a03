#include "server/page/page_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "embedded/embedded_files.h"
#include "server/page/file_in_folder.h"
#include "server/page/gzip.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kEmbedded = "web/";
constexpr std::int64_t kLargestFile = std::int64_t{16} << 20;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{
    {{".html", "text/html; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".js", "text/javascript; charset=utf-8"},
     {".svg", "image/svg+xml; charset=utf-8"}}};

// default-src is not what base-uri, form-action and frame-ancestors fall back to.
constexpr std::string_view kPolicy =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// The path below web/; empty for what no file of the page is called: parts of ASCII letters, digits, "-", "_" and "."
// that do not begin with a dot.
std::string_view file_path(std::string_view path) noexcept {
  if (!path.starts_with('/')) return {};
  path.remove_prefix(1);
  if (path.empty()) return kIndex;
  char before = '/';
  for (const char c : path) {
    const bool is_plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!is_plain && (before == '/' || (c != '.' && c != '/'))) return {};
    before = c;
  }
  return before == '/' ? std::string_view() : path;
}

std::string_view type_of(std::string_view path) noexcept {
  const auto* const found = std::ranges::find_if(kTypes, [&](const auto& type) { return path.ends_with(type.first); });
  return found == kTypes.end() ? std::string_view() : found->second;
}

const EmbeddedFile* find_page_file(std::string_view path) {
  return find_embedded(fmt::format("{}{}", kEmbedded, path));
}

// FNV-1a (Fowler, Noll & Vo) over the bytes; the compressed form is another representation.
std::string tag_of(std::string_view bytes, bool compressed) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("\"{:016x}{}\"", hash, compressed ? "-gzip" : "");
}

// Whether If-None-Match has the tag; a weak one counts (RFC 9110, 13.1.2). Tags of ours hold no comma.
bool names_tag(std::string_view header, std::string_view tag) noexcept {
  while (!header.empty()) {
    std::string_view one = header.substr(0, header.find(','));
    header.remove_prefix(std::min(one.size() + 1, header.size()));
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one.remove_suffix(one.size() - std::min(one.find_last_not_of(" \t") + 1, one.size()));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
  }
  return false;
}

std::string_view header_of(const HttpRequest& request, std::string_view name) noexcept {
  const std::string* const value = request.header(name);
  return value == nullptr ? std::string_view() : *value;
}

HttpResponse response_with(std::string_view path, std::string_view bytes, bool compressed) {
  HttpResponse response{.body = std::string(bytes), .type = std::string(type_of(path))};
  response.headers = {{"Content-Security-Policy", std::string(kPolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Resource-Policy", "same-origin"},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"}};
  if (compressed) response.headers.emplace_back("Content-Encoding", "gzip");
  return response;
}

}  // namespace

PageFiles::PageFiles(std::string folder) : folder_(std::move(folder)) {
  if (folder_.empty() || file_in_folder(folder_, kIndex, kLargestFile)) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} has no {}: expected the folder of a page, such as web/ of the sources", folder_, kIndex));
}

bool PageFiles::is_page_path(std::string_view path) const {
  const std::string_view file = file_path(path);
  return !type_of(file).empty() && (!folder_.empty() || find_page_file(file) != nullptr);
}

std::optional<HttpResponse> PageFiles::answer(const HttpRequest& request) {
  if (!is_page_path(request.path)) return std::nullopt;
  const std::string_view path = file_path(request.path);
  std::optional<std::string> read;
  std::string_view bytes;
  bool compressed = false;
  if (!folder_.empty()) {
    read = file_in_folder(folder_, path, kLargestFile);
    if (!read) return std::nullopt;
    bytes = *read;
  } else {
    bytes = find_page_file(path)->bytes;
    if (accepts_gzip(header_of(request, "accept-encoding"))) {
      auto found = compressed_.find(path);
      if (found == compressed_.end()) found = compressed_.emplace(path, gzip(bytes)).first;
      compressed = found->second.size() < bytes.size();
      if (compressed) bytes = found->second;
    }
  }
  HttpResponse response = response_with(path, bytes, compressed);
  const std::string tag = tag_of(bytes, compressed);
  if (names_tag(header_of(request, "if-none-match"), tag)) {
    response.status = 304;
    response.body.clear();
  }
  response.headers.emplace_back("ETag", tag);
  return response;
}

}  // namespace unroll
