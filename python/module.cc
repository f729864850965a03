// unroll._core: what the package `unroll` is made of.
#include "python/bindings.h"
#include "python/errors.h"
#include "python/text.h"
#include "unroll/text.h"
#include "unroll/version.h"

namespace unroll {
namespace {

py::str read_text_of(const py::object& paths) {
  const std::vector<std::string> all = one_or_more_paths(paths);
  std::string text;
  {
    const py::gil_scoped_release unlocked;
    text = read_texts(all);
  }
  return str_of(text);
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of unroll.";
  bind_errors(module);
  bind_tokenizer(module);
  bind_model(module);
  bind_state(module);
  bind_scorer(module);
  bind_generator(module);
  bind_labels(module);
  bind_evaluate(module);
  bind_train(module);
  bind_import(module);
  module.def("version", &version, "The version of the library: \"0.1.0\".");
  module.def("instruction_set", &instruction_set,
             "The instruction set that the kernels use on this processor: \"AVX3, bf16, int8\".");
  module.def("read_text", &read_text_of, py::arg("paths"),
             "The text of a file, or of several one after another, as the command reads it: .gz is unpacked, a "
             "byte-order mark dropped, and a newline put between files where it is missing.");
}

}  // namespace unroll
