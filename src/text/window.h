// Windows: the input of a network, T steps of B rows at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unroll {

inline constexpr std::int32_t kIgnored = -1;  // a target without a prediction

// A piece of a text in a window: steps [first, first + steps) of one row, which are those of no other piece.
struct WindowPiece {
  std::int32_t row = 0;
  std::int32_t first = 0;
  std::int32_t steps = 0;  // at least 1
};

// A whole text in a window: pieces [first, first + count) of its list, in the order in which they are read.
struct WindowText {
  std::int32_t first = 0;
  std::int32_t count = 0;  // at least 1
};

// Characters that are read of a word at most: of a longer one the first and the last half as many.
inline constexpr std::int64_t kWordCharacters = 32;

// The characters of the words of a window: a window of its own, whose texts are distinct words.
struct CharacterWindow {
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::vector<std::int32_t> inputs;  // as in Window
  std::vector<std::uint8_t> reset;
  std::vector<WindowPiece> pieces;
  std::vector<WindowText> texts;
  std::vector<std::int32_t> word_of;  // the text of each step of the window of words; their number where it has none
};

// What a window is a part of: the part of one replica (dist/shares.h).
struct WindowPart {
  std::int64_t first_row = 0;   // the place of its row 0 in the whole
  std::int64_t rows = 0;        // of the whole; 0: the window is the whole
  std::int64_t first_text = 0;  // the place of its first text
  double share = 1;             // of its mean loss in that of the whole: its gradient is multiplied by it
};

// T steps of B rows, time-major: entry t*B+b.
struct Window {
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::vector<std::int32_t> inputs;   // the id that enters the network
  std::vector<std::int32_t> targets;  // the id that is predicted, or kIgnored
  std::vector<std::uint8_t> reset;    // 1: zero state before this step; empty when no bit is set
  std::int64_t predictions = 0;       // targets that count

  // Of tasks other than language modelling; otherwise empty. A window of theirs holds whole texts, whose pieces begin
  // with a reset, as does what follows the last piece of a row. With a readout of one vector per text, targets are one
  // per text.
  std::vector<WindowPiece> pieces = {};
  std::vector<WindowText> texts = {};
  std::vector<float> numbers = {};  // (T*B, E) what enters a network without a vocabulary, instead of inputs
  CharacterWindow characters = {};  // of a network with characters
  std::vector<float> weights = {};  // of each target, in the loss; empty: 1
  std::vector<std::uint8_t> wanted_labels = {};  // (targets, K) loss sigmoid: 1 where a label is right
  std::vector<float> wanted_numbers = {};        // (targets, K) loss squared

  // (B) of a language model with conditions: the label that sets a row's state before the first step; kIgnored: none.
  std::vector<std::int32_t> conditions = {};

  WindowPart part = {};
};

// One step of one row.
struct WindowStep {
  std::int32_t input = 0;
  std::int32_t target = kIgnored;
  bool reset = false;  // zero state before this step
};

// Sets all of `out`, reusing its memory: T steps of B rows, entry (t, b) being step(b, t), a WindowStep. Calls step()
// row by row and in the order of time within a row, so that a row may be a thing that moves on with each call.
template <class Step>
void make_window(std::int64_t T, std::int64_t B, Window& out, const Step& step) {
  const auto size = static_cast<std::size_t>(T * B);
  out.T = T;
  out.B = B;
  out.inputs.resize(size);
  out.targets.resize(size);
  out.reset.resize(size);
  out.predictions = 0;
  bool resets = false;
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t t = 0; t < T; ++t) {
      const auto entry = static_cast<std::size_t>(t * B + b);
      const WindowStep made = step(b, t);
      out.inputs[entry] = made.input;
      out.targets[entry] = made.target;
      out.reset[entry] = made.reset ? 1 : 0;
      out.predictions += made.target == kIgnored ? 0 : 1;
      resets = resets || made.reset;
    }
  }
  if (!resets) out.reset.clear();
}

}  // namespace unroll
