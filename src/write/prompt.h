// Encodes the text that a model is to continue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/model.h"
#include "unroll/tokenizer.h"

namespace unroll {

// The symbols of `prompt`, line ends as boundary symbols, without a closing one. Throws Error{kInput} for text that the
// tokenizer cannot read and for a symbol or a line end that the vocabulary lacks, naming the first and its byte.
[[nodiscard]] std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, std::string_view prompt);

// What is read before a text: `begin`, or the model's own policy. Throws Error{kUsage} for BeginPolicy::kBoundary where
// the vocabulary has no boundary.
[[nodiscard]] BeginPolicy begin_of(const Model& model, std::optional<BeginPolicy> begin);

// A prompt as a network reads it.
struct Prompt {
  std::vector<std::int32_t> reads = {};  // every id, in order: with BeginPolicy::kBoundary first the boundary
  std::int32_t last = -1;                // the last symbol of the prompt itself; -1: it is empty
  bool ends_in_space = false;
};

[[nodiscard]] bool ends_in_white_space(std::string_view text);

// The prompt of these ids. Throws Error{kInput} for an id that does not exist, and with BeginPolicy::kNone for none at
// all: the first symbol has to be given.
[[nodiscard]] Prompt prompt_of(const Tokenizer& tokenizer, BeginPolicy begin, std::span<const std::int32_t> ids);

// The same of a text. Throws as encode_prompt() too.
[[nodiscard]] Prompt prompt_of(const Tokenizer& tokenizer, BeginPolicy begin, std::string_view text);

}  // namespace unroll
