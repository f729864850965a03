// The states of a network that reads text: what each of its layers makes of each symbol, or of a whole text.
//
//   unroll::TextStates states(unroll::Model::load("reviews.safetensors"), {.per_text = true});
//   const std::vector<std::string> texts = {"what a film", "dull"};
//   states.read(texts, {}, [&](const unroll::StateRow& row) { use(row.text, row.values); });
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/label/classifier.h"
#include "unroll/model.h"
#include "unroll/readout.h"

namespace unroll {

struct TextStatesOptions {
  // 0: what enters the first layer: the embedding of a symbol, followed by the vector of its characters, if the model
  // has such.
  // l: the output of layer l, that of both directions one after the other. Unset: the last.
  std::optional<std::int64_t> layer = {};
  bool per_text = false;  // one row per text, instead of one per symbol
  // Per text, how its rows become one (unroll/readout.h): not kSteps. kAttention only for the last layer of a
  // classifier that has it. Unset: the classifier's own, which of a layer below the last must be another than
  // kAttention; of other models kLast.
  std::optional<Readout> readout = {};
  std::string label = {};  // of a model with conditions: what the texts are given; required there
  int threads = 0;         // 0: one per core that the process may use
};

// One row. Views are valid during the call that it is passed to.
struct StateRow {
  std::size_t text = 0;           // its place among the texts of the call
  std::int64_t symbol = 0;        // the place of the symbol or word in the text, from 0
  std::string_view name = {};     // that symbol as the text has it, or the word; per text: empty
  std::span<const float> values;  // (columns())
};

using StateVisitor = std::function<void(const StateRow& row)>;

// The states of texts under a model of any task that reads symbols.
//
// A language model reads a text as Scorer does: from the zero state, or that of the label, first the boundary and then
// its symbols; the row of a symbol is the state after it, which predicts what follows. (Where weights are tied and
// embed is not hidden, that is before the projection.) A classifier reads the symbols of a text and then its boundary;
// a tagger reads words. A language model of both directions reads a text as a classifier does. In both directions a row
// holds what either direction says at that symbol.
//
// Rows of symbols are those of the symbols of the text, in order; boundaries have none. A readout goes over the rows
// of all symbols, of a classifier over that of the boundary too, as its own does. The row of a text without any symbol
// is that of the boundary, or zero where the model does not read one.
//
// Of a text longer than 4096 symbols, models other than language models read the first 4096; taggers read a sentence of
// any length, in parts. What a text gets depends on the model alone, never on the texts next to it or on the number of
// threads: the same text gets the same bits. Not for two threads at once; several objects may share a Model.
class TextStates {
 public:
  // Throws Error{kUsage} naming the field for a layer that the model does not have, a readout that it cannot have, a
  // label that it does not know or lacks; for a model that reads rows of numbers, and for more than 1024 threads;
  // Error{kMemory} where threads cannot be started.
  explicit TextStates(Model model, const TextStatesOptions& options = {});
  ~TextStates();
  TextStates(TextStates&&) noexcept;
  TextStates& operator=(TextStates&&) noexcept;

  [[nodiscard]] std::int64_t layer() const noexcept;
  [[nodiscard]] std::int64_t columns() const noexcept;  // numbers of a row
  [[nodiscard]] bool reads_words() const noexcept;      // a tagger, of which the symbols are words

  // Passes the rows of texts to `visit`, in order, on the calling thread. A tagger reads the words between ASCII white
  // space. Memory is bounded whatever the number of texts, but for what the symbols of the longest text take.
  //
  // Throws Error{kInput} for text that the tokenizer cannot read, and of a language model for a line end within it,
  // after the rows of all texts before; Error{kNumeric} where states are NaN or infinite. An Error names and indexes
  // the text ("text 3" without `names`).
  void read(std::span<const std::string> texts, const TextNames& names, const StateVisitor& visit);

  // The same for sentences of words, with a row per word: whatever the tokens of the model, a text consists of the
  // words with a space between them, and the row of a word is that of its last token (of a word without a token of its
  // own, of the last token before it).
  void read(std::span<const std::vector<std::string>> sentences, const TextNames& names, const StateVisitor& visit);

  // Texts so far of which only the beginning was read.
  [[nodiscard]] std::int64_t cut_texts() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
