// Imports language models that other programs trained.
//
//   const unroll::ImportedModel imported = unroll::import_model("model.pt", {.vocab = "vocab.txt"});
//   unroll::save_imported(imported, "model.safetensors");
//   unroll::Scorer scorer(imported.model);
//
// Nothing in such a file is executed: it is read as data, and names of functions in it are names. Networks of PyTorch
// (whole modules and state dicts, in both containers of torch.save()), in safetensors, and of the formats that
// docs/import.md lists, are models here if they are an embedding or one-hot inputs, recurrent layers, and a linear
// output layer. Anything else is refused with the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/model.h"
#include "unroll/tokenizer.h"

namespace unroll {

// The half of a model that its file may lack. Errors name these fields `vocab`, `texts`, `tokenizer`, `begin`.
struct ImportOptions {
  // Which symbols the rows of the embedding stand for. Empty: the vocabulary that the file holds. Else
  //   a path      a vocabulary: words, one a line; a JSON array, or an object of ids by symbol or symbols by id; a
  //               pickle that holds one of these. A file called like a rule is "./sorted"
  //   "printable" Python's string.printable: 100 characters
  //   "sorted"    of `texts`: all symbols in the order of their code points
  //   "first"     of one text: in the order of their first occurrence
  //   "frequency" of `texts`: by falling count, ties in the order of their first occurrence
  //   "first-all" of several texts, one after another: in the order of their first occurrence
  // Symbols of texts are characters, or words between white space with <eos> at the end of each line or without: what
  // gives as many as the network has.
  std::string vocab = {};
  std::vector<std::string> texts = {};

  // kChar or kWhitespace: what the symbols are; unset: what they look like, and what fits.
  std::optional<TokenizerKind> tokenizer = {};

  // What the network reads before the first symbol. Unset: the boundary, if the vocabulary has one (a newline, <eos>).
  std::optional<BeginPolicy> begin = {};
};

// One tensor of the model, and where its numbers come from.
struct ImportedTensor {
  std::string name;                 // of the model: "rnn.weight_ih_l0"
  std::vector<std::int64_t> shape;  // of the model's
  std::string source;               // in the file: "rnn.weight_ih_l0 [800, 200] float32", or what it was made from
};

struct ImportedModel {
  Model model;
  std::string format;                   // of the file, for people
  std::vector<ImportedTensor> tensors;  // in the order of the model's
  std::vector<std::string> notes;       // what a person should know, one line each
  std::vector<std::string> files;       // that were read: the network's, texts, the vocabulary's
};

// Reads a network and gives it a vocabulary. Numbers are kept as they are, or rounded to f32, which a note tells.
// Layers of different widths become layers of the widest, with units that are always zero.
//
// Throws Error{kFile}, kFormat for a file that is damaged, contradicts itself, or holds no such network; kNumeric for
// weights that are not finite; kInput, with the field, for a vocabulary that does not fit; kUsage for options that
// contradict each other.
[[nodiscard]] ImportedModel import_model(const std::string& path, const ImportOptions& options = {});

// Writes the model; equal models give equal bytes. A file at `path` is replaced as a whole. Throws Error{kFile},
// and kUsage with the field `save` for a path that leads to one of the files that the model was made from.
void save_imported(const ImportedModel& imported, const std::string& path);

// What a file holds, for people: lines of names, shapes, types and devices, and the source text of classes that it
// carries. Throws as import_model() for a file that cannot be read; it need not hold a network.
[[nodiscard]] std::string describe_checkpoint(const std::string& path);

}  // namespace unroll
