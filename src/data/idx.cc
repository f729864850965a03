// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", which describes the format.
#include <fmt/format.h>

#include <utility>

#include "data/number_array.h"
#include "data/stored_bytes.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct IdxType {
  unsigned char code;
  NumberArray::Kind kind;
  std::size_t size;
};

constexpr IdxType kIdxTypes[] = {{0x08, NumberArray::Kind::kUnsigned, 1}, {0x09, NumberArray::Kind::kSigned, 1},
                                 {0x0B, NumberArray::Kind::kSigned, 2},   {0x0C, NumberArray::Kind::kSigned, 4},
                                 {0x0D, NumberArray::Kind::kFloat, 4},    {0x0E, NumberArray::Kind::kFloat, 8}};

const IdxType* type_of(std::string_view head) noexcept {
  if (head.size() < 4 || head[0] != 0 || head[1] != 0 || head[3] == 0) return nullptr;
  for (const IdxType& type : kIdxTypes) {
    if (static_cast<unsigned char>(head[2]) == type.code) return &type;
  }
  return nullptr;
}

}  // namespace

bool is_idx(std::string_view head) noexcept { return type_of(head) != nullptr; }

NumberArray idx_array(const std::string& path, std::string bytes) {
  NumberArray array{.path = path, .bytes = std::move(bytes), .big_endian = true};
  const IdxType* const type = type_of(array.bytes);
  if (type == nullptr) {
    throw Error(ErrorCode::kInput, fmt::format("{} is no IDX file: it does not begin with two zero bytes, a type of "
                                               "elements and a number of dimensions",
                                               text_name(path)));
  }
  array.kind = type->kind;
  array.size = type->size;
  StoredBytes stored(array.path, array.bytes);
  stored.take(3, "the header");
  const std::uint64_t dimensions = stored.big_endian(1, "the header");
  for (std::uint64_t i = 0; i < dimensions; ++i) {
    array.shape.push_back(static_cast<std::int64_t>(stored.big_endian(4, "the header")));
  }
  array.first = stored.position();
  expect_elements(array);
  return array;
}

}  // namespace unroll
