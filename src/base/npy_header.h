// The text of an .npy header: a dictionary as Python writes it.
//
// Source: the NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays", and numpy/lib/format.py's
// description of versions 2 and 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/error.h"

namespace unroll {

// What a file begins with, before its version (2 bytes) and the length of the header (2 bytes in version 1, then 4).
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

struct NpyHeader {
  std::string descr;           // the type of elements, unchecked: "<f4"
  bool fortran_order = false;  // the first index is fastest
  std::vector<std::int64_t> shape;
};

// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Messages begin with `where`. Throws Error{code}
// for anything else, records of several numbers included.
[[nodiscard]] NpyHeader parse_npy_header(std::string_view text, const std::string& where, ErrorCode code);

}  // namespace unroll
