#include "python/numbers.h"

#include <pybind11/numpy.h>

#include <optional>

#include "python/text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Of Python, or of NumPy, some versions of which take their own for indices.
bool is_bool(py::handle object) {
  if (PyLong_CheckExact(object.ptr())) return false;
  return PyBool_Check(object.ptr()) || class_name_of(object).starts_with("bool");
}

// Throws TypeError where it is no whole number; returns null where 64 bits do not hold it.
std::optional<std::int64_t> number_of(py::handle object, const std::string& what) {
  const auto refuse = [&] {
    throw py::type_error(what + " is " + class_name_of(object) + ": expected a whole number");
  };
  if (is_bool(object) || PyIndex_Check(object.ptr()) == 0) refuse();
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!number) {
    PyErr_Clear();
    refuse();
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0) return std::nullopt;
  return value;
}

Error no_symbol(ErrorCode code, const std::string& id, std::int64_t V) {
  return {code, "symbol " + id + " does not exist: expected 0 to " + std::to_string(V - 1)};
}

// Of an array of integers that 64 bits hold.
std::vector<std::int32_t> ids_of_array(const py::array& array, std::int64_t V) {
  const auto numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(array);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(numbers.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int64_t id = numbers.data()[i];
    if (id < 0 || id >= V) throw no_symbol(ErrorCode::kInput, std::to_string(id), V).at(static_cast<std::int64_t>(i));
    ids[i] = static_cast<std::int32_t>(id);
  }
  return ids;
}

}  // namespace

std::int64_t whole_number(py::handle object, const std::string& name) {
  const std::optional<std::int64_t> number = number_of(object, "the argument '" + name + "'");
  if (number) return *number;
  throw Error(ErrorCode::kUsage,
              "`" + name + "` is " + std::string(py::str(object)) + ": expected a number between -2^63 and 2^63", name);
}

std::int32_t id_of(py::handle object, std::int64_t V) {
  const std::optional<std::int64_t> id = number_of(object, "the id of a symbol");
  if (!id || *id < 0 || *id >= V) throw no_symbol(ErrorCode::kUsage, std::string(py::str(object)), V);
  return static_cast<std::int32_t>(*id);
}

std::vector<std::int32_t> ids_of(py::handle objects, std::int64_t V) {
  if (py::isinstance<py::array>(objects)) {
    const auto array = py::reinterpret_borrow<py::array>(objects);
    if (array.ndim() != 1) {
      throw py::type_error("the ids have " + std::to_string(array.ndim()) + " dimensions: expected one");
    }
    const char kind = array.dtype().kind();
    if (array.size() == 0) return {};
    if (kind == 'i' || (kind == 'u' && array.itemsize() < 8)) return ids_of_array(array, V);
    if (kind != 'u' && kind != 'O') {
      throw py::type_error("the ids are an array of " + std::string(py::str(array.dtype())) +
                           ": expected whole numbers");
    }
  }
  const auto iterator = py::reinterpret_steal<py::object>(is_text(objects) ? nullptr : PyObject_GetIter(objects.ptr()));
  if (!iterator) {
    PyErr_Clear();
    throw py::type_error("the ids are " + class_name_of(objects) + ": expected an array or a list of whole numbers");
  }
  std::vector<std::int32_t> ids;
  while (const auto item = py::reinterpret_steal<py::object>(PyIter_Next(iterator.ptr()))) {
    const std::int64_t index = std::ssize(ids);
    const std::optional<std::int64_t> id = number_of(item, "id " + std::to_string(index));
    if (!id || *id < 0 || *id >= V) throw no_symbol(ErrorCode::kInput, std::string(py::str(item)), V).at(index);
    ids.push_back(static_cast<std::int32_t>(*id));
  }
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return ids;
}

}  // namespace unroll
