// The parts of the module, each with its classes and functions.
#pragma once

#include <pybind11/pybind11.h>

namespace unroll {

void bind_model(pybind11::module_& module);
void bind_tokenizer(pybind11::module_& module);
void bind_state(pybind11::module_& module);
void bind_scorer(pybind11::module_& module);
void bind_generator(pybind11::module_& module);
void bind_labels(pybind11::module_& module);
void bind_evaluate(pybind11::module_& module);
void bind_import(pybind11::module_& module);
void bind_train(pybind11::module_& module);

}  // namespace unroll
