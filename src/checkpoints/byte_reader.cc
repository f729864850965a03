#include "checkpoints/byte_reader.h"

#include <fmt/core.h>

#include <bit>

#include "unroll/error.h"

namespace unroll {

std::string_view ByteReader::take(std::uint64_t count) {
  last_ = at_;
  if (count > left()) refuse(fmt::format("it is cut short: {} bytes were to follow, and {} do", count, left()));
  const std::string_view taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

void ByteReader::seek(std::uint64_t place) {
  if (place > bytes_.size()) {
    refuse(fmt::format("it refers to byte {}, and has {} bytes", place, bytes_.size()));
  }
  at_ = place;
  last_ = place;
}

double ByteReader::f64() { return std::bit_cast<double>(u64()); }

std::string_view ByteReader::line() {
  last_ = at_;
  const std::size_t end = rest().find('\n');
  if (end == std::string_view::npos) refuse("it is cut short: a line has no end");
  const std::string_view taken = bytes_.substr(at_, end);
  at_ += end + 1;
  return taken;
}

void ByteReader::refuse(const std::string& why) const {
  throw Error(ErrorCode::kFormat, fmt::format("{}, byte {}: {}", name_, last_, why));
}

std::uint64_t ByteReader::little_endian(std::size_t bytes) {
  const std::string_view taken = take(bytes);
  std::uint64_t number = 0;
  for (std::size_t i = bytes; i-- > 0;) number = number << 8 | static_cast<unsigned char>(taken[i]);
  return number;
}

}  // namespace unroll
