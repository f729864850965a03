#include "unroll/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/model_file.h"
#include "model/strict_json.h"
#include "model/tensor_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Compares what the file holds with what its config needs, before memory is taken for it.
void check_parameters(const TensorFile& file, const NetworkConfig& config) {
  const std::vector<ParameterTensor> needed = parameter_tensors(config);
  for (const ParameterTensor& tensor : needed) file.checked(tensor.name, tensor.shape);
  for (const StoredTensor& tensor : file.tensors()) {
    if (std::ranges::find(needed, tensor.name, &ParameterTensor::name) != needed.end()) continue;
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' has tensor {}, for which its network ({}, {} layers{}) has no place", file.path(),
                            quote(tensor.name), cell_name(config.cell), config.layers, config.tied ? ", tied" : ""));
  }
}

}  // namespace

Model Model::load(const std::string& path) {
  const TensorFile file(path, kModelFormat);
  const NetworkConfig config = config_from_metadata(file.metadata(), path);
  check_parameters(file, config);
  Data data{.config = config,
            .tokenizer = tokenizer_from_metadata(file.metadata(), path),
            .training = training_from_metadata(file.metadata(), path),
            .parameters = Parameters(config)};
  for (const ParameterTensor& tensor : data.parameters.tensors()) {
    file.copy(tensor.name, tensor.shape, data.parameters.values(tensor));
  }
  return Model(std::make_shared<const Data>(std::move(data)));
}

Model::Model(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}

const NetworkConfig& Model::config() const noexcept { return data_->config; }

const Tokenizer& Model::tokenizer() const noexcept { return data_->tokenizer; }

const TrainingRecord& Model::training() const noexcept { return data_->training; }

std::vector<TensorInfo> Model::tensors() const {
  std::vector<TensorInfo> tensors;
  for (const ParameterTensor& tensor : data_->parameters.tensors()) tensors.push_back({tensor.name, tensor.shape});
  return tensors;
}

StatePolicy Model::trained_state_policy() const {
  const std::pair<std::string, std::string> reset = {"state", std::string(state_policy_name(StatePolicy::kReset))};
  const auto& options = data_->training.options;
  return std::ranges::find(options, reset) == options.end() ? StatePolicy::kCarry : StatePolicy::kReset;
}

}  // namespace unroll
