#include "server/page/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>

namespace unroll {
namespace {

constexpr int kLevel = 9;
constexpr int kGzipWindow = 15 + 16;  // the largest, with gzip's header instead of zlib's
constexpr int kMemory = 8;

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kSpace) + 1, text.size()));
  return text;
}

// Whether `text` is `word`, in any case.
bool is_word(std::string_view text, std::string_view word) noexcept {
  return std::ranges::equal(text, word, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// "q=0", "q=0.000" among the parameters.
bool has_no_weight(std::string_view parameters) noexcept {
  const std::size_t at = parameters.find_first_of("qQ");
  if (at == std::string_view::npos) return false;
  std::string_view weight = trimmed(parameters.substr(at + 1));
  if (!weight.starts_with('=')) return false;
  weight = trimmed(weight.substr(1));
  return !weight.empty() && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // it is only read
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int ended = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) throw std::bad_alloc();
  return packed;
}

bool accepts_gzip(std::string_view header) noexcept {
  std::optional<bool> named;
  std::optional<bool> any;
  while (!header.empty()) {
    const std::string_view one = header.substr(0, header.find(','));
    header.remove_prefix(std::min(one.size() + 1, header.size()));
    const std::size_t semicolon = std::min(one.find(';'), one.size());
    const std::string_view name = trimmed(one.substr(0, semicolon));
    const bool taken = !has_no_weight(one.substr(semicolon));
    if (is_word(name, "gzip") || is_word(name, "x-gzip")) named = taken;
    if (name == "*") any = taken;
  }
  return named.value_or(any.value_or(false));
}

}  // namespace unroll
