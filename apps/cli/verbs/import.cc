#include "unroll/import.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct ImportCommand {
  std::string file;
  ImportOptions options;
  std::string save;
  bool show = false;
  bool overwrite = false;
  bool quiet = false;
};

void declare_import(Flags& flags, ImportCommand& command) {
  flags.heading("Vocabulary");
  flags.path(
      {"--vocab", "HOW",
       "a file: words, one a line; a JSON array or object; a pickle. printable: Python's string.printable. Or "
       "how it was made from TEXT...: sorted; first: in the order of first occurrence in one TEXT; first-all: in "
       "several; frequency: by falling count",
       "what FILE holds"},
      &command.options.vocab);
  flags.text({"--tokenizer", "KIND", "char, or whitespace for words: what the symbols are", "what fits"},
             [&command](const std::string& value) { command.options.tokenizer = parse_tokenizer_kind(value); });
  flags.text({"--begin", "HOW",
              "what the model reads before the first symbol of a text: boundary, the newline or <eos>; none: the first "
              "symbol is given",
              "boundary, if the vocabulary has one"},
             [&command](const std::string& value) { command.options.begin = parse_begin_policy(value); });
  flags.heading("Output");
  flags.path({"--save", "MODEL", "where the model goes; must be given, unless --show is", ""}, &command.save);
  flags.toggle({"--show", "",
                "print what FILE holds: names, shapes, types and devices, and the source text of classes that it "
                "carries",
                ""},
               &command.show);
  flags.toggle({"--overwrite", "", "replace an existing MODEL", ""}, &command.overwrite);
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
}

std::optional<ImportCommand> parse_import(const std::vector<std::string>& arguments) {
  ImportCommand command;
  Flags flags(
      "unroll import FILE [TEXT...] --save MODEL [flags]",
      "Makes a model of a network that another program trained. FILE is of PyTorch (a whole module or a state dict, "
      "from 0.2 to now), safetensors, NumPy (npz), torch-rnn (t7), TensorFlow (the index of a V2 checkpoint), a folder "
      "of ml5, or of unroll export; its content says which. Nothing in it is run: names of functions in a pickle are "
      "names. The network must be an embedding or one-hot inputs, recurrent layers, and a linear output layer; another "
      "is refused with the reason. Its vocabulary is in FILE or comes from --vocab, and must have as many symbols as "
      "the network.");
  declare_import(flags, command);
  flags.example("unroll import model.pt --save model.safetensors --vocab vocab.txt",
                "A model of words, one per line of vocab.txt.");
  flags.example("unroll import char_rnn.pt --save shakespeare.safetensors --vocab printable",
                "A model of characters over Python's string.printable.");
  flags.example("unroll import model.pt train.txt valid.txt test.txt --save city.safetensors --vocab first-all",
                "The words of three texts in the order of their first occurrence, as PyTorch's example numbers them.");
  flags.example("unroll import model.pt --show", "What the file holds.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.options.texts = flags.positionals();
  if (command.options.texts.empty()) throw Error(ErrorCode::kUsage, "which FILE is to be imported?");
  command.file = command.options.texts.front();
  command.options.texts.erase(command.options.texts.begin());
  if (command.save.empty() && !command.show)
    throw Error(ErrorCode::kUsage, "where does the model go? Give --save MODEL");
  return command;
}

void report_import(const ImportCommand& command, const ImportedModel& imported) {
  Terminal terminal(command.quiet);
  const NetworkConfig& config = imported.model.config();
  terminal.line(fmt::format("{} ({}) -> {}", command.file, imported.format, command.save));
  terminal.line(fmt::format("model    {}, {} of {}, embedding {}, {} symbols", cell_name(config.cell),
                            config.layers == 1 ? "1 layer" : fmt::format("{} layers", config.layers), config.hidden,
                            config.embed, config.vocabulary));
  for (const ImportedTensor& tensor : imported.tensors) {
    terminal.line(fmt::format("tensor   {} [{}] <- {}", tensor.name, fmt::join(tensor.shape, ", "), tensor.source));
  }
  for (const std::string& note : imported.notes) terminal.line(fmt::format("note     {}", note));
  terminal.line(
      fmt::format("check    unroll score {} TEXT, and compare with what the program that trained it gives for "
                  "the same text; a published loss may be of another text or another step",
                  command.save));
}

}  // namespace

int run_import(const std::vector<std::string>& arguments) {
  const std::optional<ImportCommand> parsed = parse_import(arguments);
  if (!parsed) return 0;
  const ImportCommand& command = *parsed;
  if (command.show) {
    Output out;
    out.write(describe_checkpoint(command.file));
    out.flush();
  }
  if (command.save.empty()) return 0;
  std::vector<std::string> inputs = command.options.texts;
  inputs.push_back(command.file);
  if (!command.options.vocab.empty()) inputs.push_back(command.options.vocab);
  expect_output("--save", command.save, inputs, command.overwrite);
  const ImportedModel imported = import_model(command.file, command.options);
  save_imported(imported, command.save);
  report_import(command, imported);
  return 0;
}

}  // namespace unroll
