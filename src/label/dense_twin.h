// A network that reads embeddings instead of symbols, for gradients with respect to them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/workers.h"
#include "label/examples.h"
#include "network/gradients.h"
#include "network/network_weights.h"
#include "unroll/model.h"

namespace unroll {

// Scores and gradients of a label at points between two texts of equal length.
class DenseTwin {
 public:
  // The model's network without its embedding, in f32. Requires a model that classifies texts. `workers` must outlive
  // this.
  DenseTwin(const Model& model, Workers& workers);

  // The embeddings of the symbols of one text, one after the other, each with its vector from characters, if there are
  // some.
  [[nodiscard]] std::vector<float> embed(const Examples& text) const;

  // The label's score of each alpha * embeddings. Adds the gradient of their sum to `gradient`, of the size of
  // `embeddings`.
  std::vector<double> scores_along(std::span<const float> embeddings, std::span<const double> alphas,
                                   std::int32_t label, std::span<double> gradient);

 private:
  std::vector<double> run(const Examples& examples, std::int32_t label, std::span<double> gradient);

  NetworkConfig whole_config_;
  NetworkConfig config_;
  Workers& workers_;
  Parameters whole_;
  NetworkWeights whole_weights_;
  Parameters parameters_;
  NetworkWeights weights_;
  Gradients gradients_;
};

}  // namespace unroll
