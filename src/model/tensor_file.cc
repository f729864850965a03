#include "model/tensor_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "model/checksum.h"
#include "model/strict_json.h"
#include "model/tensor_header.h"
#include "unroll/error.h"

namespace unroll {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian, and numbers are copied as they are");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::string_view kChecksumField = "\"checksum\":\"";
constexpr std::string_view kZeroDigits = "0000000000000000";

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kFormat, fmt::format("'{}' {}", path, what));
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

template <class T>
std::string_view as_bytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

struct NumberType {
  Precision precision;
  std::string_view dtype;  // the format's name
  std::int64_t bytes;
};

constexpr std::array<NumberType, 3> kTypes{
    {{Precision::kF32, "F32", 4}, {Precision::kBf16, "BF16", 2}, {Precision::kInt8, "I8", 1}}};

const NumberType& type_of(Precision precision) { return *std::ranges::find(kTypes, precision, &NumberType::precision); }

template <class T>
constexpr Precision kPrecisionOf = Precision::kF32;
template <>
constexpr Precision kPrecisionOf<Bf16> = Precision::kBf16;
template <>
constexpr Precision kPrecisionOf<std::int8_t> = Precision::kInt8;

// XXH64 of the concatenated pieces, as 16 digits.
std::string checksum_of(std::span<const std::string_view> pieces) {
  Checksum sum;
  for (const std::string_view piece : pieces) sum.add(piece);
  return sum.digits();
}

// ---- writing

std::string metadata_text(const std::map<std::string, std::string>& metadata) {
  Json object = Json::object();
  for (const auto& [key, value] : metadata) object[key] = value;
  return write_json(object);
}

// The header with a checksum of zeros.
std::string header_text(const std::vector<TensorToWrite>& tensors, std::map<std::string, std::string> metadata) {
  metadata["checksum"] = kZeroDigits;
  std::string header = "{\"__metadata__\":" + metadata_text(metadata);
  std::int64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::int64_t end = offset + std::ssize(tensor.bytes);
    header += fmt::format(",{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", write_json(tensor.name),
                          type_of(tensor.precision).dtype, fmt::join(tensor.shape, ","), offset, end);
    offset = end;
  }
  header += '}';
  header.append((kLengthBytes - header.size() % kLengthBytes) % kLengthBytes, ' ');
  return header;
}

// ---- reading

// The offset of the data in a file of `size` bytes that begins with `start`.
std::size_t check_frame(std::string_view start, std::uint64_t size, const std::string& path) {
  constexpr std::string_view kHint = "expected a model that unroll wrote";
  if (size == 0) refuse(path, fmt::format("is empty: {}", kHint));
  std::uint64_t length = 0;
  if (start.size() > kLengthBytes) std::memcpy(&length, start.data(), kLengthBytes);
  if (length < 2 || length > kLongestHeader || start[kLengthBytes] != '{') {
    refuse(path, fmt::format("is not a safetensors file: {}", kHint));
  }
  if (length > size - kLengthBytes) {
    refuse(path, fmt::format("is cut short: its header should end at byte {}, the file ends at byte {}",
                             length + kLengthBytes, size));
  }
  return kLengthBytes + static_cast<std::size_t>(length);
}

// "unroll/12" as "unroll" and 12.
std::optional<std::pair<std::string_view, int>> split_format(std::string_view format) {
  const std::size_t slash = format.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = format.substr(slash + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return std::pair(format.substr(0, slash), number);
}

void check_format(const std::map<std::string, std::string>& metadata, std::initializer_list<std::string_view> formats,
                  const std::string& path) {
  const std::string_view expected = *(formats.end() - 1);
  const auto found = metadata.find("format");
  if (found == metadata.end()) {
    refuse(path,
           fmt::format("is a safetensors file, but not one of unroll: its metadata has no \"format\" that says {}",
                       expected));
  }
  if (std::ranges::find(formats, found->second) != formats.end()) return;
  const auto theirs = split_format(found->second);
  const auto ours = split_format(expected);
  if (theirs && ours && theirs->first == ours->first && theirs->second > ours->second) {
    refuse(path,
           fmt::format("was written by a newer version of unroll (format {}, this one reads {}): use that version",
                       found->second, expected));
  }
  refuse(path, fmt::format("is of another kind: its format is {}, expected \"{}\"", quote(found->second), expected));
}

void check_length(const TensorHeader& header, std::uint64_t data_bytes, const std::string& path) {
  std::uint64_t end = 0;
  for (const HeaderTensor& tensor : header.tensors) end = std::max(end, tensor.data_offsets[1]);
  if (end > data_bytes) {
    refuse(path,
           fmt::format("is cut short: its tensors need {} bytes after the header, {} are there", end, data_bytes));
  }
}

void check_checksum(std::string_view header, std::string_view data, const std::map<std::string, std::string>& metadata,
                    const std::string& path) {
  const auto stored = metadata.find("checksum");
  const std::size_t field = header.find(kChecksumField);
  const std::size_t start = field + kChecksumField.size();
  if (stored == metadata.end() || field == std::string_view::npos ||
      header.find(kChecksumField, start) != std::string_view::npos ||
      header.substr(start, kZeroDigits.size()) != stored->second) {
    refuse(path,
           "has no checksum in the form in which unroll writes it, so it may be damaged or was saved by another "
           "program");
  }
  const std::array pieces = {header.substr(0, start), kZeroDigits, header.substr(start + kZeroDigits.size()), data};
  if (const std::string actual = checksum_of(pieces); actual != stored->second) {
    refuse(path,
           fmt::format("was changed after it was written: its checksum is {}, it says {}", actual, stored->second));
  }
}

// Number of elements of a shape; nothing if it is more than a file can hold.
std::optional<std::int64_t> product(const std::vector<std::uint64_t>& shape) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 60;
  std::uint64_t size = 1;
  for (const std::uint64_t length : shape) {
    if (length > kMost || __builtin_mul_overflow(size, length, &size) || size > kMost) return std::nullopt;
  }
  return static_cast<std::int64_t>(size);
}

StoredTensor check_tensor(const HeaderTensor& tensor, const std::string& path) {
  const std::string name = quote(tensor.name);
  const auto* const type = std::ranges::find(kTypes, tensor.dtype, &NumberType::dtype);
  if (type == kTypes.end()) {
    refuse(path, fmt::format("holds tensor {} as {}: only F32, BF16 and I8 can be read", name, quote(tensor.dtype)));
  }
  const auto size = product(tensor.shape);
  if (!size)
    refuse(path, fmt::format("has tensor {} with an impossible shape ({})", name, fmt::join(tensor.shape, ", ")));
  const auto [first, last] = std::pair(tensor.data_offsets[0], tensor.data_offsets[1]);
  const std::uint64_t bytes = static_cast<std::uint64_t>(*size) * static_cast<std::uint64_t>(type->bytes);
  if (last < first || last - first != bytes) {
    refuse(path, fmt::format("has tensor {} of shape ({}), which takes {} bytes, but gives it bytes {} to {}", name,
                             fmt::join(tensor.shape, ", "), bytes, first, last));
  }
  std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  return {tensor.name, std::move(shape), type->precision, static_cast<std::int64_t>(first), *size};
}

std::vector<StoredTensor> check_tensors(const TensorHeader& header, std::int64_t data_bytes, const std::string& path) {
  std::vector<StoredTensor> tensors;
  for (const HeaderTensor& tensor : header.tensors) tensors.push_back(check_tensor(tensor, path));
  std::ranges::stable_sort(tensors, {}, [](const StoredTensor& t) { return std::pair(t.offset, t.size); });
  std::int64_t end = 0;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.offset != end) {
      refuse(path, fmt::format("has tensor {} at byte {} of its data, expected at {}: tensors {}", quote(tensor.name),
                               tensor.offset, end, tensor.offset < end ? "overlap" : "leave a hole"));
    }
    end += tensor.size * type_of(tensor.precision).bytes;
  }
  if (end != data_bytes) {
    refuse(path, fmt::format("has {} bytes after its last tensor", data_bytes - end));
  }
  return tensors;
}

// The index of the first invalid number; the size if there is none. Compares the bits of magnitudes as integers, in
// vectors, as fast as memory is read.
template <class T, class Unsigned, Unsigned kMagnitude, Unsigned kFirstBad>
std::size_t find_bad(std::span<const T> values) {
  constexpr std::size_t kLanes = 64;
  const auto magnitude = [](const T& value) {
    return static_cast<Unsigned>(std::bit_cast<Unsigned>(value) & kMagnitude);
  };
  const std::size_t whole = values.size() / kLanes * kLanes;
  std::array<Unsigned, kLanes> largest{};
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      largest[lane] = std::max(largest[lane], magnitude(values[i + lane]));
    }
  }
  const bool good = *std::ranges::max_element(largest) < kFirstBad;
  const auto bad = std::find_if(values.begin() + static_cast<std::ptrdiff_t>(good ? whole : 0), values.end(),
                                [&](const T& value) { return magnitude(value) >= kFirstBad; });
  return static_cast<std::size_t>(bad - values.begin());
}

std::size_t first_bad(std::span<const float> values) {
  return find_bad<float, std::uint32_t, 0x7FFFFFFFU, 0x7F800000U>(values);
}
std::size_t first_bad(std::span<const Bf16> values) { return find_bad<Bf16, std::uint16_t, 0x7FFFU, 0x7F80U>(values); }
std::size_t first_bad(std::span<const std::int8_t> values) {
  return static_cast<std::size_t>(std::ranges::find(values, std::numeric_limits<std::int8_t>::min()) - values.begin());
}

float as_float(float value) { return value; }
float as_float(Bf16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U); }
float as_float(std::int8_t value) { return value; }

template <class T>
void check_values(std::span<const T> values, const std::string& name, const std::string& path) {
  const std::size_t bad = first_bad(values);
  if (bad < values.size()) {
    refuse(path, fmt::format("has {} in tensor {} at element {}", as_float(values[bad]), name, bad));
  }
}

}  // namespace

TensorToWrite::TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths, std::span<const float> values)
    : name(std::move(tensor_name)), shape(std::move(lengths)), precision(Precision::kF32), bytes(as_bytes(values)) {}
TensorToWrite::TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths, std::span<const Bf16> values)
    : name(std::move(tensor_name)), shape(std::move(lengths)), precision(Precision::kBf16), bytes(as_bytes(values)) {}
TensorToWrite::TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths,
                             std::span<const std::int8_t> values)
    : name(std::move(tensor_name)), shape(std::move(lengths)), precision(Precision::kInt8), bytes(as_bytes(values)) {}

std::vector<TensorToWrite> widest_first(std::vector<TensorToWrite> tensors) {
  const auto width = [](const TensorToWrite& tensor) { return type_of(tensor.precision).bytes; };
  std::ranges::stable_sort(tensors, std::ranges::greater{}, width);
  return tensors;
}

void write_tensor_file(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string header = header_text(tensors, metadata);
  if (header.size() > kLongestHeader) {
    throw Error(ErrorCode::kFile,
                fmt::format("cannot write '{}': its header would take {} bytes, the format allows {}; "
                            "a smaller vocabulary takes less",
                            path, header.size(), kLongestHeader));
  }
  const std::uint64_t length = header.size();
  std::string length_bytes(kLengthBytes, '\0');
  std::memcpy(length_bytes.data(), &length, kLengthBytes);

  std::vector<std::string_view> pieces = {header};
  for (const TensorToWrite& tensor : tensors) pieces.push_back(tensor.bytes);
  const std::string checksum = checksum_of(pieces);
  header.replace(header.find(kChecksumField) + kChecksumField.size(), checksum.size(), checksum);
  pieces.insert(pieces.begin(), length_bytes);
  replace_file(path, pieces);
}

TensorFile::TensorFile(const std::string& path, std::initializer_list<std::string_view> formats)
    : path_(path), mapped_(path), bytes_(mapped_->bytes()) {
  read_header(formats);
}

TensorFile::TensorFile(std::string bytes, const std::string& name, std::initializer_list<std::string_view> formats)
    : path_(name), held_(std::make_unique<const std::string>(std::move(bytes))), bytes_(*held_) {
  read_header(formats);
}

void TensorFile::read_header(std::initializer_list<std::string_view> formats) {
  const std::string& path = path_;
  data_start_ = check_frame(bytes_, bytes_.size(), path);
  const std::string_view header_bytes = bytes_.substr(kLengthBytes, data_start_ - kLengthBytes);
  const std::string_view data = bytes_.substr(data_start_);
  TensorHeader header = parse_tensor_header(header_bytes, path);
  // This order reports causes before consequences: a newer version may differ in everything that follows, and a file
  // that was truncated or changed in transfer is not one with wrong tensors.
  check_format(header.metadata, formats, path);
  check_length(header, data.size(), path);
  if (mapped_) mapped_->fetch();
  check_checksum(header_bytes, data, header.metadata, path);
  tensors_ = check_tensors(header, static_cast<std::int64_t>(data.size()), path);
  metadata_ = std::move(header.metadata);
}

const StoredTensor* TensorFile::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(tensors_, name, &StoredTensor::name);
  return found == tensors_.end() ? nullptr : &*found;
}

const StoredTensor& TensorFile::checked(const std::string& name, Precision precision,
                                        const std::vector<std::int64_t>& shape) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) refuse(path_, fmt::format("lacks tensor {} of shape {}", name, shape_text(shape)));
  if (tensor->shape != shape) {
    refuse(path_,
           fmt::format("has tensor {} of shape {}, expected {}", name, shape_text(tensor->shape), shape_text(shape)));
  }
  if (tensor->precision != precision) {
    refuse(path_, fmt::format("has tensor {} as {}, expected {}", name, type_of(tensor->precision).dtype,
                              type_of(precision).dtype));
  }
  return *tensor;
}

const char* TensorFile::data(const StoredTensor& tensor) const noexcept {
  return bytes_.data() + data_start_ + tensor.offset;
}

template <class T>
std::span<const T> TensorFile::values(const std::string& name, const std::vector<std::int64_t>& shape) {
  const StoredTensor& tensor = checked(name, kPrecisionOf<T>, shape);
  const char* first = data(tensor);
  if (reinterpret_cast<std::uintptr_t>(first) % sizeof(T) != 0) {
    const auto bytes = static_cast<std::size_t>(tensor.size) * sizeof(T);
    const FloatBuffer& copy = aligned_.emplace_back(static_cast<std::int64_t>(bytes / sizeof(float) + 1));
    std::memcpy(copy.data(), first, bytes);
    first = reinterpret_cast<const char*>(copy.data());
  }
  const std::span values(reinterpret_cast<const T*>(first), static_cast<std::size_t>(tensor.size));
  check_values(values, name, path_);
  return values;
}

template std::span<const float> TensorFile::values(const std::string&, const std::vector<std::int64_t>&);
template std::span<const Bf16> TensorFile::values(const std::string&, const std::vector<std::int64_t>&);
template std::span<const std::int8_t> TensorFile::values(const std::string&, const std::vector<std::int64_t>&);

void TensorFile::copy(const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> out) const {
  std::memcpy(out.data(), data(checked(name, Precision::kF32, shape)), out.size_bytes());
  check_values(std::span<const float>(out), name, path_);
}

const std::string& TensorFile::required(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) refuse(path_, fmt::format("lacks the metadata \"{}\"", key));
  return found->second;
}

}  // namespace unroll
