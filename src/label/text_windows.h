// Windows of whole texts, for training and for answering.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "label/examples.h"
#include "label/packing.h"
#include "text/window.h"
#include "unroll/network.h"

namespace unroll {

// Steps of a piece of these texts at most.
[[nodiscard]] std::int64_t piece_steps(const Examples& examples) noexcept;

// The largest windows that hold `texts_per_window` of the texts.
[[nodiscard]] PackedSize largest_window(const Examples& examples, std::int64_t texts_per_window,
                                        std::int64_t most_rows);

// What a window reads instead of some words, in training; otherwise nothing.
struct UnknownWords {
  std::int32_t unknown = -1;           // the id that is read
  std::span<const std::uint8_t> rare;  // (V) 1: words that are read as unknown half of the time; empty: none
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
};

// Sets `out` to a window of these texts, packed into rows. Every piece begins with a reset, and so does every step of
// no text, which reads id 0 and predicts nothing. Targets, weights and wanted answers are those of the examples; where
// they are not known, targets are 0, so that all that is asked for has a score. For a language model they are ignored:
// it predicts the symbols of the window (network/language_layer.h).
//
// The texts of a window do not change what a network makes of one of them, to the bit.
void make_text_window(const NetworkConfig& config, const Examples& examples, std::span<const std::size_t> texts,
                      std::int64_t most_rows, const UnknownWords& unknown, Window& out);

}  // namespace unroll
