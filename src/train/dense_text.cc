#include "train/dense_text.h"

#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "data/dense_scaling.h"
#include "label/dense_examples.h"
#include "train/held_out.h"
#include "train/task_fingerprint.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Targets are those of the task.
DenseOptions reading_of_task(const TrainOptions& options) {
  DenseOptions reading = options.task.dense;
  reading.paths = options.text.paths;
  reading.target = options.task.kind == TaskKind::kRegress ? DenseTarget::kNumbers : DenseTarget::kLabels;
  if (options.task.kind == TaskKind::kClassify && reading.target_per_step) {
    throw Error(ErrorCode::kUsage,
                "`target_per_step` is for labels or numbers of each step, which `task.kind` tag and "
                "regress learn: here it is classify",
                "target_per_step");
  }
  if (options.task.kind == TaskKind::kTag) reading.target_per_step = true;
  return reading;
}

// Sequences to train on and to validate on, as places in the data of each; both may be the same data.
struct DenseParts {
  DenseData train;
  std::optional<DenseData> own_valid;  // of a file of its own
  TextSplit split;

  [[nodiscard]] const DenseData& valid() const { return own_valid ? *own_valid : train; }
};

void expect_same_columns(const DenseData& train, const DenseData& valid) {
  const auto refuse = [&](std::string_view how) {
    throw Error(ErrorCode::kInput, fmt::format("the sequences to validate on differ from those to train on: {}", how));
  };
  if (train.D != valid.D) refuse(fmt::format("{} numbers per step, not {}", valid.D, train.D));
  if (train.inputs != valid.inputs) refuse("their input columns have other names, or another order");
  if (train.outputs.size() != valid.outputs.size()) {
    refuse(fmt::format("{} numbers to learn, not {}", valid.outputs.size(), train.outputs.size()));
  }
  if (valid.labels.size() > train.labels.size()) {
    refuse(fmt::format("the label {} does not occur in those to train on", quote(valid.labels[train.labels.size()])));
  }
}

std::vector<std::size_t> all_sequences(const DenseData& data) {
  std::vector<std::size_t> all(data.sequences());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

DenseParts read_dense_parts(const TrainOptions& options) {
  const DenseOptions reading = reading_of_task(options);
  DenseParts parts{.train = read_dense(reading), .own_valid = {}, .split = {}};
  expect_trainable(parts.train);
  if (options.text.valid.empty()) {
    parts.split = held_out(options, parts.train);
    return parts;
  }
  DenseOptions of_valid = reading;
  of_valid.paths = {options.text.valid};
  of_valid.target_paths = options.task.valid_targets;
  parts.own_valid = read_dense(of_valid);
  renumber_labels(*parts.own_valid, parts.train.labels);
  expect_same_columns(parts.train, *parts.own_valid);
  parts.split = {.train = all_sequences(parts.train), .valid = all_sequences(*parts.own_valid)};
  return parts;
}

// Columns by name are the same in other files; numbers may be others where a column is missing.
std::vector<std::string> names_of_target_columns(const DenseOptions& reading) {
  std::vector<std::string> names;
  for (const std::string& column : reading.target_columns) {
    if (column.find_first_not_of("0123456789") != std::string::npos) names.push_back(column);
  }
  return names;
}

}  // namespace

TrainingText read_dense_text(const TrainOptions& options) {
  DenseParts parts = read_dense_parts(options);
  const DenseData& data = parts.train;
  const bool regress = options.task.kind == TaskKind::kRegress;
  TaskText task{.task = {.kind = options.task.kind, .labels = regress ? data.outputs : data.labels}};
  DenseScaling inputs = input_scaling(data, options.task.scale.value_or(default_scale(data)), parts.split.train);
  DenseScaling outputs = regress ? target_scaling(data, parts.split.train) : DenseScaling();
  task.train = dense_examples(data, parts.split.train, inputs, outputs);
  task.valid = dense_examples(parts.valid(), parts.split.valid, inputs, outputs);
  task.per_step = data.target_per_step;
  task.task.inputs = data.inputs;
  task.task.targets = names_of_target_columns(options.task.dense);
  task.task.input_shift = std::move(inputs.shift);
  task.task.input_factor = std::move(inputs.factor);
  task.task.output_shift = std::move(outputs.shift);
  task.task.output_factor = std::move(outputs.factor);
  task.inputs = data.D;
  const auto answers = [&](const Examples& examples) {
    return task.per_step ? examples.steps() : static_cast<std::int64_t>(examples.count());
  };
  task.train_answers = answers(task.train);
  task.valid_answers = answers(task.valid);
  // Numbers have no vocabulary; the model file has that of bytes in its place.
  TrainingText text{.tokenizer = Tokenizer::train({.kind = TokenizerKind::kByte}, {"01", "numbers"}),
                    .train = {},
                    .valid = {},
                    .fingerprint = task_fingerprint(task)};
  text.task = std::move(task);
  return text;
}

}  // namespace unroll
