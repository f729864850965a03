// The checksum of files: XXH64 with seed 0.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace unroll {

// Sums bytes as they come.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void add(std::string_view bytes);

  // Of all bytes so far.
  [[nodiscard]] std::uint64_t number() const;
  [[nodiscard]] std::string digits() const;  // 16 of them, hexadecimal, in lower case

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace unroll
