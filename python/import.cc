#include "unroll/import.h"

#include <filesystem>
#include <system_error>

#include "python/bindings.h"
#include "python/errors.h"
#include "python/keywords.h"
#include "python/results.h"
#include "python/text.h"
#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

struct ImportArguments {
  ImportOptions options;
  std::string save;  // empty: nowhere
};

ImportArguments import_arguments(const py::kwargs& given) {
  Keywords keywords("import_model", given);
  ImportArguments arguments;
  keywords.take_path("save", arguments.save);
  const bool may_replace = keywords.take<bool>("overwrite").value_or(false);
  keywords.take_path("vocab", arguments.options.vocab);
  const py::object texts = keywords.take_object("texts");
  if (!texts.is_none()) arguments.options.texts = one_or_more_paths(texts);
  keywords.take_name("tokenizer", arguments.options.tokenizer, parse_tokenizer_kind);
  keywords.take_name("begin", arguments.options.begin, parse_begin_policy);
  keywords.expect_none_left();
  if (arguments.save.empty()) return arguments;
  std::error_code ignored;
  if (!may_replace && std::filesystem::exists(arguments.save, ignored)) {
    throw Error(ErrorCode::kUsage, "'" + arguments.save + "' exists: `overwrite` replaces it", "save");
  }
  expect_writable(arguments.save);
  return arguments;
}

py::dict dict_of(const ImportedModel& imported) {
  py::dict tensors;
  for (const ImportedTensor& tensor : imported.tensors) tensors[str_of(tensor.name)] = str_of(tensor.source);
  py::list notes;
  for (const std::string& note : imported.notes) notes.append(str_of(with_keywords(note)));
  py::dict dict;
  dict["model"] = imported.model;
  dict["format"] = str_of(imported.format);
  dict["tensors"] = tensors;
  dict["notes"] = notes;
  return dict;
}

py::object import_file(const py::object& path, const py::kwargs& given) {
  const std::string file = path_of(path);
  const ImportArguments arguments = import_arguments(given);
  const auto imported = [&] {
    const py::gil_scoped_release unlocked;
    ImportedModel found = import_model(file, arguments.options);
    if (!arguments.save.empty()) save_imported(found, arguments.save);
    return found;
  }();
  return result_of("ImportedModel", dict_of(imported));
}

py::str describe_file(const py::object& path) {
  const std::string file = path_of(path);
  std::string text;
  {
    const py::gil_scoped_release unlocked;
    text = describe_checkpoint(file);
  }
  return str_of(text);
}

constexpr const char* kImportText =
    "Makes a model of a network that another program trained, as `unroll import` does: an ImportedModel. Nothing in "
    "the "
    "file is run.\n\n"
    "import_model(path, save=None, vocab=None, texts=(), tokenizer=None, begin=None, overwrite=False): save is where "
    "the "
    "model goes (it is returned in any case); vocab a file, or 'printable', or how the vocabulary was made from texts: "
    "'sorted', 'first', 'first-all', 'frequency'; tokenizer 'char' or 'whitespace'; begin 'boundary' or 'none'.";

}  // namespace

void bind_import(py::module_& module) {
  module.def("import_model", &import_file, py::arg("path"), kImportText);
  module.def("describe_checkpoint", &describe_file, py::arg("path"),
             "What a file of another program holds, as lines of text: names, shapes, types and devices of tensors, and "
             "the source text of classes that it carries.");
}

}  // namespace unroll
