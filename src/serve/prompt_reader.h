// Reads the prompts of texts, several side by side, piece by piece.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "infer/inference.h"
#include "infer/prediction.h"
#include "serve/prompt_cache.h"
#include "serve/prompt_pace.h"
#include "serve/served_text.h"

namespace unroll {

// What is left of a prompt that goes along with the steps of texts that are written, and is not also read between them.
// A row more in such a step takes much less time than a step of its own.
inline constexpr std::int64_t kRidingSymbols = 512;

// Prompts that are being read, for an engine. Not for two threads at once.
class PromptReader {
 public:
  // Reads with `inference`, which must outlive it and be planned for `most_rows` rows and kPieceSymbols steps in all.
  PromptReader(Inference& inference, std::int64_t most_rows, std::int64_t cache_bytes);

  // Takes a text; it goes to `done` at once if there is nothing to read.
  void add(std::unique_ptr<ServedText> text, std::vector<StartedText>& done);

  // Drops a text. False if it is not here.
  bool remove(std::int64_t number);

  // Reads a piece, which takes at most `seconds` (serve/prompt_pace.h), of prompts that are reported or have more than
  // kRidingSymbols left; without `seconds` of any. Adds what is reported to `events` and texts whose prompt was read to
  // `done`.
  void read(std::optional<double> seconds, std::vector<TextEvent>& events, std::vector<StartedText>& done);

  // The prompts that may go along with a step: those that are not reported. Valid until the next call of another
  // function.
  [[nodiscard]] std::span<const RidingPrompt> riding();

  // Takes that they went along; adds texts whose prompt was read to `done`.
  void rode(std::vector<StartedText>& done);

  [[nodiscard]] std::int64_t texts() const noexcept { return texts_; }
  [[nodiscard]] std::int64_t symbols_read() const noexcept { return symbols_read_; }
  [[nodiscard]] std::int64_t symbols_cached() const noexcept { return symbols_cached_; }
  [[nodiscard]] const PromptCache& cache() const noexcept { return cache_; }

 private:
  // A prompt, and the texts that begin with it: one if it is reported.
  struct Reading {
    std::vector<std::unique_ptr<ServedText>> texts;
    std::vector<std::int32_t> reads;
    bool reported = false;
    std::vector<float> row;  // the state after those so far
    std::int64_t at = 0;     // how many those are

    [[nodiscard]] const ServedText& first() const { return *texts.front(); }
    // The last one is read by the first step of writing.
    [[nodiscard]] std::int64_t left() const noexcept { return std::ssize(reads) - 1 - at; }
  };

  void begin(Reading& reading);
  void choose(bool all);
  void drop_ended();
  void run(const PromptPiece& piece);
  void predict_rows();
  void report(std::size_t b, std::int64_t steps, std::vector<TextEvent>& events);
  void end(Reading& reading, std::vector<TextEvent>& events, std::vector<StartedText>& done);

  Inference& inference_;
  PromptCache cache_;
  std::list<Reading> readings_;      // the oldest first
  std::array<PromptPace, 2> paces_;  // without reports and with them
  bool reads_reported_ = false;      // in this piece; the kinds take turns
  bool oldest_first_ = false;
  std::vector<Reading*> chosen_;  // rows of the piece
  std::vector<RidingPrompt> riding_;
  NetworkState state_;
  Window window_;
  std::vector<SymbolReport> reports_;  // of the piece: (steps, rows)
  std::int64_t texts_ = 0;
  std::int64_t symbols_read_ = 0;
  std::int64_t symbols_cached_ = 0;
};

}  // namespace unroll
