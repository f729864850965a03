#include "checkpoints/torch7_file.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"

namespace unroll {
namespace {

enum Torch7Kind : std::int32_t {
  kNil = 0,
  kNumber = 1,
  kText = 2,
  kTable = 3,
  kTorchObject = 4,
  kBoolean = 5,
  kOldFunction = 6,
  kFunction = 7,
  kRecursiveFunction = 8,
};

// What follows "torch." in the name of a storage or tensor, with "Storage" or "Tensor".
std::optional<ElementType> torch7_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 8> kTypes{{{"Double", ElementType::kF64},
                                                                            {"Float", ElementType::kF32},
                                                                            {"Half", ElementType::kF16},
                                                                            {"Long", ElementType::kI64},
                                                                            {"Int", ElementType::kI32},
                                                                            {"Short", ElementType::kI16},
                                                                            {"Char", ElementType::kI8},
                                                                            {"Byte", ElementType::kU8}}};
  if (name.starts_with("Cuda")) name.remove_prefix(4);
  if (name.empty()) return ElementType::kF32;  // torch.CudaTensor
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

// The type of "torch.FloatTensor" for the ending "Tensor"; nothing for names of other classes.
std::optional<ElementType> type_of_class(std::string_view name, std::string_view ending) {
  constexpr std::string_view kModule = "torch.";
  if (!name.starts_with(kModule) || !name.ends_with(ending)) return std::nullopt;
  name.remove_prefix(kModule.size());
  if (name.size() < ending.size()) return std::nullopt;
  return torch7_type(name.substr(0, name.size() - ending.size()));
}

class Torch7Reader {
 public:
  Torch7Reader(std::string_view bytes, ForeignFile& file)
      : graph_(file.values), reader_(bytes, fmt::format("'{}'", file.path)), file_(file) {}

  void read() {
    file_.root = value();
    if (reader_.left() != 0) reader_.refuse(fmt::format("{} bytes follow the object", reader_.left()));
  }

 private:
  // One level of nesting, which goes through the call stack.
  struct Level {
    explicit Level(Torch7Reader& reader) : reader_(reader) {
      if (++reader_.depth_ > kDeepestNesting) {
        reader_.reader_.refuse(fmt::format("values are nested more than {} deep", kDeepestNesting));
      }
    }
    ~Level() { --reader_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

    Torch7Reader& reader_;
  };

  ValueId value() {  // NOLINT(misc-no-recursion): Level limits it
    const Level level(*this);
    const std::int32_t kind = reader_.i32();
    switch (kind) {
      case kNil:
        return graph_.add_none();
      case kNumber:
        return number(reader_.f64());
      case kText:
        return graph_.add_string(text());
      case kBoolean:
        return graph_.add_bool(reader_.i32() != 0);
      case kTable:
      case kTorchObject:
      case kFunction:
      case kRecursiveFunction:
        return shared(kind);
      case kOldFunction:
        return function();
      default:
        reader_.refuse(fmt::format("a value of the kind {}: expected 0 to 8", kind));
    }
  }

  ValueId number(double value) {
    constexpr double kLargestWhole = 9007199254740992;  // 2^53
    if (std::abs(value) <= kLargestWhole && std::trunc(value) == value) {
      return graph_.add_integer(static_cast<std::int64_t>(value));
    }
    return graph_.add_real(value);
  }

  std::string text() {
    const std::int32_t size = reader_.i32();
    if (size < 0) reader_.refuse(fmt::format("a text has {} bytes", size));
    return std::string(reader_.take(static_cast<std::uint64_t>(size)));
  }

  // A value with an index, which is written once and referred to from then on.
  ValueId shared(std::int32_t kind) {  // NOLINT(misc-no-recursion)
    const std::int32_t index = reader_.i32();
    if (const auto known = known_.find(index); known != known_.end()) {
      if (known->second.kind != kind) reader_.refuse(fmt::format("the object {} is of two kinds", index));
      return known->second.value;
    }
    if (kind == kTable) {
      const ValueId table = graph_.add_items(ValueKind::kDict, {});
      known_[index] = {kind, table};
      fill_table(table);
      return table;
    }
    if (kind == kTorchObject) return object(index);
    const ValueId made = function();
    known_[index] = {kind, made};
    return made;
  }

  void fill_table(ValueId table) {  // NOLINT(misc-no-recursion)
    const std::int32_t count = reader_.i32();
    if (count < 0) reader_.refuse(fmt::format("a table has {} entries", count));
    for (std::int32_t i = 0; i < count; ++i) {
      const ValueId key = value();
      const ValueId entry = value();
      graph_[table].items.push_back(key);
      graph_[table].items.push_back(entry);
    }
  }

  // The bytes of a function are skipped; what it refers to is read, since others may refer to that.
  ValueId function() {  // NOLINT(misc-no-recursion)
    const std::string bytes = text();
    const ValueId captured = value();
    return graph_.add(
        {.kind = ValueKind::kObject, .text = "function", .items = {kNoValue, captured, kNoValue, kNoValue}});
  }

  ValueId object(std::int32_t index) {  // NOLINT(misc-no-recursion)
    std::string name = text();
    if (name.starts_with("V ")) name = text();  // after the version of the class
    if (const auto type = type_of_class(name, "Storage")) return remember(index, storage(*type, name));
    if (const auto type = type_of_class(name, "Tensor")) return remember(index, tensor(*type, name));
    const ValueId made =
        graph_.add({.kind = ValueKind::kObject, .text = name, .items = {kNoValue, kNoValue, kNoValue, kNoValue}});
    remember(index, made);
    const ValueId state = value();
    if (!graph_.is(state, ValueKind::kDict)) {
      reader_.refuse(fmt::format("an object of the class {} is no table, and such classes are not known", quote(name)));
    }
    graph_[made].items[kState] = state;
    return made;
  }

  ValueId remember(std::int32_t index, ValueId value) {
    known_[index] = {kTorchObject, value};
    return value;
  }

  static std::string device_of(std::string_view name) { return name.starts_with("torch.Cuda") ? "cuda" : ""; }

  ValueId storage(ElementType type, const std::string& name) {
    const std::int64_t count = reader_.i64();
    std::int64_t size = 0;
    if (count < 0 || __builtin_mul_overflow(count, element_size(type), &size)) {
      reader_.refuse(fmt::format("a storage has {} numbers", count));
    }
    const std::string_view bytes = reader_.take(static_cast<std::uint64_t>(size));
    return graph_.add(
        {.kind = ValueKind::kStorage,
         .integer = graph_.add_storage({.name = name, .device = device_of(name), .type = type, .bytes = bytes})});
  }

  // Its dimensions, lengths, strides, the place of the first number from 1 on, its storage or nil
  ValueId tensor(ElementType type, const std::string& name) {  // NOLINT(misc-no-recursion)
    constexpr std::int32_t kMostDimensions = 8;
    const std::int32_t dimensions = reader_.i32();
    if (dimensions < 0 || dimensions > kMostDimensions) {
      reader_.refuse(fmt::format("a tensor has {} dimensions: expected at most {}", dimensions, kMostDimensions));
    }
    TensorValue tensor;
    for (std::int32_t d = 0; d < dimensions; ++d) tensor.shape.push_back(reader_.i64());
    for (std::int32_t d = 0; d < dimensions; ++d) tensor.strides.push_back(reader_.i64());
    const std::int64_t first = reader_.i64();
    if (first < 0) reader_.refuse(fmt::format("a tensor begins at the place {}", first));
    tensor.offset = first - 1;
    const ValueId held = value();
    if (dimensions == 0 || graph_.is(held, ValueKind::kNone)) {
      if (dimensions != 0) reader_.refuse("a tensor has dimensions, and no storage");
      tensor = {.storage = graph_.add_storage({.name = name, .type = type}), .shape = {0}, .strides = {1}};
      return graph_.add_tensor(tensor, reader_.name());
    }
    const bool fits = graph_.is(held, ValueKind::kStorage) &&
                      graph_.storage(static_cast<std::int32_t>(graph_[held].integer)).type == type;
    if (!fits) reader_.refuse(fmt::format("a {} does not view a storage of its type", name));
    tensor.storage = static_cast<std::int32_t>(graph_[held].integer);
    return graph_.add_tensor(tensor, reader_.name());
  }

  struct Known {
    std::int32_t kind = kNil;
    ValueId value = kNoValue;
  };

  ValueGraph& graph_;
  ByteReader reader_;
  ForeignFile& file_;
  std::map<std::int32_t, Known> known_;
  std::int64_t depth_ = 0;
};

}  // namespace

bool is_torch7(std::string_view bytes) noexcept {
  constexpr std::string_view kTableStart("\x03\0\0\0\x01\0\0\0", 8);
  constexpr std::string_view kObjectStart("\x04\0\0\0\x01\0\0\0", 8);
  return bytes.starts_with(kTableStart) || bytes.starts_with(kObjectStart);
}

void read_torch7(std::string_view bytes, ForeignFile& file) {
  file.kind = ForeignKind::kTorch7;
  file.format = "Torch 7";
  Torch7Reader(bytes, file).read();
}

}  // namespace unroll
