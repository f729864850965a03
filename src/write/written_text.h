// One text that a model writes: its symbols are drawn here, whoever runs the network.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "unroll/generator.h"
#include "unroll/tokenizer.h"
#include "write/sampler.h"
#include "write/text_stream.h"

namespace unroll {

// Throws Error{kUsage} naming the first option of sampling that is out of range (see Generator), or the first bias of a
// symbol that does not exist.
void check(const GeneratorOptions& options, const Tokenizer& tokenizer);

// Throws Error{kUsage} for a length below 0.
void check_length(std::int64_t length);

// How a text is written: as `options` say, whose label, begin and threads do not matter here.
struct WritingPlan {
  GeneratorOptions options = {};        // checked
  std::vector<std::string> stops = {};  // the text also ends before any of these
  std::int64_t length = 0;              // symbols, at most
  std::uint32_t copy = 0;               // which text of those with its seed
  std::int32_t previous = -1;           // the last symbol of the prompt; -1: none
  bool prompt_ends_in_space = false;
  bool ends_at_boundary = false;  // the boundary ends the text, and is not written
};

// A symbol of a text.
struct WrittenSymbol {
  std::int32_t id = 0;
  std::string text = {};  // as it is written; empty where it is the boundary that ends the text
  SymbolDraw draw = {};
};

// Writes symbol by symbol:
//
//   while (!text.finish()) text.write(logits after the prompt and text.previous(), sampler, piece);
//
// The symbols depend on the plan and the logits alone. Not for two threads at once.
class WrittenText {
 public:
  // Views the tokenizer, which must outlive it.
  WrittenText(const Tokenizer& tokenizer, WritingPlan plan);

  // Why it ended; none while symbols follow.
  [[nodiscard]] std::optional<Finish> finish() const noexcept { return finish_; }

  // The last symbol so far; -1: none.
  [[nodiscard]] std::int32_t previous() const noexcept { return plan_.previous; }

  // Symbols so far.
  [[nodiscard]] std::int64_t written() const noexcept { return position_; }

  // Draws the next symbol, and appends to `out` what has become certain of the text. May overwrite the logits. Throws
  // Error{kNumeric} where one is not finite.
  WrittenSymbol write(std::span<float> logits, Sampler& sampler, std::string& out);

 private:
  void change(std::span<float> logits) const;
  [[nodiscard]] std::string piece_of(std::int32_t id) const;

  const Tokenizer* tokenizer_;
  WritingPlan plan_;
  TextStream stream_;
  std::int64_t position_ = 0;
  std::unordered_map<std::int32_t, std::int64_t> counts_;  // of the symbols so far; empty without penalties
  std::optional<Finish> finish_;
};

}  // namespace unroll
