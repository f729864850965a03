#include "unroll/export.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

struct ExportCommand {
  std::string model;
  std::optional<ExportFormat> to;
  std::string save;
  bool overwrite = false;
  bool quiet = false;
};

std::optional<ExportCommand> parse_export(const std::vector<std::string>& arguments) {
  ExportCommand command;
  Flags flags("unroll export MODEL --to pytorch|safetensors|npz --save FILE [flags]",
              "Writes a model for other programs, with the names and shapes of PyTorch's modules: a state dict that "
              "torch.load(FILE, weights_only=True) reads, safetensors, or arrays of NumPy. Vocabulary, labels and "
              "settings go along, and unroll import makes the same model of FILE again. Beside a state dict it "
              "writes Python that rebuilds the network, where PyTorch has modules for it.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--to", "FORMAT", "pytorch, safetensors or npz; must be given", ""},
             [&command](const std::string& value) { command.to = parse_export_format(value); });
  flags.path({"--save", "FILE", "where it goes; must be given", ""}, &command.save);
  flags.toggle({"--overwrite", "", "replace existing files", ""}, &command.overwrite);
  flags.toggle({"--quiet", "", "say nothing but errors", ""}, &command.quiet);
  flags.example("unroll export book.safetensors --to pytorch --save book.pt",
                "Writes book.pt and book_model.py, in which load(\"book.pt\") returns the network.");
  flags.example("unroll import book.pt --save again.safetensors", "The same model, to the byte.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.model = take_only_model("export", command.model, flags.positionals());
  if (!command.to) throw Error(ErrorCode::kUsage, "to which format? Give --to pytorch, --to safetensors or --to npz");
  if (command.save.empty()) throw Error(ErrorCode::kUsage, "where does it go? Give --save FILE");
  return command;
}

// "my-book.pt" as "my_book_model.py": a name that Python imports, and that no module which the file itself imports has.
std::string python_path(const std::string& path) {
  const std::size_t folder = path.rfind('/') + 1;
  std::string name = path.substr(folder);
  for (const std::string_view ending : {".pt", ".pth"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (char& c : name) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) c = '_';
  }
  if (!name.empty() && is_digit(name.front())) name.insert(0, "_");
  return path.substr(0, folder) + name + "_model.py";
}

// The Python that rebuilds the network, or the reason why there is none.
struct PythonModule {
  std::string text;
  std::string missing;
};

PythonModule python_module(const Model& model) {
  try {
    return {.text = pytorch_module(model), .missing = {}};
  } catch (const Error& error) {
    return {.text = {}, .missing = error.what()};
  }
}

void write_text(const std::string& path, const std::string& text) {
  OutputFile file(path);
  file.write(text);
  file.finish();
}

}  // namespace

int run_export(const std::vector<std::string>& arguments) {
  const std::optional<ExportCommand> parsed = parse_export(arguments);
  if (!parsed) return 0;
  const ExportCommand& command = *parsed;
  const Model model = Model::load(command.model);
  expect_output("--save", command.save, {command.model}, command.overwrite);
  const bool to_pytorch = command.to == ExportFormat::kPytorch;
  const PythonModule python = to_pytorch ? python_module(model) : PythonModule{};
  const std::string python_file = python_path(command.save);
  if (!python.text.empty()) expect_output("--save", python_file, {command.model}, command.overwrite);
  export_model(model, *command.to, command.save);
  if (!python.text.empty()) write_text(python_file, python.text);

  Terminal terminal(command.quiet);
  terminal.line(fmt::format("{} -> {} ({})", command.model, command.save, export_format_name(*command.to)));
  if (model.precision() != Precision::kF32) {
    terminal.line(fmt::format("weights are f32 there: the numbers that the {} model computes with",
                              precision_name(model.precision())));
  }
  if (!python.text.empty()) terminal.line(fmt::format("{} rebuilds the network", python_file));
  if (!python.missing.empty()) {
    terminal.line(fmt::format("no Python beside it: {}; docs/format.md has the equations and names", python.missing));
  }
  return 0;
}

}  // namespace unroll
