#include "checkpoints/pickle_calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/pickle_text.h"

namespace unroll {
namespace {

constexpr std::array<std::string_view, 8> kDicts{"collections.OrderedDict", "builtins.dict",
                                                 "__builtin__.dict",        "collections.defaultdict",
                                                 "collections.Counter",     "torch.nn.modules.container.OrderedDict",
                                                 "torch.OrderedDict",       "ordereddict.OrderedDict"};
constexpr std::array<std::string_view, 5> kSets{"builtins.set", "__builtin__.set", "builtins.frozenset",
                                                "__builtin__.frozenset", "sets.Set"};
constexpr std::array<std::string_view, 2> kTensors{"torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"};
// Functions and classes that wrap a tensor, which is their first argument.
constexpr std::array<std::string_view, 5> kParameters{
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter",
    "torch.nn.Parameter", "torch.autograd.variable.Variable"};
constexpr std::array<std::string_view, 2> kArrays{"numpy.core.multiarray._reconstruct",
                                                  "numpy._core.multiarray._reconstruct"};
constexpr std::array<std::string_view, 2> kScalars{"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"};
constexpr std::array<std::string_view, 2> kReconstructors{"copyreg._reconstructor", "copy_reg._reconstructor"};

bool among(const auto& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// The whole numbers of a tuple or list; nothing for anything else.
std::optional<std::vector<std::int64_t>> whole_numbers(const ValueGraph& graph, ValueId id) {
  if (!graph.is(id, ValueKind::kTuple) && !graph.is(id, ValueKind::kList)) return std::nullopt;
  constexpr std::size_t kMost = 64;
  const std::vector<ValueId>& items = graph[id].items;
  if (items.size() > kMost) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const ValueId item : items) {
    if (!graph.is(item, ValueKind::kInteger)) return std::nullopt;
    numbers.push_back(graph[item].integer);
  }
  return numbers;
}

// The argument at a place; kNoValue where there are fewer.
ValueId argument(const ValueGraph& graph, ValueId arguments, std::size_t place) {
  const std::vector<ValueId>& items = graph[arguments].items;
  return place < items.size() ? items[place] : kNoValue;
}

ValueId object(ValueGraph& graph, const std::string& callee, ValueId arguments) {
  return graph.add({.kind = ValueKind::kObject, .text = callee, .items = {arguments, kNoValue, kNoValue, kNoValue}});
}

// OrderedDict([[key, value], ...]), as Python 2 writes it, or Counter({...}); what follows is set item by item.
ValueId dict_from(ValueGraph& graph, ValueId from, CopyBudget& budget, const ByteReader& reader) {
  std::vector<ValueId> items;
  if (graph.is(from, ValueKind::kDict)) items = graph[from].items;
  if (graph.is(from, ValueKind::kList) || graph.is(from, ValueKind::kTuple)) {
    for (const ValueId pair : graph[from].items) {
      const bool is_pair = graph.is(pair, ValueKind::kList) || graph.is(pair, ValueKind::kTuple);
      if (!is_pair || graph[pair].items.size() != 2) reader.refuse("a dict is made from what are not pairs");
      items.insert(items.end(), graph[pair].items.begin(), graph[pair].items.end());
    }
  }
  budget.take(items.size() * sizeof(ValueId), reader);
  return graph.add_items(ValueKind::kDict, std::move(items));
}

ValueId set_from(ValueGraph& graph, ValueId from, CopyBudget& budget, const ByteReader& reader) {
  std::vector<ValueId> items;
  if (graph.is(from, ValueKind::kList) || graph.is(from, ValueKind::kTuple)) items = graph[from].items;
  budget.take(items.size() * sizeof(ValueId), reader);
  return graph.add_items(ValueKind::kSet, std::move(items));
}

// (storage, offset, sizes, strides, ...)
ValueId tensor_from(ValueGraph& graph, ValueId arguments, const ByteReader& reader) {
  const ValueId storage = argument(graph, arguments, 0);
  const ValueId offset = argument(graph, arguments, 1);
  const auto shape = whole_numbers(graph, argument(graph, arguments, 2));
  const auto strides = whole_numbers(graph, argument(graph, arguments, 3));
  if (!graph.is(storage, ValueKind::kStorage) || !graph.is(offset, ValueKind::kInteger) || !shape || !strides) {
    reader.refuse("a tensor is not made from a storage, an offset, sizes and strides");
  }
  return graph.add_tensor({.storage = static_cast<std::int32_t>(graph[storage].integer),
                           .offset = graph[offset].integer,
                           .shape = *shape,
                           .strides = *strides},
                          reader.name());
}

// The type of numpy.dtype('f4', 0, 1) with the state (3, '<', ...).
struct ArrayType {
  ElementType type = ElementType::kF32;
  bool big_endian = false;
};

std::optional<ElementType> element_type_of(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 9> kCodes{{{"f8", ElementType::kF64},
                                                                            {"f4", ElementType::kF32},
                                                                            {"f2", ElementType::kF16},
                                                                            {"i8", ElementType::kI64},
                                                                            {"i4", ElementType::kI32},
                                                                            {"i2", ElementType::kI16},
                                                                            {"i1", ElementType::kI8},
                                                                            {"u1", ElementType::kU8},
                                                                            {"b1", ElementType::kBool}}};
  for (const auto& [name, type] : kCodes) {
    if (name == code) return type;
  }
  return std::nullopt;
}

std::optional<ArrayType> array_type(const ValueGraph& graph, ValueId dtype) {
  if (!graph.is(dtype, ValueKind::kObject) || graph[dtype].text != "numpy.dtype") return std::nullopt;
  const ValueId code = argument(graph, graph.item(dtype, kArguments), 0);
  if (!graph.is(code, ValueKind::kString)) return std::nullopt;
  const std::optional<ElementType> type = element_type_of(graph[code].text);
  if (!type) return std::nullopt;
  const ValueId state = graph.item(dtype, kState);
  const ValueId order = graph.is(state, ValueKind::kTuple) ? argument(graph, state, 1) : kNoValue;
  return ArrayType{.type = *type, .big_endian = graph.is(order, ValueKind::kString) && graph[order].text == ">"};
}

// A scalar of NumPy: (dtype, bytes).
ValueId scalar_from(ValueGraph& graph, ValueId arguments) {
  const std::optional<ArrayType> type = array_type(graph, argument(graph, arguments, 0));
  const ValueId bytes = argument(graph, arguments, 1);
  const bool has_bytes = graph.is(bytes, ValueKind::kBytes) || graph.is(bytes, ValueKind::kString);
  if (!type || !has_bytes || std::ssize(graph[bytes].text) != element_size(type->type)) return kNoValue;
  const Storage one{.type = type->type, .bytes = graph[bytes].text, .big_endian = type->big_endian};
  const bool is_real =
      type->type == ElementType::kF64 || type->type == ElementType::kF32 || type->type == ElementType::kF16;
  const double number = number_at(one, 0);
  return is_real ? graph.add_real(number) : graph.add_integer(static_cast<std::int64_t>(number));
}

// Makes a tensor of an array whose state is (version, shape, dtype, fortran, bytes). Whether it was one of numbers.
bool build_array(ValueGraph& graph, ValueId array, ValueId state, const ByteReader& reader) {
  if (!graph.is(state, ValueKind::kTuple) || graph[state].items.size() != 5) return false;
  const auto shape = whole_numbers(graph, graph[state].items[1]);
  const std::optional<ArrayType> type = array_type(graph, graph[state].items[2]);
  const ValueId fortran = graph[state].items[3];
  const ValueId bytes = graph[state].items[4];
  const bool has_bytes = graph.is(bytes, ValueKind::kBytes) || graph.is(bytes, ValueKind::kString);
  if (!shape || !type || !has_bytes || std::ssize(graph[bytes].text) % element_size(type->type) != 0) return false;
  // The value that holds the bytes stays where it is, for as long as the graph.
  const std::int32_t storage = graph.add_storage(
      {.name = "array", .type = type->type, .bytes = graph[bytes].text, .big_endian = type->big_endian});
  const bool reversed = graph.is(fortran, ValueKind::kBool) && graph[fortran].integer != 0;
  const ValueId tensor = graph.add_tensor(
      {.storage = storage, .shape = *shape, .strides = reversed ? fortran_order(*shape) : c_order(*shape)},
      reader.name());
  graph[array] = graph[tensor];
  return true;
}

// The text of _codecs.encode(text, "latin1"), by which Python 3 writes bytes in old protocols.
ValueId encoded(ValueGraph& graph, ValueId arguments, CopyBudget& budget, const ByteReader& reader) {
  const ValueId text = argument(graph, arguments, 0);
  const ValueId coding = argument(graph, arguments, 1);
  const bool is_latin1 = graph.is(coding, ValueKind::kString) && graph[coding].text == "latin1";
  if (!is_latin1 || !graph.is(text, ValueKind::kString)) return kNoValue;
  budget.take(graph[text].text.size(), reader);
  std::optional<std::string> bytes = to_latin1(graph[text].text);
  return bytes ? graph.add_text(ValueKind::kBytes, *std::move(bytes)) : kNoValue;
}

// A call that means plain data; kNoValue for any other.
ValueId known_call(ValueGraph& graph, std::string_view callee, ValueId arguments, CopyBudget& budget,
                   const ByteReader& reader) {
  const ValueId first = argument(graph, arguments, 0);
  if (among(kDicts, callee)) return dict_from(graph, first, budget, reader);
  if (among(kSets, callee)) return set_from(graph, first, budget, reader);
  if (among(kTensors, callee)) return tensor_from(graph, arguments, reader);
  if (among(kParameters, callee) && graph.is(first, ValueKind::kTensor)) return first;
  if (callee == "torch.Size" && graph.is(first, ValueKind::kTuple)) return first;
  if (among(kScalars, callee)) return scalar_from(graph, arguments);
  if (callee == "_codecs.encode") return encoded(graph, arguments, budget, reader);
  return kNoValue;
}

}  // namespace

void CopyBudget::take(std::size_t bytes, const ByteReader& reader) {
  if (bytes > left_) reader.refuse("the pickle copies more than 64 MB of its own values: expected a network's file");
  left_ -= bytes;
}

ValueId called(ValueGraph& graph, const std::string& callee, ValueId arguments, CopyBudget& budget,
               const ByteReader& reader) {
  const ValueId known = known_call(graph, callee, arguments, budget, reader);
  if (known != kNoValue) return known;
  budget.take(callee.size(), reader);
  const ValueId first = argument(graph, arguments, 0);
  // Tensors of subclasses are (function, class, arguments, state).
  if (callee == "torch._tensor._rebuild_from_type_v2" && graph.is(first, ValueKind::kName)) {
    const ValueId inner = argument(graph, arguments, 2);
    const std::string function = graph[first].text;
    const bool is_tensor = among(kTensors, function) || among(kParameters, function);
    if (is_tensor && graph.is(inner, ValueKind::kTuple)) return known_call(graph, function, inner, budget, reader);
  }
  if (among(kReconstructors, callee) && graph.is(first, ValueKind::kName)) {
    return object(graph, graph[first].text, arguments);
  }
  return object(graph, callee, arguments);
}

void build(ValueGraph& graph, ValueId value, ValueId state, const ByteReader& reader) {
  if (!graph.is(value, ValueKind::kObject)) return;
  if (among(kArrays, graph[value].text) && build_array(graph, value, state, reader)) return;
  // Before PyTorch 0.2 a parameter's tensor was a part of its state.
  const ValueId first = graph.is(state, ValueKind::kTuple) ? argument(graph, state, 0) : kNoValue;
  if (among(kParameters, graph[value].text) && graph.is(first, ValueKind::kTensor)) {
    graph[value] = Value(graph[first]);
    return;
  }
  ValueId& built = graph[value].items[kState];
  if (built != kNoValue) reader.refuse(fmt::format("an object of {} is built twice", quote(graph[value].text)));
  built = state;
}

}  // namespace unroll
