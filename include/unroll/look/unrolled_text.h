// A model unrolled over a text: what every layer computed at every step, kept for gradients.
//
//   const unroll::Model model = unroll::Model::load("book.safetensors");
//   const unroll::UnrolledText text(model, {"the cat", "'a sentence'"});
//   for (std::int64_t t = 0; t < text.steps(); ++t) draw(text.h(0, t));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/model.h"
#include "unroll/state_policy.h"
#include "unroll/text.h"

namespace unroll {

// The matrices that all steps share: U from inputs to sums, W from the state before to sums, V from states to outputs.
enum class SharedMatrix { kU, kW, kV };

// One number of a network. Rows of U and W are those of the gates in the order of gate_letters(), H each; rows of V are
// symbols.
struct WeightPlace {
  SharedMatrix matrix = SharedMatrix::kW;
  std::int64_t layer = 0;  // of U and W
  std::int64_t row = 0;
  std::int64_t column = 0;
};

struct WeightChange {
  WeightPlace place = {};
  double value = 0;
};

struct UnrolledTextOptions {
  std::optional<StatePolicy> state = {};    // unset: what the model was trained with
  std::optional<BeginPolicy> begin = {};    // unset: the model's
  std::string label = {};                   // of a model with conditions: what the text is given; required there
  bool one_text = false;                    // of a model that labels texts: line ends are part of the text
  std::int64_t most_steps = 4096;           // of a longer text, the first steps are read; at least 1
  std::optional<WeightChange> change = {};  // one number that is another than the model's, which is then run in f32
  int threads = 0;                          // 0: one per core that the process may use
};

// About the bytes that an UnrolledText takes for each step, of all layers and directions.
[[nodiscard]] std::int64_t unrolled_step_bytes(const NetworkConfig& config) noexcept;

// A symbol and its probability.
struct LikelySymbol {
  std::int32_t id = 0;
  double log_prob = 0;  // ln p
  float logit = 0;
};

// What the nonlinearities of a step are applied to, in parts: (G H) each, input + recurrent + bias = sums() but for
// rounding.
struct SumParts {
  std::vector<float> input;      // U x
  std::vector<float> recurrent;  // W h of the state before; of kGru's n r (W h + b'), of cells without W zero
  std::vector<float> bias;       // b + b'; of kGru's n b
};

// The letters of a cell's gates in their order, one per block of H rows: "ifgo", "rzn", "zn", "fin". Empty for cells
// without gates.
[[nodiscard]] std::string_view gate_letters(Cell cell) noexcept;

// The steps of one text of a model that labels texts.
struct TextOfSteps {
  std::int64_t first = 0;
  std::int64_t steps = 0;
};

// "0"; with both directions "0 forward", "0 backward": the name of a layer by its number in UnrolledText.
[[nodiscard]] std::string layer_name(const NetworkConfig& config, std::int64_t layer);

// One forward pass of a model over a text, with everything that it computed.
//
// A language model reads a text as evaluate() does: step t reads the symbol before number t (first the boundary) and
// predicts symbol t. With StatePolicy::kReset each line begins from the zero state.
//
// Of a model that labels texts (classifiers, taggers) each line that is not empty is a text of its own, read from the
// zero state: step t reads token t, of a tagger word t between blanks, and after the last token of a classifier's text
// the boundary; no step predicts a symbol. Each direction is a layer of its own, the backward one of level l after the
// forward one: its state "after step t" is the one after it read step t, coming from the end of the text.
//
// Vectors are those of the one forward pass that training and inference share, in f32; of a model in bf16 or int8 they
// are those of its rounded weights, without the rounding of products. What it predicts (log_probs(), likely(),
// logits()) is what it predicts as it is run.
//
// Memory   unrolled_step_bytes(): about 4 (G + 4) H L bytes a step. The views are valid while the object lives.
// Threads  not for two threads at once; several objects may share a Model.
class UnrolledText {
 public:
  // Throws Error{kUsage} for a model of sequences of numbers and a language model of both directions, for a label that
  // it does not know or lacks, for policies that need a boundary which the vocabulary lacks, for StatePolicy::kCarry or
  // a change of a model that labels texts, for a change of a number that there is not, and for options out of range;
  // Error{kInput} for an empty text or one that the tokenizer cannot read; Error{kNumeric} where a prediction is not a
  // number; Error{kMemory}.
  UnrolledText(Model model, const NamedText& text, const UnrolledTextOptions& options = {});
  ~UnrolledText();
  UnrolledText(UnrolledText&&) noexcept;
  UnrolledText& operator=(UnrolledText&&) noexcept;

  [[nodiscard]] const Model& model() const noexcept;
  [[nodiscard]] std::int64_t steps() const noexcept;         // that were read
  [[nodiscard]] std::int64_t unread_steps() const noexcept;  // of the text, beyond most_steps
  [[nodiscard]] StatePolicy state_policy() const noexcept;

  // Recurrent layers, each direction by itself: numbers below are from 0 to this.
  [[nodiscard]] std::int64_t layers() const noexcept;

  // Whether steps predict symbols: not of a model that labels texts.
  [[nodiscard]] bool predicts() const noexcept;

  // The texts of a model that labels texts, in order; otherwise empty.
  [[nodiscard]] std::span<const TextOfSteps> texts() const noexcept;

  // What step t reads: the symbol, of a model that labels texts the word as the text has it, known or not.
  [[nodiscard]] std::string reads(std::int64_t t) const;

  // The symbol that step t reads, and the one that it predicts, or -1: none.
  [[nodiscard]] std::int32_t input(std::int64_t t) const;
  [[nodiscard]] std::int32_t target(std::int64_t t) const;

  // Whether step t begins from the zero state, or that of the label.
  [[nodiscard]] bool begins(std::int64_t t) const;

  // ln p of the target of each step; 0 where there is none. The bits of a Scorer's.
  [[nodiscard]] std::span<const double> log_probs() const noexcept;

  // The most probable symbols after step t, at most `count`, the most probable first and the lower id among equals.
  // Throws Error{kUsage} where steps predict no symbols, as logits() does.
  [[nodiscard]] std::vector<LikelySymbol> likely(std::int64_t t, std::int64_t count) const;

  // The logits (V) of step t; of an adaptive softmax ln p.
  [[nodiscard]] std::vector<float> logits(std::int64_t t) const;

  // What enters layer l at step t: the embedding (E), with the vector from the characters of a word where there is one,
  // or what the level below gives on (H of each direction).
  [[nodiscard]] std::span<const float> x(std::int64_t l, std::int64_t t) const;

  // The hidden state (H) of layer l after step t; t = -1: the one that a text begins with.
  [[nodiscard]] std::span<const float> h(std::int64_t l, std::int64_t t) const;

  // The cell state (H); empty for cells without.
  [[nodiscard]] std::span<const float> c(std::int64_t l, std::int64_t t) const;

  // The gates (G H) of layer l at step t after their nonlinearities, in the order of gate_letters(); empty without
  // gates.
  [[nodiscard]] std::vector<float> gates(std::int64_t l, std::int64_t t) const;

  // What those nonlinearities are applied to: U x + b + W h + b' (G H); of kGru's n U x + b + r (W h + b'). Of a cell
  // without gates it has one block. Costs the products of one step.
  [[nodiscard]] std::vector<float> sums(std::int64_t l, std::int64_t t) const;

  // The same in parts. With layer normalisation products are normalised ones times their gains.
  [[nodiscard]] SumParts parts(std::int64_t l, std::int64_t t) const;

  // A number of the network, as it was run. Throws Error{kUsage} for one that it does not have.
  [[nodiscard]] float weight(const WeightPlace& place) const;

  // Where the number of the largest size stands, of U and W in the first layer. Throws Error{kUsage} for a W that the
  // cell does not have.
  [[nodiscard]] WeightPlace largest_weight(SharedMatrix matrix) const;

  // The row (E) of the embedding that a symbol looks up. Throws Error{kUsage} for a symbol that does not exist.
  [[nodiscard]] std::span<const float> embedding(std::int32_t symbol) const;

  struct Data;
  [[nodiscard]] Data& data() const noexcept { return *data_; }  // for the library's own use

 private:
  std::unique_ptr<Data> data_;
};

}  // namespace unroll
