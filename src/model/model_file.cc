#include "model/model_file.h"

#include "model/tensor_file.h"

namespace unroll {

void save_model(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                const TrainingRecord& training, const Parameters& parameters, BeginPolicy begin) {
  std::vector<TensorToWrite> tensors;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    tensors.emplace_back(tensor.name, tensor.shape, parameters.values(tensor));
  }
  write_tensor_file(path, tensors, model_file_metadata(config, tokenizer, training, begin, Precision::kF32));
}

}  // namespace unroll
