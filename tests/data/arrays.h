// Files of arrays for tests, as NumPy and MNIST's authors write them.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace unroll {

// The bytes of a number, the least significant first or last.
template <class T>
std::string bytes_of_number(T value, bool big_endian = false) {
  std::uint64_t bits = 0;
  if constexpr (std::same_as<T, float>) {
    bits = std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::same_as<T, double>) {
    bits = std::bit_cast<std::uint64_t>(value);
  } else {
    bits = static_cast<std::uint64_t>(value);
  }
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const std::size_t at = big_endian ? sizeof(T) - 1 - i : i;
    bytes += static_cast<char>(bits >> (8 * at));
  }
  return bytes;
}

// A .npy file with this header and these bytes of elements.
inline std::string npy_with_header(const std::string& header, const std::string& elements, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  file += version == 1 ? bytes_of_number(static_cast<std::uint16_t>(header.size()))
                       : bytes_of_number(static_cast<std::uint32_t>(header.size()));
  return file + header + elements;
}

// A .npy file of an array, whose elements come in the order in which they are stored.
template <class T>
std::string npy_of(const std::string& type, const std::string& shape, const std::vector<T>& values,
                   bool fortran = false) {
  std::string elements;
  for (const T& value : values) elements += bytes_of_number(value, type[0] == '>');
  return npy_with_header("{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") +
                             ", 'shape': " + shape + ", }          \n",
                         elements);
}

// An IDX file.
template <class T>
std::string idx_of(unsigned char type, const std::vector<std::uint32_t>& shape, const std::vector<T>& values) {
  std::string file{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) file += bytes_of_number(extent, true);
  for (const T& value : values) file += bytes_of_number(value, true);
  return file;
}

}  // namespace unroll
