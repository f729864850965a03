// Objects of Python that hold named values (python/unroll/results.py).
#pragma once

#include <pybind11/pybind11.h>

namespace unroll {

// An instance of unroll.results.CLASS with these attributes.
inline pybind11::object result_of(const char* class_name, const pybind11::dict& values) {
  return pybind11::module_::import("unroll.results").attr(class_name)(**values);
}

}  // namespace unroll
