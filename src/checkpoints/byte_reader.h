// Reads binary formats from bytes that nothing is known of: every length is compared with the bytes that are left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace unroll {

class ByteReader {
 public:
  // `name` is what messages call the bytes: "'x.pt'". Does not own them.
  ByteReader(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }
  [[nodiscard]] std::string_view rest() const noexcept { return bytes_.substr(at_); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // The next bytes. Throws Error{kFormat}, as all that read do, where fewer are left.
  std::string_view take(std::uint64_t count);

  // Goes to a place, at most the end. Throws as take().
  void seek(std::uint64_t place);

  // Little-endian numbers.
  std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64() { return little_endian(8); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  double f64();

  // The text up to the next newline, which is taken too and not returned.
  std::string_view line();

  // Throws Error{kFormat} "NAME, byte AT: WHY", with the place of the byte that was read last.
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  std::uint64_t little_endian(std::size_t bytes);

  std::string_view bytes_;
  std::string name_;
  std::size_t at_ = 0;
  std::size_t last_ = 0;
};

}  // namespace unroll
