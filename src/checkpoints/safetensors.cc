#include "checkpoints/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "model/tensor_header.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::uint64_t kLongestHeader = 100'000'000;

std::optional<ElementType> safetensors_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 10> kTypes{{{"F64", ElementType::kF64},
                                                                             {"F32", ElementType::kF32},
                                                                             {"F16", ElementType::kF16},
                                                                             {"BF16", ElementType::kBf16},
                                                                             {"I64", ElementType::kI64},
                                                                             {"I32", ElementType::kI32},
                                                                             {"I16", ElementType::kI16},
                                                                             {"I8", ElementType::kI8},
                                                                             {"U8", ElementType::kU8},
                                                                             {"BOOL", ElementType::kBool}}};
  for (const auto& [code, type] : kTypes) {
    if (code == name) return type;
  }
  return std::nullopt;
}

class SafetensorsReader {
 public:
  SafetensorsReader(std::string_view data, ForeignFile& checkpoint)
      : data_(data), graph_(checkpoint.values), name_(fmt::format("'{}'", checkpoint.path)) {}

  // Adds the tensors, in the order of the header, to `items`.
  void add(std::vector<HeaderTensor> tensors, std::vector<ValueId>& items) {
    for (const HeaderTensor& tensor : tensors) {
      const ValueId key = graph_.add_string(tensor.name);
      items.push_back(key);
      items.push_back(value_of(tensor));
    }
    std::ranges::sort(tensors, {}, [](const HeaderTensor& tensor) { return tensor.data_offsets; });
    std::uint64_t end = 0;
    for (const HeaderTensor& tensor : tensors) {
      if (tensor.data_offsets[0] != end) {
        refuse(tensor, fmt::format("its data begin at byte {}: expected byte {}, where those before end",
                                   tensor.data_offsets[0], end));
      }
      end = tensor.data_offsets[1];
    }
    if (end != data_.size()) {
      throw Error(ErrorCode::kFormat,
                  fmt::format("{}: the tensors end at byte {} of {} bytes of data", name_, end, data_.size()));
    }
  }

 private:
  [[noreturn]] void refuse(const HeaderTensor& tensor, const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("{}: tensor {}: {}", name_, quote(tensor.name), why));
  }

  ValueId value_of(const HeaderTensor& tensor) {
    const std::optional<ElementType> type = safetensors_type(tensor.dtype);
    if (!type) refuse(tensor, fmt::format("its type {} is not known", quote(tensor.dtype)));
    const std::uint64_t first = tensor.data_offsets[0];
    const std::uint64_t last = tensor.data_offsets[1];
    if (first > last || last > data_.size()) refuse(tensor, "its data are not within the file");
    const std::string_view bytes = data_.substr(first, last - first);
    TensorValue value;
    for (const std::uint64_t length : tensor.shape) {
      if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        refuse(tensor, "it is too large");
      value.shape.push_back(static_cast<std::int64_t>(length));
    }
    value.strides = c_order(value.shape);
    value.storage = graph_.add_storage({.name = tensor.name, .type = *type, .bytes = bytes});
    const ValueId id = graph_.add_tensor(value, name_);
    if (std::ssize(bytes) % element_size(*type) != 0 || value.size() != std::ssize(bytes) / element_size(*type)) {
      refuse(tensor, fmt::format("it has {} bytes: expected {} numbers of {}", bytes.size(), value.size(),
                                 element_type_name(*type)));
    }
    return id;
  }

  std::string_view data_;
  ValueGraph& graph_;
  std::string name_;
};

}  // namespace

bool is_safetensors(std::string_view bytes) noexcept {
  constexpr std::size_t kLengthBytes = 8;
  if (bytes.size() <= kLengthBytes) return false;
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  const bool is_header = bytes[kLengthBytes] == '{';
  if (length <= kLongestHeader) return is_header || (length > 0 && length <= bytes.size() - kLengthBytes);
  // A wrong length: no text has zeros, and pickles that have begin otherwise.
  constexpr char kPickleStart = '\x80';
  return is_header && bytes[0] != kPickleStart && bytes.substr(0, kLengthBytes).find('\0') != std::string_view::npos;
}

void read_safetensors(std::string_view bytes, ForeignFile& checkpoint) {
  checkpoint.format = "safetensors";
  ByteReader reader(bytes, fmt::format("'{}'", checkpoint.path));
  const std::uint64_t length = reader.u64();
  const TensorHeader header = parse_tensor_header(reader.take(length), checkpoint.path);
  std::vector<ValueId> items;
  SafetensorsReader(reader.rest(), checkpoint).add(header.tensors, items);
  if (!header.metadata.empty()) {
    std::vector<ValueId> metadata;
    for (const auto& [key, text] : header.metadata) {
      if (key == "unroll") checkpoint.description = text;
      metadata.push_back(checkpoint.values.add_string(key));
      metadata.push_back(checkpoint.values.add_string(text));
    }
    items.push_back(checkpoint.values.add_string("__metadata__"));
    items.push_back(checkpoint.values.add_items(ValueKind::kDict, std::move(metadata)));
  }
  checkpoint.root = checkpoint.values.add_items(ValueKind::kDict, std::move(items));
}

}  // namespace unroll
