// A text of an engine, between its request and its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

}  // namespace unroll
