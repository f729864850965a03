#include <algorithm>

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

bool reads_characters(TokenizerKind kind) { return kind == TokenizerKind::kChar || kind == TokenizerKind::kByte; }

// A symbol that is dropped or unknown is a smaller part of a name than a word is of a sentence.
void set_character_defaults(TrainOptions& options) {
  options.network.hidden = 128;
  options.network.embed = 64;
  options.regularization.input = 0.1;
  options.regularization.output = 0.3;
  options.regularization.words = 0;
  options.run.lr = 0.004;
}

// Few texts are read more often than many, within limits.
std::int64_t epochs_of_classifier(TokenizerKind kind, std::int64_t windows) {
  constexpr std::int64_t kMostUpdates = 9000;
  constexpr std::int64_t kMostEpochs = 40;
  constexpr std::int64_t kEpochs = 6;
  const std::int64_t least_updates = reads_characters(kind) ? 4000 : 1500;
  const auto epochs = [&](std::int64_t updates) { return (updates + windows - 1) / windows; };
  if (kEpochs * windows < least_updates) return std::min(kMostEpochs, epochs(least_updates));
  return std::min(kEpochs, epochs(kMostUpdates));
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

TrainOptions default_options(TaskKind task, InputKind input, std::optional<TokenizerKind> tokenizer) {
  TrainOptions options;
  options.task.kind = task;
  switch (task) {
    case TaskKind::kLanguage:
      break;
    case TaskKind::kClassify:
      set_labels_defaults(options);
      options.regularization.input = kByTexts;
      if (tokenizer && reads_characters(*tokenizer)) set_character_defaults(options);
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

void settle_dropout(TrainOptions& options, std::size_t texts) noexcept {
  constexpr std::size_t kMany = 20000;
  double& share = options.regularization.input;
  if (share == kByTexts) share = texts < kMany ? 0.7 : 0.3;
}

std::int64_t default_characters(const TaskOptions& task) noexcept {
  constexpr std::int64_t kOfTaggers = 30;
  return task.kind == TaskKind::kTag && task.input == InputKind::kText ? kOfTaggers : 0;
}

std::int64_t default_epochs(const TrainOptions& options, std::int64_t windows) noexcept {
  if (options.task.input == InputKind::kDense) return 20;
  switch (options.task.kind) {
    case TaskKind::kLanguage:
    case TaskKind::kConditional:
    case TaskKind::kRegress:
      return 10;
    case TaskKind::kClassify:
      return epochs_of_classifier(options.tokenizer.kind, windows);
    case TaskKind::kTag:
      return 8;
  }
  return 0;
}

}  // namespace unroll
