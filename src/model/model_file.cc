#include "model/model_file.h"

#include "model/tensor_file.h"

namespace unroll {

void save_model(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                const TrainingRecord& training, const Parameters& parameters) {
  std::map<std::string, std::string> metadata = model_metadata(config, tokenizer, training);
  metadata["format"] = kModelFormat;
  std::vector<TensorToWrite> tensors;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    tensors.emplace_back(tensor.name, tensor.shape, parameters.values(tensor));
  }
  write_tensor_file(path, tensors, metadata);
}

}  // namespace unroll
