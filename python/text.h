// Text, paths and arrays between Python and the library.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {

namespace py = pybind11;

// The name of its class, "str".
[[nodiscard]] std::string class_name_of(py::handle object);

// Whether this is one text: a str or bytes.
[[nodiscard]] bool is_text(py::handle object);

// The bytes of a str, as UTF-8, or of bytes. Bytes that Python keeps within a str as lone surrogates
// ("surrogateescape") come out as themselves. Throws TypeError that calls the object `what`, and Error{kInput} for
// other lone surrogates.
[[nodiscard]] std::string bytes_of(py::handle object, const std::string& what);

// The same for each of an iterable: a list, a column of a data frame, an array, a generator. Errors have the index.
[[nodiscard]] std::vector<std::string> texts_of(py::handle objects, const std::string& what);

// One text, or each of an iterable.
[[nodiscard]] std::vector<std::string> one_or_more_texts(py::handle objects, const std::string& what);

// A str of UTF-8, in which bytes that are none stand as lone surrogates, as os.fsdecode() does.
[[nodiscard]] py::str str_of(std::string_view text);

[[nodiscard]] py::list list_of(const std::vector<std::string>& texts);

// A path from a str, bytes or os.PathLike.
[[nodiscard]] std::string path_of(py::handle path);

// One path, or each of an iterable.
[[nodiscard]] std::vector<std::string> one_or_more_paths(py::handle paths);

// An array that takes over the numbers, without a copy. `shape` is (size) if it is empty.
template <class Number>
py::array_t<Number> array_of(std::vector<Number>&& numbers, std::vector<py::ssize_t> shape = {}) {
  auto kept = std::make_unique<std::vector<Number>>(std::move(numbers));
  if (shape.empty()) shape.push_back(static_cast<py::ssize_t>(kept->size()));
  const py::capsule owner(kept.get(), [](void* vector) { delete static_cast<std::vector<Number>*>(vector); });
  const std::vector<Number>* const data = kept.release();
  return py::array_t<Number>(std::move(shape), data->data(), owner);
}

}  // namespace unroll
