#include "draw/network_numbers.h"

namespace unroll {

NetworkNumbers network_numbers(const Model& model) {
  NetworkNumbers numbers;
  for (const TensorInfo& tensor : model.tensors()) {
    std::int64_t count = 1;
    for (const std::int64_t size : tensor.shape) count *= size;
    numbers.parameters += count;
    if (tensor.shape.size() < 2 || tensor.name.starts_with("condition.") || tensor.name.starts_with("crf.")) {
      numbers.biases += count;
    } else if (tensor.name.find("weight_ih") != std::string::npos) {
      numbers.U += count;
    } else if (tensor.name.find("weight_hh") != std::string::npos) {
      numbers.W += count;
    } else if (tensor.name == "encoder.weight") {
      numbers.embedding += count;
      if (model.config().tied) numbers.V += count;
    } else {
      numbers.V += count;
    }
  }
  return numbers;
}

}  // namespace unroll
