#include "python/text.h"

#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_type(py::handle object, const std::string& what) {
  throw py::type_error(what + " is " + class_name_of(object) + ": expected str or bytes");
}

std::string encoded(py::handle text, const std::string& what) {
  Py_ssize_t size = 0;
  if (const char* const utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) {
    return {utf8, static_cast<std::size_t>(size)};
  }
  PyErr_Clear();
  const auto bytes =
      py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape"));
  if (!bytes) {
    PyErr_Clear();
    throw Error(ErrorCode::kInput, what + " has a lone surrogate, which stands for no character and no byte");
  }
  return std::string(bytes);
}

// Of one of several texts, or of one alone.
std::string bytes_at(py::handle text, const std::string& what, std::size_t index) {
  try {
    return bytes_of(text, what + " " + std::to_string(index + 1));
  } catch (const Error& error) {
    throw error.at(static_cast<std::int64_t>(index));
  }
}

py::object iterator_of(py::handle objects, const std::string& what) {
  auto iterator = py::reinterpret_steal<py::object>(PyObject_GetIter(objects.ptr()));
  if (!iterator) {
    PyErr_Clear();
    throw py::type_error(what + "s: expected a str, or an iterable of str");
  }
  return iterator;
}

}  // namespace

std::string class_name_of(py::handle object) {
  return std::string(py::str(py::type::handle_of(object).attr("__name__")));
}

bool is_text(py::handle object) { return PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr()); }

std::string bytes_of(py::handle object, const std::string& what) {
  if (PyUnicode_Check(object.ptr())) return encoded(object, what);
  if (!PyBytes_Check(object.ptr())) refuse_type(object, what);
  return {PyBytes_AS_STRING(object.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(object.ptr()))};
}

std::vector<std::string> texts_of(py::handle objects, const std::string& what) {
  std::vector<std::string> texts;
  const py::object iterator = iterator_of(objects, what);
  while (const auto item = py::reinterpret_steal<py::object>(PyIter_Next(iterator.ptr()))) {
    const std::size_t index = texts.size();
    // The place is put into words where it is needed alone: lines come by the million.
    if (PyUnicode_Check(item.ptr())) {
      Py_ssize_t size = 0;
      if (const char* const utf8 = PyUnicode_AsUTF8AndSize(item.ptr(), &size)) {
        texts.emplace_back(utf8, static_cast<std::size_t>(size));
        continue;
      }
      PyErr_Clear();
    }
    texts.push_back(bytes_at(item, what, index));
  }
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return texts;
}

std::vector<std::string> one_or_more_texts(py::handle objects, const std::string& what) {
  if (is_text(objects)) return {bytes_at(objects, what, 0)};
  return texts_of(objects, what);
}

py::str str_of(std::string_view text) {
  PyObject* const decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

py::list list_of(const std::vector<std::string>& texts) {
  py::list list(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) list[i] = str_of(texts[i]);
  return list;
}

std::string path_of(py::handle path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), static_cast<void*>(&bytes)) == 0) throw py::error_already_set();
  return std::string(py::reinterpret_steal<py::bytes>(bytes));
}

std::vector<std::string> one_or_more_paths(py::handle paths) {
  if (is_text(paths) || py::hasattr(paths, "__fspath__")) return {path_of(paths)};
  std::vector<std::string> all;
  for (const py::handle path : py::reinterpret_borrow<py::iterable>(paths)) all.push_back(path_of(path));
  return all;
}

}  // namespace unroll
