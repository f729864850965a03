#include "checkpoints/npz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/npy_header.h"
#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kArrayEnding = ".npy";
constexpr std::string_view kDescriptionName = "unroll";

std::optional<ElementType> npy_type(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 9> kTypes{{{"f8", ElementType::kF64},
                                                                            {"f4", ElementType::kF32},
                                                                            {"f2", ElementType::kF16},
                                                                            {"i8", ElementType::kI64},
                                                                            {"i4", ElementType::kI32},
                                                                            {"i2", ElementType::kI16},
                                                                            {"i1", ElementType::kI8},
                                                                            {"u1", ElementType::kU8},
                                                                            {"b1", ElementType::kBool}}};
  for (const auto& [name, type] : kTypes) {
    if (name == code) return type;
  }
  return std::nullopt;
}

class NpzReader {
 public:
  explicit NpzReader(ForeignFile& file) : file_(file) {}

  void read(const std::vector<ZipMember>& members) {
    std::vector<ValueId> items;
    for (const ZipMember& member : members) {
      if (!member.name.ends_with(kArrayEnding)) refuse(member.name, "it is not called .npy");
      const std::string name = member.name.substr(0, member.name.size() - kArrayEnding.size());
      const ValueId array = read_array(name, member.bytes);
      if (name == kDescriptionName && is_description(array)) continue;
      const ValueId key = file_.values.add_string(name);
      items.push_back(key);
      items.push_back(array);
    }
    file_.root = file_.values.add_items(ValueKind::kDict, std::move(items));
  }

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("'{}': array {}: {}", file_.path, shown_name(name), why));
  }

  ValueId read_array(const std::string& name, std::string_view bytes) {
    const std::string where = fmt::format("'{}': array {}", file_.path, shown_name(name));
    ByteReader reader(bytes, where);
    if (!bytes.starts_with(kNpyMagic)) refuse(name, "it does not begin as an array does");
    reader.take(kNpyMagic.size());
    const std::uint8_t version = reader.u8();
    reader.u8();
    if (version < 1 || version > 3)
      refuse(name, fmt::format("its format has the version {}: expected 1 to 3", version));
    const std::uint64_t length = version == 1 ? reader.u16() : reader.u32();
    const NpyHeader header = parse_npy_header(reader.take(length), where, ErrorCode::kFormat);
    return add_array(name, header, reader.rest());
  }

  ValueId add_array(const std::string& name, const NpyHeader& header, std::string_view bytes) {
    const std::string& descr = header.descr;
    if (descr.ends_with('O')) {
      refuse(name, "it holds Python objects, and so a pickle: save arrays of numbers, as array.astype('float32')");
    }
    const bool has_order = descr.size() == 3 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
    const std::optional<ElementType> type = has_order ? npy_type(descr.substr(1)) : std::nullopt;
    if (!type) refuse(name, fmt::format("its elements have the type {}: expected numbers", quote(descr)));
    TensorValue tensor{.shape = header.shape};
    tensor.strides = header.fortran_order ? fortran_order(header.shape) : c_order(header.shape);
    tensor.storage =
        file_.values.add_storage({.name = name, .type = *type, .bytes = bytes, .big_endian = descr[0] == '>'});
    if (std::ssize(bytes) % element_size(*type) != 0) refuse(name, "its bytes are no whole numbers");
    const ValueId id = file_.values.add_tensor(tensor, fmt::format("'{}': array {}", file_.path, shown_name(name)));
    if (tensor.size() != std::ssize(bytes) / element_size(*type)) {
      refuse(name, fmt::format("it has {} bytes: expected [{}] of {}", bytes.size(), fmt::join(header.shape, ", "),
                               element_type_name(*type)));
    }
    return id;
  }

  // Sets the description, if that is what the array holds.
  bool is_description(ValueId array) {
    const Storage& storage = file_.values.storage_of(file_.values.tensor(array));
    if (storage.type != ElementType::kU8) return false;
    file_.description = storage.bytes;
    return true;
  }

  ForeignFile& file_;
};

}  // namespace

bool is_npz(const std::vector<ZipMember>& members) {
  return std::ranges::any_of(members, [](const ZipMember& member) { return member.name.ends_with(kArrayEnding); });
}

void read_npz(const std::vector<ZipMember>& members, ForeignFile& file) {
  file.kind = ForeignKind::kNpz;
  file.format = "NumPy arrays (npz)";
  NpzReader(file).read(members);
}

}  // namespace unroll
