// Writes files of NumPy, Torch 7, TensorFlow and ml5 piece by piece, as a test wants them: also wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/pickle_writer.h"

namespace unroll {

struct NamedArray {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
};

// ---- NumPy

inline std::string npy_of(const std::string& header, const std::string& elements) {
  return std::string("\x93NUMPY\x01\0", 8) + number_bytes(static_cast<std::uint16_t>(header.size())) + header +
         elements;
}

inline std::string npz_of(const std::vector<NamedArray>& arrays) {
  std::vector<ZipPart> parts;
  for (const NamedArray& array : arrays) {
    std::string shape;
    for (const std::int64_t length : array.shape) shape += std::to_string(length) + ",";
    parts.push_back(
        {array.name + ".npy",
         npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }\n", float_bytes(array.numbers))});
  }
  return zip_of(parts);
}

// ---- Torch 7

namespace torch7 {

inline std::string whole(std::int32_t value) { return number_bytes(value); }
inline std::string text(std::string_view value) {
  return whole(static_cast<std::int32_t>(value.size())) + std::string(value);
}
inline std::string number(double value) { return whole(1) + number_bytes(value); }
inline std::string string(std::string_view value) { return whole(2) + text(value); }
inline std::string nil() { return whole(0); }
// A value that is there already.
inline std::string reference(std::int32_t kind, std::int32_t index) { return whole(kind) + whole(index); }
inline std::string table(std::int32_t index, const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string bytes = whole(3) + whole(index) + whole(static_cast<std::int32_t>(entries.size()));
  for (const auto& [key, value] : entries) bytes += key + value;
  return bytes;
}
inline std::string object(std::int32_t index, std::string_view name, const std::string& content) {
  return whole(4) + whole(index) + text("V 1") + text(name) + content;
}
inline std::string storage(std::int32_t index, const std::vector<float>& numbers, std::string_view type = "Float") {
  return object(index, "torch." + std::string(type) + "Storage",
                number_bytes(static_cast<std::int64_t>(numbers.size())) + float_bytes(numbers));
}
// A view from the place `first` on, counted from 1, in C order.
inline std::string tensor(std::int32_t index, const std::vector<std::int64_t>& shape, std::int64_t first,
                          const std::string& held, std::string_view type = "Float") {
  std::string lengths;
  std::string strides;
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides.insert(0, number_bytes(stride));
    stride *= shape[d];
  }
  for (const std::int64_t length : shape) lengths += number_bytes(length);
  return object(index, "torch." + std::string(type) + "Tensor",
                whole(static_cast<std::int32_t>(shape.size())) + lengths + strides + number_bytes(first) + held);
}

}  // namespace torch7

// ---- TensorFlow

namespace bundle {

inline std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

// CRC-32C bit by bit, masked.
inline std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

// A block of entries that share nothing, with its compression and its checksum.
inline std::string block(const std::vector<std::pair<std::string, std::string>>& entries, char compression = 0) {
  std::string bytes;
  for (const auto& [key, value] : entries) {
    bytes += varint(0) + varint(key.size()) + varint(value.size()) + key + value;
  }
  bytes += number_bytes(std::uint32_t{0}) + number_bytes(std::uint32_t{1});
  const std::string sealed = bytes + compression;
  return sealed + number_bytes(checksum(sealed));
}

// The index with one block of entries, sealed as block() does.
inline std::string index_around(const std::string& data) {
  constexpr std::size_t kTrailer = 5;
  const std::string empty = block({});
  const std::string handle = varint(0) + varint(data.size() - kTrailer);
  const std::string blocks = block({{"z", handle}});
  std::string footer = varint(data.size()) + varint(empty.size() - kTrailer) + varint(data.size() + empty.size()) +
                       varint(blocks.size() - kTrailer);
  footer.resize(40, '\0');
  return data + empty + blocks + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

// The index of these entries, whose keys are in order.
inline std::string index(const std::vector<std::pair<std::string, std::string>>& entries, char compression = 0) {
  return index_around(block(entries, compression));
}

inline std::string header(std::uint64_t shards = 1) { return "\x08" + varint(shards); }

inline std::string entry(const std::vector<std::int64_t>& shape, std::uint64_t at, std::string_view bytes) {
  std::string lengths;
  for (const std::int64_t length : shape) {
    const std::string dimension = "\x08" + varint(static_cast<std::uint64_t>(length));
    lengths += "\x12" + varint(dimension.size()) + dimension;
  }
  return "\x08\x01\x12" + varint(lengths.size()) + lengths + "\x20" + varint(at) + "\x28" + varint(bytes.size()) +
         "\x35" + number_bytes(checksum(bytes));
}

}  // namespace bundle

}  // namespace unroll
