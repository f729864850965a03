#include "python/state.h"

#include <pybind11/operators.h>

#include <functional>
#include <optional>

#include "python/bindings.h"
#include "python/numbers.h"
#include "python/text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// (L, H): the numbers themselves, which `owner` keeps, and which nobody may change.
py::object view(const py::object& owner, const std::vector<float>& numbers, std::int64_t layers) {
  if (numbers.empty()) return py::none();
  const auto L = static_cast<py::ssize_t>(layers);
  py::array_t<float> array({L, static_cast<py::ssize_t>(numbers.size()) / L}, numbers.data(), owner);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

SeenState restored(const py::object& saved, const py::object& layers) {
  if (!py::isinstance<py::bytes>(saved)) {
    throw py::type_error("State(): what is saved is " + class_name_of(saved) + ": expected bytes of __reduce__()");
  }
  SeenState seen{State::load(bytes_of(saved, "a saved State")), whole_number(layers, "layers")};
  const auto numbers = static_cast<std::int64_t>(seen.state.h.size());
  if (seen.layers < 1 || numbers % seen.layers != 0) {
    throw Error(ErrorCode::kFormat, "a pickled State has " + std::to_string(numbers) + " numbers for " +
                                        std::to_string(seen.layers) + " layers");
  }
  return seen;
}

py::tuple reduced(const py::object& self) {
  const auto& seen = self.cast<const SeenState&>();
  return py::make_tuple(py::type::of(self), py::make_tuple(py::bytes(seen.state.save()), seen.layers));
}

// Of pickles from before there was a constructor, which name no arguments.
void set_state(const py::object& self, const py::object& saved) {
  if (is_made(self, typeid(SeenState))) {
    throw py::type_error("a State never changes: pickle.loads() makes another one of what is saved");
  }
  if (!py::isinstance<py::tuple>(saved) || py::len(saved) != 2) {
    throw Error(ErrorCode::kFormat, "a pickled State has two parts: its bytes, and L");
  }
  self.attr("__init__")(*py::reinterpret_borrow<py::tuple>(saved));
}

}  // namespace

void bind_state(py::module_& module) {
  py::class_<SeenState> state(
      module, "State",
      "The state of a model between two symbols: the hidden state of every layer, and the symbol that "
      "it reads next. A value that never changes: compare it, use it as a key, pickle it, copy it. "
      "Scorer.initial_state() makes one, Scorer.step() the next.");
  state
      .def_property_readonly(
          "h",
          [](const py::object& self) {
            const auto& seen = self.cast<const SeenState&>();
            return view(self, seen.state.h, seen.layers);
          },
          "The hidden state (L, H) float32, read-only, without a copy.")
      .def_property_readonly(
          "c",
          [](const py::object& self) {
            const auto& seen = self.cast<const SeenState&>();
            return view(self, seen.state.c, seen.layers);
          },
          "The cell state (L, H) float32 of an LSTM, read-only, without a copy; None for other cells.")
      .def_property_readonly(
          "input",
          [](const SeenState& self) { return self.state.input < 0 ? std::nullopt : std::optional(self.state.input); },
          "The id of the symbol that is read next, or None if nothing was read yet.")
      .def(
          "__eq__", [](const SeenState& a, const SeenState& b) { return a.state == b.state; }, py::is_operator())
      .def("__hash__", [](const SeenState& self) { return std::hash<State>{}(self.state); })
      .def("__copy__", [](const SeenState& self) { return self; })
      .def(
          "__deepcopy__", [](const SeenState& self, const py::dict&) { return self; }, py::arg("memo"))
      .def(
          "copy", [](const SeenState& self) { return self; }, "A State of its own that is equal.")
      .def(py::init(&restored), py::arg("saved"), py::arg("layers"),
           "The State of which __reduce__() told these arguments.")
      .def("__reduce__", &reduced, "How pickle and copy make it again.");
  // Under this name def() would make a constructor, which does nothing to a State that lives.
  state.attr("__setstate__") = py::cpp_function(&set_state, py::name("set_state"), py::is_method(state));
}

}  // namespace unroll
