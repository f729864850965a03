// The pictures of training runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "draw/picture.h"
#include "draw/run_curves.h"

namespace unroll {

// A run, and what pictures call it. The curves must outlive the call.
struct NamedRun {
  std::string name;
  const RunCurves* curves = nullptr;
};

// By step: the training loss (the mean of neighbouring steps, and faintly from the least to the most), the held-out
// loss where any run has one, the accuracy where any has one, the learning rate, the gradient norm on a logarithmic
// scale, and tokens per second. At most six runs. Each is a picture of its own, with its numbers.
[[nodiscard]] std::vector<Picture> curve_panels(const std::vector<NamedRun>& runs, bool standalone);

// The manner of line and the name of each run.
[[nodiscard]] Picture curves_legend(const std::vector<NamedRun>& runs, bool standalone);

// The same side by side in one picture, its numbers in one table.
[[nodiscard]] Picture curves_picture(const std::vector<NamedRun>& runs, bool standalone);

}  // namespace unroll
