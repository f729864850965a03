// Writes text with a model.
//
//   unroll::Generator generator(unroll::Model::load("book.safetensors"), {.temperature = 0.8});
//   generator.write("In the ", 200, [](std::string_view piece) { return bool(std::cout << piece); });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/model.h"

namespace unroll {

// What is added to the logit of a symbol each time.
struct LogitBias {
  std::int32_t id = 0;
  double bias = 0;  // 100 makes the symbol almost certain, -100 almost impossible
};

struct GeneratorOptions {
  double temperature = 1;  // logits are divided by it; 0: always the most probable symbol
  std::int64_t top_k = 0;  // only the k most probable symbols; 0: all
  double top_p = 1;        // only the most probable symbols that together reach this probability; 1: all
  double min_p = 0;        // only symbols at least this share of the most probable one; 0: all
  std::vector<LogitBias> logit_bias = {};  // before the temperature
  double presence_penalty = 0;             // subtracted from the logits of symbols that the text has already
  double frequency_penalty = 0;            // subtracted once more for each time that it has them
  std::uint64_t seed = 1;                  // the same seed gives the same text
  std::string label = {};                  // of a model with conditions: what the text is to be; required there
  std::string stop = {};                   // stop before this string is written; empty: never
  std::optional<BeginPolicy> begin = {};   // what is read before the prompt; empty: the model's
  int threads = 1;                         // more than one helps only with large networks
};

// How a symbol was drawn: the symbols that may be written, in the order of their ids, share the numbers from 0 to 1 by
// their probability; the one that has the number drawn is written.
struct SymbolDraw {
  double number = 0;
  double from = 0;  // the share of that symbol
  double to = 1;    // at temperature 0 it has all
};

// The numbers from 0 to 1 that a symbol has in a draw.
struct SymbolShare {
  std::int32_t id = 0;
  double from = 0;
  double to = 0;
};

// Why write() stopped.
enum class Finish { kLength, kStop, kReader, kEnd };

// Writes text symbol by symbol. Not for two threads at once.
class Generator {
 public:
  // Throws Error{kUsage} for a label that the model does not have, and for options out of range: temperature finite and
  // at least 0, top_k at least 0, top_p and min_p from 0 to 1, biases and penalties from -1e6 to 1e6, biases of symbols
  // that exist; and for BeginPolicy::kBoundary where the vocabulary has no boundary.
  explicit Generator(Model model, const GeneratorOptions& options = {});
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;

  // Reads `prompt`, then writes `length` symbols; with a label fewer if the text ends before, at the boundary. Passes
  // text to `write` as soon as it is certain, without the prompt;
  // a piece is whole UTF-8 where the model writes UTF-8 (an unfinished last character is left out). `write` returns
  // false to stop early, and must not be empty. The unknown symbol is never written. Each call draws its own random
  // numbers: the n-th call of a Generator writes the same text in every run with the same seed.
  //
  // Throws Error{kInput} for a prompt with symbols that the vocabulary lacks, naming the first, and with
  // BeginPolicy::kNone for an empty one: the first symbol has to be given. Throws Error{kUsage} for a length below 0,
  // and Error{kNumeric} where the model's weights or its state overflow.
  Finish write(std::string_view prompt, std::int64_t length, const std::function<bool(std::string_view)>& write);

  // The same text piece by piece, as its reader asks for it: start() is write() up to the first symbol and throws as it
  // does; what was being written before is given up. next() returns the next piece, or none after the last one.
  //
  //   generator.start("In the ", 200);
  //   while (const auto piece = generator.next()) std::cout << *piece;
  void start(std::string_view prompt, std::int64_t length);
  [[nodiscard]] std::optional<std::string> next();

  // Why the last text ended; none while symbols may follow.
  [[nodiscard]] std::optional<Finish> finish() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
