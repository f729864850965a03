// One vector of a text whose steps come one after another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/readout.h"

namespace unroll {

// The readouts kLast, kMax, kMean and kConcat of nn/pooling.h with the same bits, in memory for one vector.
class TextPooling {
 public:
  // D: numbers of a step, of which the first `forward` are read forwards: of these the last step's are the last.
  TextPooling(Readout readout, std::int64_t D, std::int64_t forward);

  // Takes the next step of a text (D).
  void add(std::span<const float> step);

  // The vector of the text (readout_size(readout, D)), valid until the next call. The next step begins another text.
  // Requires a step.
  [[nodiscard]] std::span<const float> finish();

 private:
  Readout readout_;
  std::size_t forward_;
  std::int64_t steps_ = 0;
  std::vector<float> last_;
  std::vector<float> max_;
  std::vector<float> sum_;
  std::vector<float> out_;
};

}  // namespace unroll
