// The content of a file of another program, as data: a graph of plain values that nothing has executed.
//
// Values lie in one arena and name each other by index, so that what a file shares stays shared, what contains itself
// can be held, and nothing recurses when a graph of any depth is destroyed. A walk over it may meet a value more than
// once, and itself: walk() visits each once.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "unroll/error.h"

namespace unroll {

// Thrown as Error{kFormat} beyond kMostValues and kDeepestNesting, without a name: whoever reads a file puts it before.
struct GraphLimit : Error {
  using Error::Error;
};

// Index of a value in its graph.
using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;

enum class ValueKind {
  kNone,
  kBool,          // integer: 0 or 1
  kInteger,       // integer
  kLargeInteger,  // text: two's complement, little-endian, of a number that 64 bits do not hold
  kReal,          // real
  kString,        // text: UTF-8
  kBytes,         // text: any bytes
  kList,          // items
  kTuple,         // items
  kSet,           // items
  kDict,          // items: key, value, key, value, ... in the order of the file
  kTensor,        // integer: index of a TensorValue
  kStorage,       // integer: index of a Storage
  kName,          // text: the name of a class or function, "torch.nn.modules.rnn.LSTM"
  kObject,        // text: the name of what was called; items: arguments, state, elements, entries, or kNoValue
};

// "none", "bool", "integer", "large integer", "real", "string", ...
[[nodiscard]] std::string_view value_kind_name(ValueKind kind) noexcept;

struct Value {
  ValueKind kind = ValueKind::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string text = {};
  std::vector<ValueId> items = {};
};

// Places of an object's items. What was built by a call that this reader does not know, with what was given to it.
enum ObjectItem : std::uint8_t {
  kArguments,  // a tuple
  kState,      // what its attributes are made from: mostly a dict
  kElements,   // a list of what was appended to it
  kEntries,    // a dict of what was set in it
  kObjectItems
};

// Types of a tensor's numbers.
enum class ElementType { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool };

// "float64", "float32", "float16", "bfloat16", "int64", ..., "bool".
[[nodiscard]] std::string_view element_type_name(ElementType type) noexcept;

// Bytes of one number.
[[nodiscard]] std::int64_t element_size(ElementType type) noexcept;

// Numbers in a row, held once; tensors are views of them. Does not own its bytes: ValueGraph::keep() does.
struct Storage {
  std::string name = {};    // in its file
  std::string device = {};  // as the file says: "cpu", "cuda:0"; empty: it does not
  ElementType type = ElementType::kF32;
  std::string_view bytes = {};
  bool big_endian = false;

  [[nodiscard]] std::int64_t count() const noexcept { return std::ssize(bytes) / element_size(type); }
};

// A view of a storage. Number (i, j, ...) is element offset + i * strides[0] + j * strides[1] + ...
struct TensorValue {
  std::int32_t storage = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape = {};
  std::vector<std::int64_t> strides = {};

  // Numbers: the product of `shape`.
  [[nodiscard]] std::int64_t size() const noexcept;
};

// Strides of a tensor whose numbers follow each other in C order, the last index fastest, or in Fortran order, the
// first index fastest. 0 in place of those beyond 2^63, with which no storage fits.
[[nodiscard]] std::vector<std::int64_t> c_order(const std::vector<std::int64_t>& shape);
[[nodiscard]] std::vector<std::int64_t> fortran_order(const std::vector<std::int64_t>& shape);

class ValueGraph {
 public:
  // Adds a value. Throws GraphLimit above kMostValues.
  ValueId add(Value value);
  ValueId add_none() { return add({}); }
  ValueId add_bool(bool value) { return add({.kind = ValueKind::kBool, .integer = value ? 1 : 0}); }
  ValueId add_integer(std::int64_t value) { return add({.kind = ValueKind::kInteger, .integer = value}); }
  ValueId add_real(double value) { return add({.kind = ValueKind::kReal, .real = value}); }
  ValueId add_text(ValueKind kind, std::string text) { return add({.kind = kind, .text = std::move(text)}); }
  ValueId add_items(ValueKind kind, std::vector<ValueId> items) {
    return add({.kind = kind, .items = std::move(items)});
  }

  // A string; bytes where the text is not UTF-8.
  ValueId add_string(std::string text);

  // Returns the index of the storage. Requires whole numbers.
  std::int32_t add_storage(Storage storage);

  // Lets a storage view other bytes, as many as before.
  void move_storage(std::int32_t index, std::string_view bytes);

  // Adds a tensor, which has as many strides as lengths. Throws Error{kFormat}, beginning with `what`, for more than 8
  // dimensions, negative lengths, strides or offsets, numbers outside of its storage, and more numbers than that has.
  ValueId add_tensor(TensorValue tensor, const std::string& what);

  // Keeps bytes that storages view for as long as the graph; returns where they are.
  std::string_view keep(std::string bytes);
  std::string_view keep(MappedFile file);

  [[nodiscard]] const Value& operator[](ValueId id) const { return values_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] Value& operator[](ValueId id) { return values_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(values_); }
  [[nodiscard]] bool is(ValueId id, ValueKind kind) const { return id != kNoValue && (*this)[id].kind == kind; }

  // Of a value of that kind.
  [[nodiscard]] const TensorValue& tensor(ValueId id) const { return tensor_at((*this)[id]); }
  [[nodiscard]] const TensorValue& tensor_at(const Value& value) const {
    return tensors_.at(static_cast<std::size_t>(value.integer));
  }
  [[nodiscard]] const Storage& storage_of(const TensorValue& tensor) const {
    return storages_.at(static_cast<std::size_t>(tensor.storage));
  }
  [[nodiscard]] const Storage& storage(std::int32_t index) const {
    return storages_.at(static_cast<std::size_t>(index));
  }

  // The value under a string key of a dict, the last one of several; kNoValue if there is none, or `dict` is no dict.
  // Takes time proportional to the dict.
  [[nodiscard]] ValueId find(ValueId dict, std::string_view key) const;

  // An item of an object; kNoValue if it has none, or `object` is no object.
  [[nodiscard]] ValueId item(ValueId object, ObjectItem item) const;

 private:
  std::deque<Value> values_;
  std::vector<TensorValue> tensors_;
  std::vector<Storage> storages_;
  std::deque<std::string> kept_;
  std::vector<std::unique_ptr<MappedFile>> files_;
};

// Limits of what is held, far above any file of use.
inline constexpr std::int64_t kMostValues = 4'000'000;
inline constexpr std::int64_t kDeepestNesting = 500;

// A value met by walk(), and the way to it from the root: keys and indices joined by dots, each as
// shown_name(). The parts of an object have its path, its arguments "()" below it.
struct WalkedValue {
  ValueId id = kNoValue;
  std::string path = {};
  std::int64_t depth = 0;  // 0: the root
};

// A name from a file as it may be shown: quoted and escaped where it is empty, longer than 80 bytes, or not printable.
[[nodiscard]] std::string shown_name(std::string_view name);

// Calls visit(value) for each value that the root reaches, once, in the order of the file; keys of dicts are not
// visited. Goes below a value unless visit returns false. Throws GraphLimit below kDeepestNesting.
void walk(const ValueGraph& graph, ValueId root, const std::function<bool(const WalkedValue&)>& visit);

// A tensor of at most two dimensions as floats, row by row; a vector is one row.
struct MatrixValue {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<float> numbers = {};
  std::int64_t rounded = 0;  // of them were rounded to f32
};

// The number of a storage at a place below its count, whatever it is.
[[nodiscard]] double number_at(const Storage& storage, std::int64_t place);

// Reads numbers in C order. `name` is what messages call the tensor. Throw Error{kNumeric} for NaN and infinity, also
// for a number that f32 does not hold, where floats are asked for; read_matrix() Error{kFormat} for more dimensions.
[[nodiscard]] std::vector<double> read_numbers(const ValueGraph& graph, const TensorValue& tensor,
                                               const std::string& name);
[[nodiscard]] MatrixValue read_matrix(const ValueGraph& graph, const TensorValue& tensor, const std::string& name);

}  // namespace unroll
