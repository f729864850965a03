// Writes many texts at once with one model, each as a Generator would write it alone.
//
//   unroll::Engine engine(unroll::Model::load("book.safetensors"));
//   engine.add({.prompt = "In the ", .length = 200, .options = {.temperature = 0.8}});
//   engine.add({.prompt = "And ", .length = 50});
//   while (!engine.idle()) {
//     for (const unroll::TextEvent& event : engine.step()) std::cout << event.text << ": " << event.piece << '\n';
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unroll/error.h"
#include "unroll/generator.h"
#include "unroll/model.h"

namespace unroll {

struct EngineOptions {
  int threads = 1;                                    // 0: one per core that the process may use
  std::int64_t texts = 64;                            // that are read or written at once; others wait
  std::int64_t cache_bytes = std::int64_t{64} << 20;  // for the states after prompts; 0: none is kept
};

// Which symbols of a text are reported, and what about them. Reports cost time: they compute the output layer for each
// symbol of a prompt, which otherwise only the last one needs, and a prompt that is reported is never taken from the
// cache.
struct SymbolDetail {
  bool prompt = false;            // those of the prompt
  bool written = false;           // those that are written
  bool ranks = false;             // with rank and entropy
  bool shares = false;            // with the shares of their draw
  std::int64_t alternatives = 0;  // with so many of the most probable symbols
};

// A symbol that may follow, and its log-probability in nats.
struct SymbolProbability {
  std::int32_t id = 0;
  double log_prob = 0;
};

// A symbol of a text, and how probable it was after those before it. Probabilities are the model's own, whatever the
// temperature, filters, biases and penalties by which it was drawn: log_prob, rank and entropy have the bits that a
// Scorer gives them.
struct SymbolReport {
  std::int32_t id = 0;
  bool written = false;   // false: of the prompt
  bool given = false;     // not predicted (BeginPolicy::kNone): log_prob is 0, rank 1, entropy 0
  std::string text = {};  // of a written one, as it is written: joined they are the text, apart from a stop string and
                          // an unfinished last character; empty for the boundary that ends a text with a label
  double log_prob = 0;    // nats
  std::int64_t rank = 1;  // 1 + number of symbols that are more probable
  double entropy = 0;     // of the prediction, nats
  SymbolDraw draw = {};   // of a written one
  std::vector<SymbolShare> shares = {};              // of that draw: all symbols that it left, in the order of ids
  std::vector<SymbolProbability> alternatives = {};  // most probable first; the symbol itself has its log_prob there
};

// A text to be written.
struct TextRequest {
  std::string prompt = {};                                   // what it continues; not written again
  std::optional<std::vector<std::int32_t>> prompt_ids = {};  // as symbols: these are read then; any that exist
  std::int64_t length = 500;                                 // symbols to write, at most
  GeneratorOptions options = {};                             // its threads are ignored: they are the engine's
  std::vector<std::string> stops = {};                       // it also ends before any of these would be written
  std::uint32_t copy = 0;  // it is the one that call number `copy` (from 0) of a Generator with its seed writes
  SymbolDetail symbols = {};
};

// What became of a text in a step.
struct TextEvent {
  std::int64_t text = 0;                   // its number
  std::string piece = {};                  // what follows of it: whole characters; empty where nothing is certain yet
  std::vector<SymbolReport> symbols = {};  // that are reported, in order
  std::int64_t written = 0;                // symbols so far
  std::optional<Finish> finish = {};       // it has ended, and this is its last event
  std::optional<Error> error = {};         // the same by a failure, Error{kNumeric}; others go on
};

// What an engine has to do, and what it has done.
struct EngineLoad {
  std::int64_t waiting = 0;          // texts: for a place
  std::int64_t reading = 0;          // whose prompts are read
  std::int64_t writing = 0;          // that are written
  std::int64_t symbols_read = 0;     // of prompts so far
  std::int64_t symbols_written = 0;  // so far
  std::int64_t cached_states = 0;    // in the cache
  std::int64_t cached_bytes = 0;     // of it
  std::int64_t symbols_cached = 0;   // of prompts so far that did not have to be read
};

// Many texts in progress, each with its own state, options and stop strings. A step moves all that are written on by
// one symbol, in one product; texts join and leave between steps. What a text is, and every number about it, depends
// on its request and the model alone, to the bit: not on the texts next to it, the number of threads, or the cache.
//
// Where no text is written, prompts are read in pieces of 256 symbols, several prompts side by side. Where some are,
// prompts without reports read one symbol in the same product: they slow the others no more than texts that are
// written. Those with reports are read between two steps, and so are those with more than 512 symbols left, in pieces
// that take at most as long as such a step (measured), but at least one symbol. Prompts that are nearly read go first
// in every other piece, the oldest one in the others. Equal prompts are read once, and the state after a prompt is
// kept: one that begins with a prompt of before is read from its end on. The states that were used last are kept.
//
// Not for two threads at once. Memory: about that of a Generator, and for each text its prompt and a state.
class Engine {
 public:
  // Throws Error{kUsage} for a model of another task, a number of texts from outside 1 to 4096, a number of threads
  // that Workers refuses and a negative size of the cache, and Error{kMemory}.
  explicit Engine(Model model, const EngineOptions& options = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Adds a text and returns its number: 1, 2, ... Throws as Generator's constructor and start() do, Error{kUsage} for
  // a negative number of alternatives, and Error{kInput} for an id that does not exist.
  std::int64_t add(const TextRequest& request);

  // Gives a text up: no event follows. False if it has ended or never was.
  bool remove(std::int64_t text);

  // Reads on in prompts, and writes a symbol of each text whose prompt was read. Returns what there is to tell, at most
  // one event for each text that was read and one for each that was written, in this order.
  std::vector<TextEvent> step();

  // Whether there is no text left.
  [[nodiscard]] bool idle() const noexcept;

  [[nodiscard]] EngineLoad load() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
