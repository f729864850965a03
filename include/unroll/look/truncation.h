// What truncated backpropagation through time cuts off the gradient of the weights.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unroll/look/unrolled_text.h"
#include "unroll/model.h"

namespace unroll {

// `run.bptt` of a model's training: the steps after which gradients were cut off. Nothing where it is not recorded.
[[nodiscard]] std::optional<std::int64_t> trained_bptt(const Model& model);

// A truncated gradient against the full one.
struct CutGradient {
  double cosine = 0;      // of the angle between them; NaN where one is zero
  double norm_ratio = 0;  // ||truncated|| / ||full||
};

struct TruncationAt {
  std::int64_t length = 0;
  CutGradient recurrent = {};  // of W of all layers; NaN for cells without
  CutGradient layers = {};     // of everything in the recurrent layers: U, W, biases, gains
};

// The gradient of the mean loss of all predictions of the text, as training computes it with `run.bptt` at each of
// these lengths, against the one without truncation. Windows are cut from the first step on; states go on from one to
// the next, gradients do not. A length of the text's steps and more is the full gradient, to the bit.
//
// Cost     of a length that of one backward pass over the text.
// Memory   as much again as the text takes.
// Throws   Error{kUsage} for a length below 1, and of a model that labels texts.
[[nodiscard]] std::vector<TruncationAt> truncated_gradients(const UnrolledText& text,
                                                            const std::vector<std::int64_t>& lengths);

}  // namespace unroll
