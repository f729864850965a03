// A text of an engine, between its request and its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "unroll/engine.h"
#include "write/written_text.h"

namespace unroll {

struct ServedText {
  std::int64_t number = 0;
  WrittenText writing;
  SymbolDetail detail;
  std::optional<std::int32_t> condition;  // the label that its state begins with
  std::vector<std::int32_t> reads;        // its prompt as the network reads it; at least one
  bool first_is_given = false;            // reads begins with a symbol of the prompt
  std::int32_t input = 0;                 // once the prompt is read: what the network reads next
};

// One whose prompt was read, but for `input`, and the state after that.
struct StartedText {
  std::unique_ptr<ServedText> text;
  std::vector<float> row;  // infer/state_rows.h
};

// Whether an event has anything to tell.
[[nodiscard]] inline bool tells(const TextEvent& event) noexcept {
  return !event.piece.empty() || !event.symbols.empty() || event.finish || event.error;
}

// A prompt that goes along with a step of texts that are written: it reads `input`, and the step moves its state on.
struct RidingPrompt {
  std::int32_t input = 0;
  std::span<float> row;
};

}  // namespace unroll
