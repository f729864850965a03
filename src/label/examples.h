// Texts of a task as a network reads them, with the right answers where they are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "unroll/network.h"

namespace unroll {

// The characters of distinct words, each as ids of a character vocabulary; at most kWordCharacters of a word.
struct WordForms {
  std::vector<std::int32_t> characters = {};
  std::vector<std::int64_t> ends = {};  // of each word's characters; none is empty

  [[nodiscard]] std::span<const std::int32_t> word(std::size_t form) const {
    const std::int64_t first = form == 0 ? 0 : ends[form - 1];
    return std::span(characters).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(ends[form] - first));
  }
};

inline constexpr std::int32_t kNoWord = -1;  // the form of a step without characters

// N texts, one after the other: the steps of text i are [starts[i], starts[i + 1]). No text is empty.
struct Examples {
  std::vector<std::int64_t> starts = {0};
  std::vector<std::int32_t> ids = {};    // of each step
  std::vector<float> numbers = {};       // (steps, E) instead of ids, where a network has no vocabulary
  bool are_whole = false;                // each text is read in one piece, however long, as sequences of numbers are
  std::vector<std::int32_t> forms = {};  // of each step, with a character network: the place of its word, or kNoWord
  WordForms words = {};

  // Answers: one per text, or with the readout steps one per step; -1 and empty: not known.
  std::vector<std::int32_t> labels = {};
  std::vector<std::uint8_t> sets = {};  // (answers, K) loss sigmoid
  std::vector<float> wanted = {};       // (answers, K) loss squared
  std::vector<float> weights = {};      // (N) of each text; empty: 1

  [[nodiscard]] std::size_t count() const noexcept { return starts.size() - 1; }
  [[nodiscard]] std::int64_t length(std::size_t text) const noexcept { return starts[text + 1] - starts[text]; }
  [[nodiscard]] std::int64_t steps() const noexcept { return starts.back(); }
};

// The first texts, with their answers.
[[nodiscard]] Examples first_examples(const Examples& all, std::size_t count, const NetworkConfig& config);

}  // namespace unroll
