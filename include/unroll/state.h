// The state of a model between symbols, as a decoder keeps it for each of its hypotheses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The hidden state of every layer and the symbol that the model reads next.
//
// A value: copy it to branch, compare or hash it to find equal histories (std::hash is given below), save it to
// continue later. Its size depends on the network alone, not on how much was read.
struct State {
  std::vector<float> h = {};  // (L, H)
  std::vector<float> c = {};  // (L, H) for LSTM, empty for other cells
  std::int32_t input = 0;     // the last symbol so far, which enters the network at the next step; -1: none so far

  // The state as 20 + 4 (|h| + |c|) bytes, whatever the machine: the letters "unrollS1", |h|, |c| and input as 32-bit
  // integers, the numbers of h and of c as IEEE 754 floats, all little-endian.
  [[nodiscard]] std::string save() const;

  // Restores what save() returned, bit for bit. Throws Error{kFormat} for any other bytes: of another length or kind,
  // or with a number that is not finite. Whether it fits a model is checked by the Scorer that is given it.
  [[nodiscard]] static State load(std::string_view bytes);

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace unroll

// States that compare equal have equal hashes; it differs between machines of different byte order.
template <>
struct std::hash<unroll::State> {
  std::size_t operator()(const unroll::State& state) const noexcept;
};
