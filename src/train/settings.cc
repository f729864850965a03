#include "train/settings.h"

#include <array>

namespace unroll {

std::span<const Setting> settings_for(std::int64_t V) noexcept {
  constexpr std::int64_t kLargeVocabulary = 5000;  // the softmax would take most of the time
  static constexpr std::array kCharacters{
      Setting{.cell = Cell::kGru, .hidden = 256, .embed = 64, .batch_size = 16, .bptt = 32, .lr = 0.005},
      Setting{.cell = Cell::kGru,
              .layers = 2,
              .hidden = 256,
              .embed = 64,
              .batch_size = 16,
              .bptt = 48,
              .lr = 0.003,
              .least_steps = 4000},
      Setting{.hidden = 512,
              .embed = 512,
              .dropout = 0.1,
              .batch_size = 16,
              .bptt = 32,
              .lr = 0.004,
              .least_steps = 12000}};
  static constexpr std::array kWords{Setting{.hidden = 200,
                                             .embed = 200,
                                             .tied = true,
                                             .softmax = Softmax::kSampled,
                                             .batch_size = 16,
                                             .bptt = 32,
                                             .lr = 0.004},
                                     Setting{.layers = 2,
                                             .hidden = 200,
                                             .embed = 200,
                                             .tied = true,
                                             .softmax = Softmax::kSampled,
                                             .dropout = 0.2,
                                             .batch_size = 20,
                                             .bptt = 35,
                                             .optimizer = Optimizer::kSgd,
                                             .lr = 20,
                                             .clip = 0.25,
                                             .least_steps = 5000}};
  if (V < kLargeVocabulary) return kCharacters;
  return kWords;
}

TrainOptions with_setting(TrainOptions options, const Setting& setting) {
  options.network.cell = setting.cell;
  options.network.layers = setting.layers;
  options.network.hidden = setting.hidden;
  options.network.embed = setting.embed;
  options.network.tied = setting.tied;
  options.network.softmax = setting.softmax;
  options.regularization.input = setting.dropout;
  options.regularization.between = setting.dropout;
  options.regularization.output = setting.dropout;
  options.run.batch_size = setting.batch_size;
  options.run.bptt = setting.bptt;
  options.run.optimizer = setting.optimizer;
  options.run.lr = setting.lr;
  options.run.clip = setting.clip;
  return options;
}

}  // namespace unroll
