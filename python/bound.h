// Classes of the module: one object of Python holds one of C++.
//
// An object that Python allocated and nobody constructed (Model.__new__(Model), a damaged pickle) holds nothing. Each
// use of one as an argument, `self` included, throws TypeError.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <typeinfo>

#include "python/text.h"
#include "unroll/model.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Whether T is a class of the module: true of all of them, before they are first converted.
template <class T>
inline constexpr bool kIsBound = false;
template <>
inline constexpr bool kIsBound<Model> = true;
template <>
inline constexpr bool kIsBound<Tokenizer> = true;

// Whether `object` is an instance of a class of the module, and holds one of C++.
[[nodiscard]] bool is_made(py::handle object, const std::type_info& type);

// Throws TypeError for an instance of the class that holds nothing. Anything else passes.
void expect_made(py::handle object, const std::type_info& type);

// The T that an argument holds. Throws TypeError that calls the argument `what` ("Scorer(): the model") and says what
// is expected ("a Model, as Model.open() returns").
template <class T>
[[nodiscard]] T& bound(py::handle object, const std::string& what, const std::string& expected) {
  if (!py::isinstance<T>(object)) {
    throw py::type_error(what + " is " + class_name_of(object) + ": expected " + expected);
  }
  return object.cast<T&>();
}

// The argument `model` of a call.
[[nodiscard]] const Model& model_of(py::handle object, const std::string& function);

// Makes a class whose objects are neither pickled nor copied: `instead` says what to do.
//
// __reduce__ alone: every protocol of pickle and copy.copy() ask it, and a class of Python that is derived may give its
// own.
template <class T>
[[nodiscard]] py::class_<T> bind_class(py::module_& module, const char* name, const char* text, const char* instead) {
  static_assert(kIsBound<T>);
  py::class_<T> bound(module, name, text);
  bound.def(
      "__reduce__",
      [message = "a " + std::string(name) + " cannot be pickled or copied: " + instead](
          const py::object&) -> py::tuple { throw py::type_error(message); },
      "Raises TypeError.");
  return bound;
}

}  // namespace unroll

namespace pybind11::detail {

template <class T>
class type_caster<T, enable_if_t<unroll::kIsBound<T>>> : public type_caster_base<T> {
 public:
  bool load(handle source, bool convert) {
    unroll::expect_made(source, typeid(T));
    return type_caster_base<T>::load(source, convert);
  }
};

}  // namespace pybind11::detail
