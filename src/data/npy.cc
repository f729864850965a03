#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/npy_header.h"
#include "base/quote.h"
#include "data/number_array.h"
#include "data/stored_bytes.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::size_t kMostElementBytes = std::size_t{1} << 20;

// Sets kind, size and byte order from a type such as "<f4".
void set_type(const std::string& descr, NumberArray& array) {
  const auto unsupported = [&]() {
    return Error(ErrorCode::kInput,
                 fmt::format("{}: elements of the type {}: expected integers, bool, float32 or float64 (save "
                             "array.astype('float32'))",
                             text_name(array.path), quote(descr)));
  };
  if (descr.size() < 3 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos) throw unsupported();
  array.big_endian = descr[0] == '>';
  std::size_t number = 0;
  const char* const end = descr.data() + descr.size();
  const auto [stop, fault] = std::from_chars(descr.data() + 2, end, number);
  if (fault != std::errc() || stop != end || number == 0 || number > kMostElementBytes) throw unsupported();
  array.size = number;
  const bool whole = number == 1 || number == 2 || number == 4 || number == 8;
  if (descr[1] == 'b' && number == 1) {
    array.kind = NumberArray::Kind::kBool;
  } else if (descr[1] == 'i' && whole) {
    array.kind = NumberArray::Kind::kSigned;
  } else if (descr[1] == 'u' && whole) {
    array.kind = NumberArray::Kind::kUnsigned;
  } else if (descr[1] == 'f' && (number == 4 || number == 8)) {
    array.kind = NumberArray::Kind::kFloat;
  } else if (descr[1] == 'S') {
    array.kind = NumberArray::Kind::kBytes;
  } else if (descr[1] == 'U') {
    array.kind = NumberArray::Kind::kCharacters;
    array.size = 4 * number;
  } else {
    throw unsupported();
  }
}

// The header's text, after its length. Sets array.first.
std::string_view header_of(NumberArray& array) {
  StoredBytes stored(array.path, array.bytes);
  stored.take(kNpyMagic.size(), "the header");
  const std::uint64_t version = stored.little_endian(1, "the header");
  stored.take(1, "the header");
  if (version < 1 || version > 3) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: version {} of the .npy format: expected 1, 2 or 3", text_name(array.path), version));
  }
  const std::uint64_t length = stored.little_endian(version == 1 ? 2 : 4, "the header");
  const std::string_view header = stored.take(length, "the header");
  array.first = stored.position();
  return header;
}

}  // namespace

bool is_npy(std::string_view head) noexcept { return head.starts_with(kNpyMagic); }

NumberArray npy_array(const std::string& path, std::string bytes) {
  NumberArray array{.path = path, .bytes = std::move(bytes)};
  if (!is_npy(array.bytes)) {
    const bool zip = array.bytes.starts_with("PK");
    throw Error(ErrorCode::kInput,
                fmt::format("{} is no .npy file{}", text_name(path),
                            zip ? ", but an archive, as .npz files are: save each array by itself (numpy.save)" : ""));
  }
  const NpyHeader header = parse_npy_header(header_of(array), text_name(path), ErrorCode::kInput);
  set_type(header.descr, array);
  array.first_index_fastest = header.fortran_order;
  array.shape = header.shape;
  expect_elements(array);
  return array;
}

}  // namespace unroll
