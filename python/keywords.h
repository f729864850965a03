// Keyword arguments of a call, taken one by one.
#pragma once

#include <pybind11/pybind11.h>

#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "python/text.h"
#include "unroll/adapt/adaptation.h"
#include "unroll/error.h"
#include "unroll/ngram/ngram.h"
#include "unroll/score/accounting.h"

namespace unroll {

// What a caller gave by name. An argument that is None counts as not given.
class Keywords {
 public:
  Keywords(std::string function, const py::kwargs& given)
      : function_(std::move(function)), left_(py::reinterpret_steal<py::dict>(PyDict_Copy(given.ptr()))) {}

  // Takes an argument. Throws TypeError that names it if it is of another type, and Error{kUsage} for a whole number
  // that a Value does not hold.
  template <class Value>
  [[nodiscard]] std::optional<Value> take(const char* name) {
    const py::object value = take_object(name);
    if (value.is_none()) return std::nullopt;
    if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) expect_whole<Value>(name, value);
    try {
      return value.cast<Value>();
    } catch (const py::cast_error&) {
      refuse_class(name, value);
    }
  }

  // Sets `target` to an argument that was given.
  template <class Value>
  void take(const char* name, Value& target) {
    if (const std::optional<Value> value = take<Value>(name)) target = *value;
  }

  // The same for a value that has names. `parse` throws Error{kUsage}, which gets the argument as its field.
  template <class Value, class Parse>
  void take_name(const char* name, Value& target, const Parse& parse) {
    if (const std::optional<std::string> text = take<std::string>(name)) target = parsed(name, *text, parse);
  }

  // The same for a text, which may be bytes, and for a path.
  void take_text(const char* name, std::string& target);
  void take_path(const char* name, std::string& target);

  // None if it was not given.
  [[nodiscard]] py::object take_object(const char* name);

  // Throws TypeError for the first argument that nobody took.
  void expect_none_left() const;

 private:
  // Beyond int64 a number converts where Value holds it, else not.
  template <class Value>
  void expect_whole(const char* name, const py::object& value) const {
    if (PyIndex_Check(value.ptr()) == 0) refuse_class(name, value);
    try {
      static_cast<void>(value.cast<Value>());
    } catch (const py::cast_error&) {
      throw Error(ErrorCode::kUsage,
                  std::string("`") + name + "` is " + std::string(py::str(value)) + ": expected " +
                      std::to_string(std::numeric_limits<Value>::min()) + " to " +
                      std::to_string(std::numeric_limits<Value>::max()),
                  name);
    }
  }

  [[noreturn]] void refuse_class(const char* name, const py::object& value) const {
    throw py::type_error(function_ + "(): the argument '" + name + "' cannot be " + class_name_of(value));
  }

  template <class Parse>
  static auto parsed(const char* name, const std::string& text, const Parse& parse) {
    try {
      return parse(text);
    } catch (const Error& error) {
      throw Error(error.code(), error.what(), name);
    }
  }

  std::string function_;
  py::dict left_;
};

// Groups of arguments that several functions have. Each throws Error{kUsage} for a setting of what is not turned on.
[[nodiscard]] Accounting take_accounting(Keywords& keywords);  // all but context and state
[[nodiscard]] Adaptation take_adaptation(Keywords& keywords);
[[nodiscard]] std::optional<NgramMix> take_ngram(Keywords& keywords);

}  // namespace unroll
