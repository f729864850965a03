#include "unroll/model.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "model/model_file.h"
#include "model/tensor_file.h"
#include "unroll/model_bytes.h"

namespace unroll {

namespace {

Model model_of(TensorFile file, const std::string& path) {
  const std::map<std::string, std::string> metadata = file.take_metadata();
  const NetworkConfig config = config_from_metadata(metadata, path);
  ModelWeights weights(std::move(file), config, precision_from_metadata(metadata, path));
  const Tokenizer tokenizer = tokenizer_from_metadata(metadata, path);
  ModelUse use = use_from_metadata(metadata, config, tokenizer, path);
  return Model(std::make_shared<const Model::Data>(Model::Data{.config = config,
                                                               .tokenizer = tokenizer,
                                                               .training = training_from_metadata(metadata, path),
                                                               .weights = std::move(weights),
                                                               .use = std::move(use),
                                                               .checksum = metadata.at("checksum")}));
}

}  // namespace

Model Model::load(const std::string& path) {
  return model_of(TensorFile(path, {kModelFormat, kRoundedModelFormat, kPolicyModelFormat}), path);
}

Model read_model(std::string_view bytes, const std::string& name) {
  return model_of(TensorFile(std::string(bytes), name, {kModelFormat, kRoundedModelFormat, kPolicyModelFormat}), name);
}

Model::Model(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}

const NetworkConfig& Model::config() const noexcept { return data_->config; }

const Tokenizer& Model::tokenizer() const noexcept { return data_->tokenizer; }

const TrainingRecord& Model::training() const noexcept { return data_->training; }

Precision Model::precision() const noexcept { return data_->weights.precision(); }

BeginPolicy Model::begin_policy() const noexcept { return data_->use.begin; }

const std::string& Model::checksum() const noexcept { return data_->checksum; }

const Task& Model::task() const noexcept { return data_->use.task; }

std::vector<TensorInfo> Model::tensors() const {
  std::vector<TensorInfo> tensors;
  for (const ParameterTensor& tensor : parameter_tensors(data_->config)) {
    const bool is_matrix = tensor.shape.size() == 2;
    tensors.push_back(
        {.name = tensor.name, .shape = tensor.shape, .precision = is_matrix ? precision() : Precision::kF32});
  }
  return tensors;
}

StatePolicy Model::trained_state_policy() const {
  if (tokenizer().boundary() < 0) return StatePolicy::kReset;
  const std::pair<std::string, std::string> reset = {"state", std::string(state_policy_name(StatePolicy::kReset))};
  const auto& options = data_->training.options;
  return std::ranges::find(options, reset) == options.end() ? StatePolicy::kCarry : StatePolicy::kReset;
}

// A safetensors file begins with the size of its header, which would be an enormous number if it were text, and the
// header's brace.
bool is_model_file(const std::string& path) {
  if (path.ends_with(".safetensors")) return true;
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) return false;
  constexpr std::size_t kSizeBytes = 8;
  std::array<char, kSizeBytes + 1> start{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(start.data(), start.size())) return false;
  std::uint64_t header = 0;
  for (std::size_t i = kSizeBytes; i > 0; --i) header = header << 8 | static_cast<unsigned char>(start[i - 1]);
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  return !failure && start[kSizeBytes] == '{' && header <= size;
}

}  // namespace unroll
