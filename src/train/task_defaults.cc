#include "train/options.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// Small texts with labels: words are known or not, networks are small and strongly regularised.
void set_labels_defaults(TrainOptions& options) {
  options.tokenizer.kind = TokenizerKind::kWord;
  options.tokenizer.lowercase = true;
  options.text.state = StatePolicy::kReset;
  options.network.hidden = 100;
  options.network.embed = 100;
  options.regularization.input = 0.5;
  options.regularization.output = 0.5;
  options.regularization.words = 0.1;
  options.run.batch_size = 32;
  options.run.lr = 0.002;
  options.run.average = Average::kEma;
  options.run.ema_decay = 0.995;
}

// Numbers are not symbols: dropping some of them changes what the others mean.
void set_dense_defaults(TrainOptions& options) {
  options.task.input = InputKind::kDense;
  options.tokenizer = {.kind = TokenizerKind::kByte};
  options.task.characters = 0;
  options.network.embed = 0;
  options.regularization.input = 0;
  options.regularization.words = 0;
  options.regularization.output = 0.2;
  options.run.lr = 0.004;
}

}  // namespace

TrainOptions default_options(TaskKind task, InputKind input) {
  TrainOptions options;
  options.task.kind = task;
  switch (task) {
    case TaskKind::kLanguage:
      break;
    case TaskKind::kClassify:
      set_labels_defaults(options);
      break;
    case TaskKind::kTag:
      set_labels_defaults(options);
      options.tokenizer.kind = TokenizerKind::kWhitespace;
      options.run.lr = 0.004;
      break;
    case TaskKind::kConditional:
      options.text.state = StatePolicy::kReset;
      options.network.hidden = 128;
      options.network.embed = 64;
      options.regularization.input = 0.1;
      options.regularization.output = 0.2;
      options.run.batch_size = 32;
      break;
    case TaskKind::kRegress:
      set_labels_defaults(options);
      options.task.bidirectional = false;
      input = InputKind::kDense;
      break;
  }
  if (input == InputKind::kDense) set_dense_defaults(options);
  return options;
}

std::int64_t default_characters(const TaskOptions& task) noexcept {
  constexpr std::int64_t kOfTaggers = 30;
  return task.kind == TaskKind::kTag && task.input == InputKind::kText ? kOfTaggers : 0;
}

std::int64_t default_epochs(TaskKind task, InputKind input) noexcept {
  if (input == InputKind::kDense) return 20;
  switch (task) {
    case TaskKind::kLanguage:
    case TaskKind::kConditional:
    case TaskKind::kRegress:
      return 10;
    case TaskKind::kClassify:
      return 6;
    case TaskKind::kTag:
      return 8;
  }
  return 0;
}

}  // namespace unroll
