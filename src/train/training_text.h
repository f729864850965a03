// The text of a run: read, split and encoded as ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "label/examples.h"
#include "text/ids.h"
#include "text/word_vectors.h"
#include "unroll/data/data_report.h"
#include "unroll/model.h"
#include "unroll/task.h"
#include "unroll/tokenizer.h"
#include "unroll/train.h"

namespace unroll {

// The texts of a task other than language modelling.
struct TaskText {
  Task task = {};
  Examples train = {};
  Examples valid = {};
  // (V) 1: a word that occurs once, and is read as unknown now and then; may be empty.
  std::vector<std::uint8_t> rare = {};
  std::int64_t inputs = 0;         // numbers per step, where these are read; 0: symbols are
  bool per_step = false;           // answers to numbers are one per step
  std::int64_t train_answers = 0;  // labels, numbers or symbols that are learned in an epoch
  std::int64_t valid_answers = 0;
  std::optional<DataReport> report = {};  // on labelled texts, of both parts together or with those to validate on
};

struct TrainingText {
  Tokenizer tokenizer;
  Ids train = {};
  Ids valid = {};                  // empty: no validation
  std::int64_t train_unknown = 0;  // ids that are the unknown symbol
  std::int64_t valid_unknown = 0;
  std::optional<TaskText> task = {};  // then train and valid are empty

  // Ids that are read, of either kind.
  [[nodiscard]] std::int64_t train_symbols() const noexcept {
    return task ? task->train.steps() : static_cast<std::int64_t>(train.size());
  }
  [[nodiscard]] std::int64_t valid_symbols() const noexcept {
    return task ? task->valid.steps() : static_cast<std::int64_t>(valid.size());
  }

  std::optional<WordVectors> vectors = {};  // that the embedding starts from

  std::string fingerprint = {};  // of both, equal for equal ids: "9f86d081884c7d65, 1003854 + 111540 tokens"
};

// With a task, read_task_text() or, of the language model before it, read_unlabelled_text(). Else reads options.text
// (or splits its tail off for validation) and makes the vocabulary from the training part, unless there is a model to
// start `from`, whose it is then. Throws Error{kFile} and Error{kInput}.
[[nodiscard]] TrainingText read_training_text(const TrainOptions& options, const Model* from);

}  // namespace unroll
