// The text of a run: read, split and encoded as ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/tokenizer.h"
#include "unroll/train.h"

namespace unroll {

struct TrainingText {
  Tokenizer tokenizer;
  std::vector<std::int32_t> train;
  std::vector<std::int32_t> valid;  // empty: no validation
  std::int64_t train_unknown = 0;   // ids that are the unknown symbol
  std::int64_t valid_unknown = 0;
  std::string fingerprint;  // of both, equal for equal ids: "9f86d081884c7d65, 1003854 + 111540 tokens"
};

// Reads options.text (or splits its tail off for validation) and makes the vocabulary from the training part, unless a
// `tokenizer` is given. Throws Error{kFile} and Error{kInput}.
[[nodiscard]] TrainingText read_training_text(const TrainOptions& options, const Tokenizer* tokenizer);

}  // namespace unroll
