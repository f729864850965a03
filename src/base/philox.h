// Counter-based random numbers: a number depends on key and counter alone, so any worker can generate any of them, in
// any order, and a resumed run generates the same ones.
#pragma once

#include <array>
#include <cstdint>

namespace unroll {

// The purpose of a stream of random numbers, part of its counter. Values are never reused.
enum class RandomPurpose : std::uint32_t {
  kInitialWeights = 1,   // layer: index of the tensor; step 0
  kDropout = 2,          // layer: connection, 0 for the embedding's output, l+1 for that of recurrent layer l
  kSampling = 3,         // layer: index of the sample, step: position
  kTestPoint = 4,        // random points of gradient checks
  kWordDropout = 5,      // layer 0, row: symbol
  kWeightDrop = 6,       // layer: recurrent layer, row and unit of the matrix
  kWindowCut = 8,        // step: epoch, row: index of the window; layer 0
  kNegativeSamples = 9,  // step; layer and row 0
  kSampledText = 10,     // step: position, row; layer 0
  kBootstrap = 11,       // step: resample, row: its draws in fours, layer 0; of a shuffle 128 of its bits, layer 1
  kHoldOut = 12,         // step and row: upper and lower half of the text's hash; layer 0
  kTextOrder = 13,       // step: epoch, row: index of the text; layer 0
  kUnknownWord = 14,     // step: epoch, row and block: place of a word among all texts; layer 0
  kInitialBiases = 15,   // layer: recurrent layer, of each direction; step 0
  kSetting = 16,         // step: draw of a search, row: what is chosen; layer and block 0
};

// Philox4x32-10: ten rounds of multiplication over four 32-bit words. Equals Random123's reference implementation.
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key) noexcept;

// The four words at one address of a run: key = seed, counter = (step, purpose * 2^16 + layer, row, block).
// Requires layer < 2^16.
[[nodiscard]] std::array<std::uint32_t, 4> random_words(std::uint64_t seed, std::uint32_t step, RandomPurpose purpose,
                                                        std::uint32_t layer, std::uint32_t row,
                                                        std::uint32_t block) noexcept;

// Converts a word to a number in [0, 1): the upper 24 bits, exact in float.
[[nodiscard]] inline float uniform_float(std::uint32_t word) noexcept {
  return static_cast<float>(word >> 8) * 0x1p-24F;
}

// Converts two words to a number in [0, 1) with 53 bits.
[[nodiscard]] inline double uniform_double(std::uint32_t high, std::uint32_t low) noexcept {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace unroll
