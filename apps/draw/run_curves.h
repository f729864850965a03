// The course of a training run, in memory that does not grow with its steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/train.h"

namespace unroll {

// Some steps in a row.
struct StepBin {
  std::int64_t first = 0;  // steps
  std::int64_t last = 0;
  std::int64_t count = 0;
  double nats_sum = 0;  // of nats per token
  double least_nats = 0;
  double most_nats = 0;
  double lr = 0;  // of the last
  double norm_sum = 0;
  double most_norm = 0;
  double tokens = 0;   // trained on in `seconds`
  double seconds = 0;  // 0: not known

  [[nodiscard]] double middle() const noexcept { return static_cast<double>(first + last) / 2; }
  [[nodiscard]] double nats() const noexcept { return nats_sum / static_cast<double>(count); }
  [[nodiscard]] double norm() const noexcept { return norm_sum / static_cast<double>(count); }
};

struct ValidationPoint {
  std::int64_t step = 0;
  double nats = 0;                      // of the better of last and averaged weights
  std::optional<double> accuracy = {};  // where answers are labels
};

struct RunSample {
  std::int64_t step = 0;
  std::string text;
};

// Keeps at most 512 bins of equally many steps, and as many validations: where there are more, of each two the better.
class RunCurves {
 public:
  void add(const StepReport& report);

  [[nodiscard]] const std::vector<StepBin>& bins() const noexcept { return bins_; }
  [[nodiscard]] const std::vector<ValidationPoint>& validations() const noexcept { return validations_; }
  [[nodiscard]] std::int64_t last_step() const noexcept { return bins_.empty() ? 0 : bins_.back().last; }

 private:
  void add_validation(const StepReport& report);

  std::vector<StepBin> bins_;
  std::int64_t bin_steps_ = 1;
  std::int64_t tokens_ = 0;
  std::vector<ValidationPoint> validations_;
};

// Of each bin with those around it, a fortieth of all together: the mean loss and gradient norm of their steps, and
// their tokens per second, or none where that is not known.
struct SmoothStep {
  double nats = 0;
  double norm = 0;
  std::optional<double> tokens_per_s = {};
};
[[nodiscard]] std::vector<SmoothStep> smoothed(const std::vector<StepBin>& bins);

}  // namespace unroll
