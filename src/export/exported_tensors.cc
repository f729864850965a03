#include "export/exported_tensors.h"

namespace unroll {
namespace {

std::vector<std::int64_t> exported_shape(const NetworkConfig& config, const ParameterTensor& tensor) {
  if (tensor.name.starts_with("condition.")) return {config.conditions, config.hidden};
  if (tensor.name == "crf.transitions") return {config.outputs, config.outputs};
  if (tensor.name == "attention.weight") return {1, tensor.size};
  return tensor.shape;
}

}  // namespace

std::vector<ExportedTensor> exported_tensors(const NetworkConfig& config, const Parameters& parameters) {
  std::vector<ExportedTensor> exported;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    if (config.tied && tensor.name == "decoder.bias") {
      ExportedTensor decoder = exported.front();  // the embedding
      decoder.name = "decoder.weight";
      exported.push_back(std::move(decoder));
    }
    exported.push_back(
        {.name = tensor.name, .shape = exported_shape(config, tensor), .numbers = parameters.values(tensor)});
  }
  return exported;
}

}  // namespace unroll
