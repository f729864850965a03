#include "python/bound.h"

namespace unroll {
namespace {

// Null where `object` is no instance of the class.
py::detail::instance* instance_of(py::handle object, const py::detail::type_info* type) {
  if (type == nullptr || !object || PyObject_TypeCheck(object.ptr(), type->type) == 0) return nullptr;
  return reinterpret_cast<py::detail::instance*>(object.ptr());
}

}  // namespace

bool is_made(py::handle object, const std::type_info& type) {
  const py::detail::type_info* const info = py::detail::get_type_info(type);
  py::detail::instance* const instance = instance_of(object, info);
  return instance != nullptr && instance->get_value_and_holder(info).value_ptr() != nullptr;
}

void expect_made(py::handle object, const std::type_info& type) {
  if (instance_of(object, py::detail::get_type_info(type)) == nullptr || is_made(object, type)) return;
  const std::string name = class_name_of(object);
  throw py::type_error("this " + name + " holds nothing: it was made by " + name +
                       ".__new__() alone, without its constructor");
}

const Model& model_of(py::handle object, const std::string& function) {
  return bound<Model>(object, function + "(): the model", "a Model, which Model.open(path) returns");
}

}  // namespace unroll
