#include "unroll/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "checkpoints/describe.h"
#include "checkpoints/read_checkpoint.h"
#include "exchange/column_network.h"
#include "exchange/found_network.h"
#include "exchange/stored_model.h"
#include "exchange/torch_network.h"
#include "exchange/vocabulary_choice.h"
#include "export/restored_model.h"
#include "model/model_file.h"
#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

// A model of unroll needs no import.
void expect_foreign(const ForeignFile& checkpoint) {
  const ValueGraph& graph = checkpoint.values;
  const ValueId format = graph.find(graph.find(checkpoint.root, "__metadata__"), "format");
  if (!graph.is(format, ValueKind::kString) || !graph[format].text.starts_with("unroll/")) return;
  throw Error(ErrorCode::kUsage, fmt::format("'{}' is a model of unroll: there is nothing to import", checkpoint.path));
}

BeginPolicy begin_of(const ImportOptions& options, const Tokenizer& tokenizer) {
  const bool has_boundary = tokenizer.boundary() >= 0;
  if (!has_boundary && options.begin == BeginPolicy::kBoundary) {
    throw Error(ErrorCode::kUsage,
                "`begin` boundary: the vocabulary has no symbol that ends lines (a newline, or <eos>)", "begin");
  }
  return options.begin.value_or(has_boundary ? BeginPolicy::kBoundary : BeginPolicy::kNone);
}

std::string begin_note(const Tokenizer& tokenizer, BeginPolicy begin) {
  if (tokenizer.boundary() < 0) return "no symbol ends lines: each is read by itself, and its first symbol is given";
  const char* boundary = tokenizer.kind() == TokenizerKind::kChar ? "the newline" : "<eos>";
  if (begin == BeginPolicy::kNone) return fmt::format("{} ends lines; the first symbol of a text is given", boundary);
  return fmt::format("{} ends lines, and is read before the first symbol of a text", boundary);
}

// Names of calls in the file that are neither modules nor PyTorch's own. None was run, and what was read needs none.
void add_opaque_note(const ForeignFile& checkpoint, std::vector<std::string>& notes) {
  if (checkpoint.kind != ForeignKind::kTorch) return;
  constexpr std::size_t kShown = 6;
  std::vector<std::string> names;
  const ValueGraph& graph = checkpoint.values;
  walk(graph, checkpoint.root, [&](const WalkedValue& value) {
    const Value& held = graph[value.id];
    const bool is_module = graph.find(graph.item(value.id, kState), "_modules") != kNoValue;
    if (held.kind == ValueKind::kObject && !is_module && !held.text.starts_with("torch.")) {
      const std::string name = shown_name(held.text);
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    return true;
  });
  if (names.empty()) return;
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  notes.push_back(fmt::format("calls in the file that were not run: {}{}", fmt::join(names, ", "),
                              more > 0 ? fmt::format(" and {} more", more) : ""));
}

Tokenizer tokenizer_of(ChosenVocabulary vocabulary) {
  try {
    return Tokenizer::from_vocabulary(vocabulary.kind, false, std::move(vocabulary.symbols));
  } catch (const Error& error) {
    throw Error(ErrorCode::kInput, error.what(), "vocab");
  }
}

FoundNetwork find_network(const ForeignFile& file) {
  switch (file.kind) {
    case ForeignKind::kTorch:
      break;
    case ForeignKind::kNpz:
      if (std::optional<FoundNetwork> network = find_uvw_network(file)) return std::move(*network);
      break;
    case ForeignKind::kTorch7:
      return find_torch7_network(file);
    case ForeignKind::kTensorFlow:
      return find_tensorflow_network(file);
  }
  return find_torch_network(file);
}

std::vector<std::string> files_read(const ForeignFile& checkpoint, const ImportOptions& options) {
  std::vector<std::string> files = checkpoint.files;
  files.insert(files.end(), options.texts.begin(), options.texts.end());
  if (!options.vocab.empty() && !is_vocabulary_rule(options.vocab)) files.push_back(options.vocab);
  return files;
}

// A model that was exported, which has all that other files may lack.
ImportedModel import_again(const ForeignFile& checkpoint, const ImportOptions& options) {
  const bool has_options =
      !options.vocab.empty() || !options.texts.empty() || options.tokenizer.has_value() || options.begin.has_value();
  if (has_options) {
    const std::string field = !options.vocab.empty() ? "vocab" : "";
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' was exported by unroll, with its vocabulary and how it is used: import it without "
                            "`vocab`, `texts`, `tokenizer` and `begin`",
                            checkpoint.path),
                field);
  }
  ImportedModel imported{.model = restore_model(checkpoint),
                         .format = checkpoint.format,
                         .tensors = {},
                         .notes = {"exported by unroll: vocabulary, task and training are those of the model"},
                         .files = checkpoint.files};
  for (const TensorInfo& tensor : imported.model.tensors()) {
    imported.tensors.push_back({.name = tensor.name, .shape = tensor.shape, .source = tensor.name});
  }
  return imported;
}

}  // namespace

ImportedModel import_model(const std::string& path, const ImportOptions& options) {
  const ForeignFile checkpoint = read_checkpoint(path);
  expect_foreign(checkpoint);
  if (has_description(checkpoint)) return import_again(checkpoint, options);
  FoundNetwork network = find_network(checkpoint);
  ChosenVocabulary vocabulary = choose_vocabulary(options, checkpoint, network.vocabulary, network.symbols());
  std::vector<std::string> notes = checkpoint.notes;
  for (auto* more : {&network.notes, &vocabulary.notes}) notes.insert(notes.end(), more->begin(), more->end());
  const Tokenizer tokenizer = tokenizer_of(std::move(vocabulary));
  const BeginPolicy begin = begin_of(options, tokenizer);
  notes.push_back(begin_note(tokenizer, begin));
  add_opaque_note(checkpoint, notes);

  BuiltNetwork built = build_network(network);
  TrainingRecord record;
  record.complete = true;
  return {.model = Model(
              std::make_shared<const Model::Data>(Model::Data{.config = built.config,
                                                              .tokenizer = tokenizer,
                                                              .training = std::move(record),
                                                              .weights = ModelWeights(std::move(built.parameters)),
                                                              .use = ModelUse(begin)})),
          .format = checkpoint.format,
          .tensors = std::move(built.tensors),
          .notes = std::move(notes),
          .files = files_read(checkpoint, options)};
}

std::string describe_checkpoint(const std::string& path) { return describe(read_checkpoint(path)); }

void save_imported(const ImportedModel& imported, const std::string& path) {
  for (const std::string& file : imported.files) {
    if (!same_file(file, path)) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' is '{}', from which the model was made: give another path", path, file), "save");
  }
  save_stored(imported.model.data(), imported.model.data().use, path);
}

}  // namespace unroll
