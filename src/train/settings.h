// Settings for a run of minutes: the larger the network, the more updates it needs before it is the better one.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/train.h"

namespace unroll {

// Values of the options that are chosen together. The lists of docs/results.md show what was tried.
struct Setting {
  Cell cell = Cell::kLstm;
  std::int64_t layers = 1;
  std::int64_t hidden = 1;
  std::int64_t embed = 1;
  bool tied = false;
  Softmax softmax = Softmax::kFull;
  double dropout = 0;  // of inputs, between layers, of outputs
  std::int64_t batch_size = 1;
  std::int64_t bptt = 1;
  Optimizer optimizer = Optimizer::kAdam;
  double lr = 0;
  double clip = 1;
  double least_steps = 0;  // worth taking from so many steps on
};

// The settings for a vocabulary of V symbols, from small to large. The first is worth taking at once.
[[nodiscard]] std::span<const Setting> settings_for(std::int64_t V) noexcept;

// The options with this setting.
[[nodiscard]] TrainOptions with_setting(TrainOptions options, const Setting& setting);

}  // namespace unroll
