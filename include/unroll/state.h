// What a model remembers of the text before: the state that a decoder keeps for each of its hypotheses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// What a model remembers: the hidden state of every layer and the symbol that it reads next.
//
// A value: copy it to branch, compare or hash it to find equal histories (std::hash is given below), save it to go on
// later. Its size depends on the network alone, not on how much was read.
struct State {
  std::vector<float> h = {};  // (L, H)
  std::vector<float> c = {};  // (L, H) for LSTM, empty for other cells
  std::int32_t input = 0;     // the symbol that was read last and enters the network at the next step

  // The state as 20 + 4 (|h| + |c|) bytes, whatever the machine: the letters "unrollS1", |h|, |c| and input as 32-bit
  // integers, the numbers of h and of c as IEEE 754 floats, all little-endian.
  [[nodiscard]] std::string save() const;

  // What save() wrote, bit for bit. Throws Error{kFormat} for any other bytes: of another length or kind, or with a
  // number that is not finite. Whether it fits a model is seen by the Scorer that is given it.
  [[nodiscard]] static State load(std::string_view bytes);

  friend bool operator==(const State&, const State&) = default;
};

}  // namespace unroll

// States that compare equal have equal hashes; it differs between machines of different byte order.
template <>
struct std::hash<unroll::State> {
  std::size_t operator()(const unroll::State& state) const noexcept;
};
