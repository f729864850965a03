#include "model/model_file.h"

#include <fmt/format.h>

#include "model/tensor_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string_view what_it_does(TaskKind task) {
  switch (task) {
    case TaskKind::kLanguage:
      return "predicts text";
    case TaskKind::kClassify:
      return "answers with labels of texts";
    case TaskKind::kTag:
      return "answers with labels of words";
    case TaskKind::kConditional:
      return "predicts text, given a label";
    case TaskKind::kRegress:
      return "answers with numbers";
  }
  return {};
}

}  // namespace

void save_model(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                const TrainingRecord& training, const Parameters& parameters, const ModelUse& use) {
  std::vector<TensorToWrite> tensors;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    tensors.emplace_back(tensor.name, tensor.shape, parameters.values(tensor));
  }
  write_tensor_file(path, tensors, model_file_metadata(config, tokenizer, training, use, Precision::kF32));
}

void expect_language_model(const Model& model) {
  const TaskKind kind = model.task().kind;
  if (model.config().outputs == 0 && model.config().bidirectional) {
    throw Error(
        ErrorCode::kUsage,
        "the model reads texts in both directions: classifiers and taggers start from it (`transfer.init`), and "
        "it gives no text a probability");
  }
  if (kind == TaskKind::kLanguage || kind == TaskKind::kConditional) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("the model was trained to {}: it answers with {}, and has no probabilities of symbols",
                          task_name(kind), kind == TaskKind::kRegress ? "numbers" : "labels"));
}

void expect_task(const Model& model, TaskKind task) {
  const TaskKind kind = model.task().kind;
  if (model.config().vocabulary == 0) {
    throw Error(ErrorCode::kUsage, "the model reads sequences of numbers: expected one that reads text");
  }
  if (kind == task) return;
  throw Error(ErrorCode::kUsage, fmt::format("the model {} (task {}): expected a model of the task {}",
                                             what_it_does(kind), task_name(kind), task_name(task)));
}

}  // namespace unroll
