// What the validation texts say about a classifier that is trained: temperature, thresholds, labels it never answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "infer/inference.h"
#include "label/examples.h"
#include "unroll/judge/calibration.h"
#include "unroll/task.h"

namespace unroll {

struct CalibratedTask {
  Task task;  // with temperature and thresholds
  Temperature temperature;
  std::string never_answered = {};  // a note on labels that texts have and no text is given; empty: there are none
};

// Chooses the temperature with the smallest loss on these texts, and for any number of labels the threshold of each
// with the largest F1 at that temperature. Texts beyond 4 million scores are passed over evenly, but for the note on
// labels of a text each. A function of its arguments, to the bit, for any number of workers; its time is that of a
// validation and a second or two at most. Requires a network for `task`, which is kClassify, and a text.
[[nodiscard]] CalibratedTask calibrate(const ReadyWeights& ready, const Task& task, const Examples& examples);

}  // namespace unroll
