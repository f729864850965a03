// What a model was trained to do, and what its outputs are called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

//   kLanguage     predicts each symbol of a text from those before it
//   kClassify     answers with a label per text
//   kTag          answers with a label per word
//   kConditional  predicts symbols as kLanguage does, given a label
//   kRegress      answers with numbers, per sequence or per step
enum class TaskKind { kLanguage, kClassify, kTag, kConditional, kRegress };

// "language", "classify", "tag", "conditional", "regress".
[[nodiscard]] std::string_view task_name(TaskKind kind) noexcept;

// The task with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] TaskKind parse_task(std::string_view text);

// The names of a network's outputs, and how its answers are read.
struct Task {
  TaskKind kind = TaskKind::kLanguage;
  std::vector<std::string> labels = {};  // of outputs or conditions, in their order; of kRegress names of numbers
  bool multi_label = false;              // kClassify: each label is right or wrong by itself

  // kClassify: scores are divided by this before they become probabilities (Guo et al. 2017).
  double temperature = 1;
  // kClassify: the probability from which a label is answered, per label; empty: 0.5 with multi_label, else 0.
  std::vector<double> thresholds = {};
  // kClassify without multi_label: what probabilities are multiplied by before the largest is the answer, per label;
  // empty: 1.
  std::vector<double> factors = {};

  // kTag: the scheme of labels for spans (unroll/judge/tag_scheme.h), by its name; empty: none was recognised.
  std::string scheme = {};
  // kTag: the column of tags in the file to train on, as ColumnOptions give it; empty: not known.
  std::string column = {};
  // Of a character network: its symbols from id 1 on, one code point each; id 0 stands for all others.
  std::vector<std::string> characters = {};

  // Where inputs are numbers, and came from tables: the names of the columns of inputs, and of those of targets, which
  // are no inputs. Empty: they have none.
  std::vector<std::string> inputs = {};
  std::vector<std::string> targets = {};

  // Where inputs are numbers: each is (x - shift) * factor of its place; empty: x.
  std::vector<double> input_shift = {};
  std::vector<double> input_factor = {};
  // kRegress: an answer is y * factor + shift; empty: y.
  std::vector<double> output_shift = {};
  std::vector<double> output_factor = {};

  friend bool operator==(const Task&, const Task&) = default;
};

}  // namespace unroll
