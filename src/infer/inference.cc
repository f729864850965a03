#include "infer/inference.h"

#include <utility>

#include "model/model_file.h"

namespace unroll {

NetworkWeights packed_weights(const Model& model, Workers& workers) {
  expect_language_model(model);
  return packed_task_weights(model, workers);
}

NetworkWeights packed_task_weights(const Model& model, Workers& workers) {
  NetworkWeights weights(model.config(), Purpose::kInference, model.precision());
  weights.pack(model.data().weights.view(), workers);
  return weights;
}

Inference::Inference(Model shared_model, int threads, std::int64_t T, std::int64_t B)
    : model(std::move(shared_model)),
      workers(threads),
      weights(packed_weights(model, workers)),
      network(model.config(), Purpose::kInference, T, B, workers) {}

}  // namespace unroll
