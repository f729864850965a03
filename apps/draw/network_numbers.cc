#include "draw/network_numbers.h"

#include <fmt/format.h>

#include "unroll/cell.h"

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

MatrixShapes matrix_shapes(const Model& model) {
  const NetworkConfig& config = model.config();
  const std::int64_t gates = gate_count(config.cell);
  const std::string rows =
      gates > 1 ? fmt::format("{}\xC2\xB7{}", gates, config.hidden) : fmt::format("{}", config.hidden);
  const auto shape = [](const std::string& of_rows, std::int64_t columns) {
    return fmt::format("{} \xC3\x97 {}", of_rows, columns);
  };
  return {.U = shape(rows, config.embed),
          .W = has_recurrent_weights(config.cell) ? shape(rows, config.hidden) : "",
          .V = config.cutoffs.empty()
                   ? shape(fmt::format("{}", config.vocabulary), config.tied ? config.embed : config.hidden)
                   : ""};
}

}  // namespace unroll
