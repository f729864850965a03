// From a network's scores of labels to probabilities, in double precision.
#pragma once

#include <span>

#include "unroll/label/classifier.h"
#include "unroll/task.h"

namespace unroll {

// The probabilities of a text from its K scores, which are finite: softmax, or of several labels a text sigmoid, at
// the temperature of the task.
[[nodiscard]] ClassifiedText probabilities_of(const Task& task, std::span<const float> scores);

// The mean over models, which have the same labels in the same order; tokens are those of the first. Requires one.
[[nodiscard]] ClassifiedText mean_of(std::span<const ClassifiedText> models);

}  // namespace unroll
