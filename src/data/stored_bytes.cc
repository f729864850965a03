#include "data/stored_bytes.h"

#include <fmt/format.h>

#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

std::string_view StoredBytes::take(std::uint64_t count, std::string_view what) {
  if (count > bytes_.size() - next_) {
    throw Error(ErrorCode::kInput, fmt::format("{} ends within {}: {} bytes from byte {} on, expected {}; is the file "
                                               "whole?",
                                               text_name(path_), what, bytes_.size() - next_, next_, count));
  }
  const std::string_view taken = bytes_.substr(next_, count);
  next_ += count;
  return taken;
}

std::uint64_t StoredBytes::little_endian(std::size_t size, std::string_view what) {
  const std::string_view bytes = take(size, what);
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8U | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::uint64_t StoredBytes::big_endian(std::size_t size, std::string_view what) {
  std::uint64_t number = 0;
  for (const char byte : take(size, what)) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

void expect_elements(const NumberArray& array) {
  const std::size_t available = array.bytes.size() - array.first;
  std::size_t wanted = array.size;
  bool fits = true;
  for (const std::int64_t extent : array.shape) {
    if (extent == 0) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: an array of shape {} has no elements", text_name(array.path), array.shape_name()));
    }
    fits = fits && static_cast<std::uint64_t>(extent) <= available / wanted;
    if (fits) wanted *= static_cast<std::size_t>(extent);
  }
  if (fits && wanted == available) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{}: an array of shape {} with {} bytes per element, but {} bytes of elements: {}",
                          text_name(array.path), array.shape_name(), array.size, available,
                          fits && wanted < available ? "expected fewer, since one array per file is read"
                                                     : "is the file whole?"));
}

}  // namespace unroll
