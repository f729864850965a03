// Source: the NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays", and numpy/lib/format.py's
// description of versions 2 and 3.
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "data/number_array.h"
#include "data/stored_bytes.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kMostDimensions = 32;
constexpr std::size_t kMostElementBytes = std::size_t{1} << 20;

// What a header says.
struct NpyHeader {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Reads the header, a dictionary as Python writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class NpyHeaderReader {
 public:
  NpyHeaderReader(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  NpyHeader read() {
    NpyHeader header;
    expect('{');
    while (!take('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !header.descr) {
        if (peek() == '[') refuse("records of several numbers; save each field as an array of its own");
        header.descr = string();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = shape();
      } else {
        refuse(fmt::format("the key {}; expected 'descr', 'fortran_order' and 'shape', each once", quote(key)));
      }
      if (take(',')) continue;
      expect('}');
      break;
    }
    if (!header.descr || !header.fortran_order || !header.shape) {
      refuse("no further keys; expected 'descr', 'fortran_order' and 'shape'");
    }
    return header;
  }

 private:
  [[noreturn]] void refuse(std::string_view found) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: the header of the array holds {}", text_name(path_), found));
  }
  void skip_space() {
    while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\n')) ++next_;
  }
  char peek() {
    skip_space();
    return next_ < text_.size() ? text_[next_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++next_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) {
      refuse(fmt::format("{} where '{}' is expected", quote(text_.substr(next_, next_ < text_.size() ? 1 : 0)), c));
    }
  }
  std::string string() {
    const char mark = peek();
    if (mark != '\'' && mark != '"') expect('\'');
    const std::size_t end = text_.find(mark, next_ + 1);
    if (end == std::string_view::npos) refuse("a string that does not end");
    std::string value(text_.substr(next_ + 1, end - next_ - 1));
    next_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [name, value] : {std::pair<std::string_view, bool>("True", true), {"False", false}}) {
      if (!text_.substr(next_).starts_with(name)) continue;
      next_ += name.size();
      return value;
    }
    refuse("a 'fortran_order' that is neither True nor False");
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t extent = -1;
      const auto [stop, fault] = std::from_chars(text_.data() + next_, text_.data() + text_.size(), extent);
      if (fault != std::errc() || extent < 0) refuse("a 'shape' that is not a list of whole numbers");
      next_ = static_cast<std::size_t>(stop - text_.data());
      take('L');  // as Python 2 wrote it
      extents.push_back(extent);
      if (extents.size() > kMostDimensions) refuse(fmt::format("more than {} dimensions", kMostDimensions));
      if (take(',')) continue;
      expect(')');
      break;
    }
    return extents;
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t next_ = 0;
};

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
  const NpyHeader header = NpyHeaderReader(path, header_of(array)).read();
  set_type(*header.descr, array);
  array.first_index_fastest = *header.fortran_order;
  array.shape = *header.shape;
  expect_elements(array);
  return array;
}

}  // namespace unroll
