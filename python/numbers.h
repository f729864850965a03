// Whole numbers from Python: an int, or what counts as one (an integer of NumPy). Never a float that would be rounded,
// nor a bool, which is a mask or a mistake.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll {

namespace py = pybind11;

// The argument `name`. Throws TypeError for another type, and Error{kUsage} with the argument as its field for a number
// that 64 bits do not hold.
[[nodiscard]] std::int64_t whole_number(py::handle object, const std::string& name);

// The id of one of V symbols. Throws TypeError for another type, Error{kUsage} for a number that is no id.
[[nodiscard]] std::int32_t id_of(py::handle object, std::int64_t V);

// Ids (T,): an array of one dimension, or an iterable. Throws TypeError, and Error{kInput} with the index.
[[nodiscard]] std::vector<std::int32_t> ids_of(py::handle objects, std::int64_t V);

}  // namespace unroll
