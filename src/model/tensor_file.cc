#include "model/tensor_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/file.h"
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

std::string_view as_bytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// XXH64 of pieces one after another, as 16 digits.
std::string checksum_of(std::span<const std::string_view> pieces) {
  const std::unique_ptr<XXH64_state_t, XXH_errorcode (*)(XXH64_state_t*)> state(XXH64_createState(), XXH64_freeState);
  if (!state) throw std::bad_alloc();
  XXH64_reset(state.get(), 0);
  for (const std::string_view piece : pieces) XXH64_update(state.get(), piece.data(), piece.size());
  return fmt::format("{:016x}", XXH64_digest(state.get()));
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
    const std::int64_t end = offset + static_cast<std::int64_t>(tensor.values.size_bytes());
    header += fmt::format(",{}:{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", write_json(tensor.name),
                          fmt::join(tensor.shape, ","), offset, end);
    offset = end;
  }
  header += '}';
  header.append((kLengthBytes - header.size() % kLengthBytes) % kLengthBytes, ' ');
  return header;
}

// ---- reading

// Where the data begins in a file of `size` bytes that begins with `start`.
std::size_t check_frame(std::string_view start, std::uint64_t size, const std::string& path) {
  constexpr std::string_view kHint = "a model is what 'unroll train --save' writes";
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

// Looks at the first bytes before it takes memory for all: a large text given by mistake is refused at once.
void check_start(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  std::array<char, kLengthBytes + 1> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  if (error || file.bad() || !file.is_open()) return;  // reading the whole will say why
  check_frame({start.data(), static_cast<std::size_t>(file.gcount())}, size, path);
}

std::string read_whole(const std::string& path) {
  check_start(path);
  try {
    return read_file(path);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
  } catch (const std::length_error&) {
    throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
  }
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

void check_format(const std::map<std::string, std::string>& metadata, std::string_view expected,
                  const std::string& path) {
  const auto found = metadata.find("format");
  if (found == metadata.end()) {
    refuse(path,
           fmt::format("is a safetensors file, but not one of unroll: its metadata has no \"format\" that says {}",
                       expected));
  }
  if (found->second == expected) return;
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

// Numbers of a shape; nothing when they are more than a file can hold.
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
  if (tensor.dtype != "F32") {
    refuse(path, fmt::format("holds tensor {} as {}: only F32 can be read", name, quote(tensor.dtype)));
  }
  const auto size = product(tensor.shape);
  if (!size)
    refuse(path, fmt::format("has tensor {} with an impossible shape ({})", name, fmt::join(tensor.shape, ", ")));
  const auto [first, last] = std::pair(tensor.data_offsets[0], tensor.data_offsets[1]);
  const auto bytes = static_cast<std::uint64_t>(*size) * sizeof(float);
  if (last < first || last - first != bytes) {
    refuse(path, fmt::format("has tensor {} of shape ({}), which takes {} bytes, but gives it bytes {} to {}", name,
                             fmt::join(tensor.shape, ", "), bytes, first, last));
  }
  std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  return {tensor.name, std::move(shape), static_cast<std::int64_t>(first), *size};
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
    end += tensor.size * static_cast<std::int64_t>(sizeof(float));
  }
  if (end != data_bytes) {
    refuse(path, fmt::format("has {} bytes after its last tensor", data_bytes - end));
  }
  return tensors;
}

}  // namespace

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
  for (const TensorToWrite& tensor : tensors) pieces.push_back(as_bytes(tensor.values));
  const std::string checksum = checksum_of(pieces);
  header.replace(header.find(kChecksumField) + kChecksumField.size(), checksum.size(), checksum);
  pieces.insert(pieces.begin(), length_bytes);
  replace_file(path, pieces);
}

TensorFile::TensorFile(const std::string& path, std::string_view format) : path_(path), bytes_(read_whole(path)) {
  data_start_ = check_frame(bytes_, bytes_.size(), path);
  const std::string_view header_bytes = std::string_view(bytes_).substr(kLengthBytes, data_start_ - kLengthBytes);
  const std::string_view data = std::string_view(bytes_).substr(data_start_);
  TensorHeader header = parse_tensor_header(header_bytes, path);
  // In this order a reader learns the cause rather than a consequence: a newer version may differ in all that follows,
  // and a file cut short or changed on the way is not one with wrong tensors.
  check_format(header.metadata, format, path);
  check_length(header, data.size(), path);
  check_checksum(header_bytes, data, header.metadata, path);
  tensors_ = check_tensors(header, static_cast<std::int64_t>(data.size()), path);
  metadata_ = std::move(header.metadata);
}

const StoredTensor* TensorFile::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(tensors_, name, &StoredTensor::name);
  return found == tensors_.end() ? nullptr : &*found;
}

const StoredTensor& TensorFile::checked(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) refuse(path_, fmt::format("lacks tensor {} of shape {}", name, shape_text(shape)));
  if (tensor->shape != shape) {
    refuse(path_,
           fmt::format("has tensor {} of shape {}, expected {}", name, shape_text(tensor->shape), shape_text(shape)));
  }
  return *tensor;
}

void TensorFile::copy(const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> out) const {
  const StoredTensor& tensor = checked(name, shape);
  std::memcpy(out.data(), bytes_.data() + data_start_ + tensor.offset, out.size_bytes());
  const auto bad = std::ranges::find_if(out, [](float value) { return !std::isfinite(value); });
  if (bad != out.end()) {
    refuse(path_, fmt::format("has {} in tensor {} at element {}", *bad, name, bad - out.begin()));
  }
}

const std::string& TensorFile::required(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) refuse(path_, fmt::format("lacks the metadata \"{}\"", key));
  return found->second;
}

}  // namespace unroll
