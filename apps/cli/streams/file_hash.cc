#include "cli/streams/file_hash.h"

#include <fmt/core.h>

#include <array>
#include <fstream>
#include <string_view>

#include "unroll/error.h"
#include "unroll/fnv1a.h"
#include "unroll/text.h"

namespace unroll {

std::uint64_t hash_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t hash = kFnv1aStart;
  std::array<char, std::size_t{1} << 16> part{};
  while (file.read(part.data(), part.size()) || file.gcount() > 0) {
    hash = fnv1a(hash, std::string_view(part.data(), static_cast<std::size_t>(file.gcount())));
  }
  if (!file.eof()) throw Error(ErrorCode::kFile, fmt::format("cannot read {}", text_name(path)));
  return hash;
}

}  // namespace unroll
