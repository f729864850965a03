#include "checkpoints/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "unroll/character.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kMostDimensions = 8;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character next = first_character(text);
    if (!next.well_formed) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

[[noreturn]] void refuse_tensor(const std::string& what, const std::string& why) {
  throw Error(ErrorCode::kFormat, fmt::format("{}: {}", what, why));
}

// The product of `shape`; nothing where that of the lengths other than 0 is 2^63 or more: NumPy and PyTorch have no
// such array, with numbers or without.
std::optional<std::int64_t> product(const std::vector<std::int64_t>& shape) {
  std::int64_t size = 1;
  bool is_empty = false;
  for (const std::int64_t length : shape) {
    is_empty |= length == 0;
    if (length != 0 && __builtin_mul_overflow(size, length, &size)) return std::nullopt;
  }
  return is_empty ? 0 : size;
}

// The number of elements up to the last one that the tensor views; nothing where that is 2^63 or more.
std::optional<std::int64_t> extent(const TensorValue& tensor) {
  std::int64_t last = tensor.offset;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &step)) return std::nullopt;
    if (__builtin_add_overflow(last, step, &last)) return std::nullopt;
  }
  if (__builtin_add_overflow(last, 1, &last)) return std::nullopt;
  return last;
}

}  // namespace

std::string_view value_kind_name(ValueKind kind) noexcept {
  switch (kind) {
    case ValueKind::kNone:
      return "none";
    case ValueKind::kBool:
      return "bool";
    case ValueKind::kInteger:
      return "integer";
    case ValueKind::kLargeInteger:
      return "large integer";
    case ValueKind::kReal:
      return "real";
    case ValueKind::kString:
      return "string";
    case ValueKind::kBytes:
      return "bytes";
    case ValueKind::kList:
      return "list";
    case ValueKind::kTuple:
      return "tuple";
    case ValueKind::kSet:
      return "set";
    case ValueKind::kDict:
      return "dict";
    case ValueKind::kTensor:
      return "tensor";
    case ValueKind::kStorage:
      return "storage";
    case ValueKind::kName:
      return "name";
    case ValueKind::kObject:
      return "object";
  }
  return {};
}

std::string_view element_type_name(ElementType type) noexcept {
  switch (type) {
    case ElementType::kF64:
      return "float64";
    case ElementType::kF32:
      return "float32";
    case ElementType::kF16:
      return "float16";
    case ElementType::kBf16:
      return "bfloat16";
    case ElementType::kI64:
      return "int64";
    case ElementType::kI32:
      return "int32";
    case ElementType::kI16:
      return "int16";
    case ElementType::kI8:
      return "int8";
    case ElementType::kU8:
      return "uint8";
    case ElementType::kBool:
      return "bool";
  }
  return {};
}

std::int64_t element_size(ElementType type) noexcept {
  switch (type) {
    case ElementType::kF64:
    case ElementType::kI64:
      return 8;
    case ElementType::kF32:
    case ElementType::kI32:
      return 4;
    case ElementType::kF16:
    case ElementType::kBf16:
    case ElementType::kI16:
      return 2;
    case ElementType::kI8:
    case ElementType::kU8:
    case ElementType::kBool:
      return 1;
  }
  return 1;
}

std::int64_t TensorValue::size() const noexcept { return product(shape).value_or(0); }

std::vector<std::int64_t> c_order(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides = fortran_order({shape.rbegin(), shape.rend()});
  std::ranges::reverse(strides);
  return strides;
}

std::vector<std::int64_t> fortran_order(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides;
  std::int64_t stride = 1;
  for (const std::int64_t length : shape) {
    strides.push_back(stride);
    if (__builtin_mul_overflow(stride, length, &stride)) stride = 0;
  }
  return strides;
}

ValueId ValueGraph::add(Value value) {
  if (size() >= kMostValues) {
    throw GraphLimit(ErrorCode::kFormat,
                     fmt::format("it holds more than {} values: expected a network's file", kMostValues));
  }
  values_.push_back(std::move(value));
  return static_cast<ValueId>(size() - 1);
}

ValueId ValueGraph::add_string(std::string text) {
  const ValueKind kind = is_utf8(text) ? ValueKind::kString : ValueKind::kBytes;
  return add_text(kind, std::move(text));
}

std::int32_t ValueGraph::add_storage(Storage storage) {
  storages_.push_back(std::move(storage));
  return static_cast<std::int32_t>(std::ssize(storages_) - 1);
}

void ValueGraph::move_storage(std::int32_t index, std::string_view bytes) {
  Storage& storage = storages_.at(static_cast<std::size_t>(index));
  assert(storage.bytes.size() == bytes.size());
  storage.bytes = bytes;
}

ValueId ValueGraph::add_tensor(TensorValue tensor, const std::string& what) {
  if (tensor.shape.size() > kMostDimensions) {
    refuse_tensor(what,
                  fmt::format("a tensor has {} dimensions: expected at most {}", tensor.shape.size(), kMostDimensions));
  }
  if (tensor.shape.size() != tensor.strides.size()) {
    refuse_tensor(what, fmt::format("a tensor has {} lengths and {} strides: expected as many", tensor.shape.size(),
                                    tensor.strides.size()));
  }
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    if (tensor.shape[d] < 0) refuse_tensor(what, fmt::format("a tensor has the negative length {}", tensor.shape[d]));
    if (tensor.strides[d] < 0) {
      refuse_tensor(what, fmt::format("a tensor has the negative stride {}", tensor.strides[d]));
    }
  }
  if (tensor.offset < 0) refuse_tensor(what, fmt::format("a tensor begins at the negative offset {}", tensor.offset));
  const Storage& storage = storage_of(tensor);
  const std::optional<std::int64_t> size = product(tensor.shape);
  const std::optional<std::int64_t> last = size == 0 ? tensor.offset : extent(tensor);
  if (!size || !last || *last > storage.count() || *size > storage.count()) {
    refuse_tensor(what,
                  fmt::format("a tensor of shape [{}] from offset {} does not fit into its storage {} of {} "
                              "numbers",
                              fmt::join(tensor.shape, ", "), tensor.offset, quote(storage.name), storage.count()));
  }
  tensors_.push_back(std::move(tensor));
  return add({.kind = ValueKind::kTensor, .integer = std::ssize(tensors_) - 1});
}

std::string_view ValueGraph::keep(std::string bytes) { return kept_.emplace_back(std::move(bytes)); }

std::string_view ValueGraph::keep(MappedFile file) {
  return files_.emplace_back(std::make_unique<MappedFile>(std::move(file)))->bytes();
}

ValueId ValueGraph::find(ValueId dict, std::string_view key) const {
  if (!is(dict, ValueKind::kDict)) return kNoValue;
  const std::vector<ValueId>& items = (*this)[dict].items;
  for (std::size_t at = items.size(); at >= 2; at -= 2) {
    const Value& candidate = (*this)[items[at - 2]];
    if (candidate.kind == ValueKind::kString && candidate.text == key) return items[at - 1];
  }
  return kNoValue;
}

ValueId ValueGraph::item(ValueId object, ObjectItem item) const {
  return is(object, ValueKind::kObject) ? (*this)[object].items.at(item) : kNoValue;
}

}  // namespace unroll
