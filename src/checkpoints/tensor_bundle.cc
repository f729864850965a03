#include "checkpoints/tensor_bundle.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kTableMagic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
constexpr std::size_t kFooterBytes = 48;
constexpr std::string_view kIndexEnding = ".index";
constexpr std::string_view kBundleNumbers = ".data-00000-of-00001";

// CRC-32C (Castagnoli), and as it is stored: rotated, with a constant added.
constexpr auto kCrcTable = [] {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    table[byte] = remainder;
  }
  return table;
}();

std::uint32_t masked_crc(std::string_view bytes, std::string_view more = {}) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::string_view part : {bytes, more}) {
    for (const char byte : part) crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ crc >> 8;
  }
  crc = ~crc;
  constexpr std::uint32_t kMask = 0xA282EAD8;
  return (crc >> 15 | crc << 17) + kMask;
}

std::uint64_t varint(ByteReader& reader) {
  std::uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = reader.u8();
    number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  reader.refuse("a number has more than 10 bytes");
}

struct BlockHandle {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
};

BlockHandle block_handle(ByteReader& reader) {
  const std::uint64_t at = varint(reader);
  return {.at = at, .size = varint(reader)};
}

struct TableEntry {
  std::string key;
  std::string_view value;
};

// A block: entries whose keys share prefixes, restarts, and after it its compression and checksum.
std::vector<TableEntry> read_block(std::string_view table, BlockHandle handle, const std::string& name) {
  ByteReader file(table, name);
  file.seek(handle.at);
  const std::string_view block = file.take(handle.size);
  const std::string_view type = file.take(1);
  if (type[0] != 0) file.refuse("a block of the index is compressed (snappy), which is not read: save it again");
  if (file.u32() != masked_crc(block, type))
    file.refuse("a block of the index is damaged: its checksum is another one");

  ByteReader end(block, name);
  if (block.size() < 4) end.refuse("a block of the index is too short");
  end.seek(block.size() - 4);
  const std::uint64_t restarts = std::uint64_t{end.u32()} * 4 + 4;
  if (restarts > block.size()) end.refuse("a block of the index has more restarts than bytes");
  ByteReader reader(block.substr(0, block.size() - restarts), name);
  std::vector<TableEntry> entries;
  std::string key;
  while (reader.left() > 0) {
    const std::uint64_t shared = varint(reader);
    const std::uint64_t own = varint(reader);
    const std::uint64_t size = varint(reader);
    if (shared > key.size()) reader.refuse("a name of the index shares more than the one before has");
    key.resize(shared);
    key += reader.take(own);
    if (!entries.empty() && key <= entries.back().key) reader.refuse("names of the index are not in their order");
    entries.push_back({.key = key, .value = reader.take(size)});
  }
  return entries;
}

// All entries of a table, in order.
std::vector<TableEntry> read_table(std::string_view table, const std::string& name) {
  ByteReader footer(table, name);
  if (table.size() < kFooterBytes || !table.ends_with(kTableMagic)) footer.refuse("it is no index of TensorFlow");
  footer.seek(table.size() - kFooterBytes);
  block_handle(footer);  // of what TensorFlow leaves empty
  const BlockHandle index = block_handle(footer);
  std::vector<TableEntry> all;
  for (const TableEntry& block : read_block(table, index, name)) {
    ByteReader handle(block.value, name);
    for (TableEntry& entry : read_block(table, block_handle(handle), name)) {
      if (!all.empty() && entry.key <= all.back().key) footer.refuse("names of the index are not in their order");
      all.push_back(std::move(entry));
    }
  }
  return all;
}

// Calls field(number, whole, bytes) for each field of a message: a number, or bytes.
template <class OnField>
void read_message(std::string_view message, const std::string& name, const OnField& on_field) {
  ByteReader reader(message, name);
  while (reader.left() > 0) {
    const std::uint64_t tag = varint(reader);
    switch (tag & 7) {
      case 0:
        on_field(tag >> 3, varint(reader), std::string_view());
        break;
      case 1:
        on_field(tag >> 3, reader.u64(), std::string_view());
        break;
      case 2: {
        const std::uint64_t size = varint(reader);
        on_field(tag >> 3, 0, reader.take(size));
        break;
      }
      case 5:
        on_field(tag >> 3, reader.u32(), std::string_view());
        break;
      default:
        reader.refuse("a field of the index is of an unknown kind");
    }
  }
}

// BundleEntryProto
struct BundleEntry {
  std::uint64_t type = 0;
  std::vector<std::int64_t> shape;
  std::uint64_t shard = 0;
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  std::uint64_t checksum = 0;
  bool has_slices = false;
};

std::optional<ElementType> bundle_type(std::uint64_t type) {
  constexpr std::array<std::pair<std::uint64_t, ElementType>, 10> kTypes{{{1, ElementType::kF32},
                                                                          {2, ElementType::kF64},
                                                                          {3, ElementType::kI32},
                                                                          {4, ElementType::kU8},
                                                                          {5, ElementType::kI16},
                                                                          {6, ElementType::kI8},
                                                                          {9, ElementType::kI64},
                                                                          {10, ElementType::kBool},
                                                                          {14, ElementType::kBf16},
                                                                          {19, ElementType::kF16}}};
  for (const auto& [number, known] : kTypes) {
    if (number == type) return known;
  }
  return std::nullopt;
}

class BundleReader {
 public:
  BundleReader(std::string_view index, ForeignFile& file)
      : index_(index), file_(file), name_(fmt::format("'{}'", file.path)) {}

  void read() {
    if (!file_.path.ends_with(kIndexEnding)) refuse("an index of TensorFlow is called PREFIX.index");
    const std::vector<TableEntry> entries = read_table(index_, name_);
    if (entries.empty() || !entries.front().key.empty()) refuse("the index has no header");
    check_header(entries.front().value);
    const std::string prefix = file_.path.substr(0, file_.path.size() - kIndexEnding.size());
    numbers_ = read_part(file_, prefix + std::string(kBundleNumbers));
    std::vector<ValueId> items;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const ValueId key = file_.values.add_string(entries[i].key);
      const ValueId tensor = read_tensor(entries[i]);
      if (tensor == kNoValue) continue;
      items.push_back(key);
      items.push_back(tensor);
    }
    file_.root = file_.values.add_items(ValueKind::kDict, std::move(items));
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("{}: {}", name_, why));
  }

  void check_header(std::string_view header) const {
    std::uint64_t shards = 0;
    std::uint64_t endianness = 0;
    read_message(header, name_, [&](std::uint64_t field, std::uint64_t number, std::string_view /*bytes*/) {
      if (field == 1) shards = number;
      if (field == 2) endianness = number;
    });
    if (shards != 1) refuse(fmt::format("the numbers are in {} files: expected one", shards));
    if (endianness != 0) refuse("the numbers are big-endian");
  }

  [[nodiscard]] BundleEntry parse_entry(std::string_view message) const {
    BundleEntry entry;
    read_message(message, name_, [&](std::uint64_t field, std::uint64_t number, std::string_view bytes) {
      if (field == 1) entry.type = number;
      if (field == 2) entry.shape = parse_shape(bytes);
      if (field == 3) entry.shard = number;
      if (field == 4) entry.at = number;
      if (field == 5) entry.size = number;
      if (field == 6) entry.checksum = number;
      if (field == 7) entry.has_slices = true;
    });
    return entry;
  }

  [[nodiscard]] std::vector<std::int64_t> parse_shape(std::string_view message) const {
    std::vector<std::int64_t> shape;
    read_message(message, name_, [&](std::uint64_t field, std::uint64_t /*number*/, std::string_view dimension) {
      if (field != 2) return;
      shape.push_back(0);
      read_message(dimension, name_, [&](std::uint64_t part, std::uint64_t length, std::string_view /*bytes*/) {
        if (part == 1) shape.back() = static_cast<std::int64_t>(length);
      });
    });
    return shape;
  }

  // kNoValue for what are no numbers.
  ValueId read_tensor(const TableEntry& named) {
    const std::string what = fmt::format("{}: tensor {}", name_, shown_name(named.key));
    const BundleEntry entry = parse_entry(named.value);
    const auto fail = [&](std::string_view why) { throw Error(ErrorCode::kFormat, fmt::format("{}: {}", what, why)); };
    const std::optional<ElementType> type = bundle_type(entry.type);
    if (!type) {
      file_.notes.push_back(fmt::format("not read: {}, whose elements are no numbers", shown_name(named.key)));
      return kNoValue;
    }
    if (entry.has_slices) fail("it is stored in slices, which are not read");
    if (entry.shard != 0) fail("it is in another file than the first");
    if (entry.at > numbers_.size() || entry.size > numbers_.size() - entry.at) {
      fail(fmt::format("its bytes {} to {} are not within its file of {}", entry.at, entry.size, numbers_.size()));
    }
    const std::string_view bytes = numbers_.substr(entry.at, entry.size);
    if (masked_crc(bytes) != entry.checksum) fail("it is damaged: its checksum is another one");
    if (std::ssize(bytes) % element_size(*type) != 0) fail("its bytes are no whole numbers");
    TensorValue tensor{.shape = entry.shape, .strides = c_order(entry.shape)};
    tensor.storage = file_.values.add_storage({.name = named.key, .type = *type, .bytes = bytes});
    const ValueId id = file_.values.add_tensor(tensor, what);
    if (tensor.size() != std::ssize(bytes) / element_size(*type)) fail("its shape does not fit its bytes");
    return id;
  }

  std::string_view index_;
  ForeignFile& file_;
  std::string name_;
  std::string_view numbers_;
};

}  // namespace

bool is_bundle_index(std::string_view bytes) noexcept {
  return bytes.size() >= kFooterBytes && bytes.ends_with(kTableMagic);
}

void read_bundle(std::string_view index, ForeignFile& file) {
  file.kind = ForeignKind::kTensorFlow;
  file.format = "TensorFlow (V2 checkpoint)";
  BundleReader(index, file).read();
}

}  // namespace unroll
