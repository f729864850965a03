#include "unroll/tokenizer.h"

#include <pybind11/numpy.h>

#include <optional>

#include "python/bindings.h"
#include "python/bound.h"
#include "python/numbers.h"
#include "python/text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// None where the vocabulary has no such symbol.
std::optional<std::int32_t> id_or_none(std::int32_t id) { return id < 0 ? std::nullopt : std::optional(id); }

Tokenizer train_tokenizer(const py::object& text, const std::string& kind, bool lowercase, const py::object& vocab_size,
                          const py::object& min_count, const py::object& vocab) {
  const TokenizerOptions options{.kind = parse_tokenizer_kind(kind),
                                 .lowercase = lowercase,
                                 .vocab_size = whole_number(vocab_size, "vocab_size"),
                                 .min_count = whole_number(min_count, "min_count"),
                                 .vocab_file = vocab.is_none() ? "" : path_of(vocab)};
  const std::string bytes = bytes_of(text, "the text");
  const py::gil_scoped_release unlocked;
  return Tokenizer::train(options, {bytes, "the text"});
}

py::array_t<std::int32_t> encode(const Tokenizer& tokenizer, const py::object& text) {
  const std::string bytes = bytes_of(text, "the text");
  std::vector<std::int32_t> ids;
  {
    const py::gil_scoped_release unlocked;
    ids = tokenizer.encode({bytes, "the text"}).ids;
  }
  return array_of(std::move(ids));
}

std::vector<Token> tokens_of_line(const Tokenizer& tokenizer, const py::object& line) {
  const std::string bytes = bytes_of(line, "the line");
  return tokenizer.encode_line({bytes, "the line"});
}

py::array_t<std::int32_t> encode_line(const Tokenizer& tokenizer, const py::object& line) {
  std::vector<std::int32_t> ids;
  for (const Token& token : tokens_of_line(tokenizer, line)) ids.push_back(token.id);
  return array_of(std::move(ids));
}

py::array_t<std::int64_t> spans(const Tokenizer& tokenizer, const py::object& line) {
  std::vector<std::int64_t> ends;
  for (const Token& token : tokens_of_line(tokenizer, line)) {
    ends.push_back(token.offset);
    ends.push_back(token.offset + token.length);
  }
  const auto rows = static_cast<py::ssize_t>(ends.size() / 2);
  return array_of(std::move(ends), {rows, 2});
}

py::str decode(const Tokenizer& tokenizer, const py::object& ids) {
  std::string text;
  std::int32_t previous = -1;
  for (const std::int32_t id : ids_of(ids, tokenizer.size())) {
    text += tokenizer.written(previous, id);
    previous = id;
  }
  return str_of(text);
}

Tokenizer from_vocabulary(const std::string& kind, const py::object& names, bool lowercase) {
  return Tokenizer::from_vocabulary(parse_tokenizer_kind(kind), lowercase, texts_of(names, "name"));
}

Tokenizer from_sentencepiece(const py::object& path) {
  const std::string file = path_of(path);
  const py::gil_scoped_release unlocked;
  return Tokenizer::from_sentencepiece_file(file);
}

void bind_makers(py::class_<Tokenizer>& tokenizer) {
  tokenizer
      .def_static("train", &train_tokenizer, py::arg("text"), py::kw_only(), py::arg("kind") = "char",
                  py::arg("lowercase") = false, py::arg("vocab_size") = 0, py::arg("min_count") = 1,
                  py::arg("vocab") = py::none(),
                  "Makes the vocabulary of a text (str or bytes). kind: 'char', 'byte', 'word' or 'whitespace'; "
                  "lowercase: fold words first; vocab_size: keep so many symbols, 0: all; min_count: drop rarer ones; "
                  "vocab: read the vocabulary from this file instead, a symbol a line.")
      .def_static("from_vocabulary", &from_vocabulary, py::arg("kind"), py::arg("names"), py::kw_only(),
                  py::arg("lowercase") = false, "A tokenizer with these symbols, by id.")
      .def_static("from_sentencepiece", &from_sentencepiece, py::arg("path"),
                  "A tokenizer of sub-words from the .model file of SentencePiece.");
}

void bind_properties(py::class_<Tokenizer>& tokenizer) {
  tokenizer
      .def_property_readonly(
          "kind", [](const Tokenizer& self) { return std::string(tokenizer_kind_name(self.kind())); },
          "'char', 'byte', 'word', 'whitespace' or 'sentencepiece'.")
      .def_property_readonly("lowercase", &Tokenizer::lowercase, "Whether words are folded to lower case first.")
      .def_property_readonly(
          "names", [](const Tokenizer& self) { return list_of(self.vocabulary()); },
          "The V symbols by id, as a list of str: 'a', '\\n', 'the', '<eos>'.")
      .def_property_readonly(
          "boundary", [](const Tokenizer& self) { return id_or_none(self.boundary()); },
          "The id of the symbol that ends each line and is read before the first: newline or '<eos>'; or None.")
      .def_property_readonly(
          "unknown", [](const Tokenizer& self) { return id_or_none(self.unknown()); }, "The id of '<unk>', or None.")
      .def("__len__", &Tokenizer::size)
      .def("__repr__", [](const Tokenizer& self) {
        return "<unroll.Tokenizer: " + std::string(tokenizer_kind_name(self.kind())) + ", " +
               std::to_string(self.size()) + " symbols>";
      });
}

}  // namespace

void bind_tokenizer(py::module_& module) {
  auto tokenizer = bind_class<Tokenizer>(module, "Tokenizer",
                                         "Converts text to ids and back. Immutable; threads may share it. Text is str, "
                                         "or bytes where it is not UTF-8.",
                                         "make it anew from its `kind` and `names`, or from the file of its model");
  bind_makers(tokenizer);
  tokenizer
      .def("encode", &encode, py::arg("text"),
           "The ids (T,) int32 of a whole text, line ends included; -1 for a line end in a vocabulary without one. "
           "Raises Error for text that is not UTF-8 (unless kind is 'byte'), naming line and byte.")
      .def("encode_line", &encode_line, py::arg("line"),
           "The ids (T,) int32 of one line without its end, as a Scorer reads it; a newline within it is the boundary.")
      .def("spans", &spans, py::arg("line"),
           "Of each symbol that encode_line() returns (T, 2) int64: its first byte in the UTF-8 of the line, and the "
           "one past its last.")
      .def("decode", &decode, py::arg("ids"),
           "The text of ids (T,): a list or an array of whole numbers. What the tokenizer drops, such as white space "
           "between words, comes back as a space; "
           "bytes that are not UTF-8 as lone surrogates (errors='surrogateescape' encodes them).");
  bind_properties(tokenizer);
}

}  // namespace unroll
