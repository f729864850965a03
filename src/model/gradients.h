// Gradients of a network's parameters. The embedding's are rows, those of the symbols that were read: of a large
// vocabulary a window reads few, and nothing is spent on the others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "model/parameters.h"
#include "nn/embedding.h"
#include "nn/recurrent.h"
#include "unroll/network.h"

namespace unroll {

// One float per parameter, but for the embedding's rows that nothing was added to. Where weights are tied, the
// embedding is the output layer's matrix, all rows of which have gradients, and nothing is left out. Zero when made.
class Gradients {
 public:
  // `most_rows`: the symbols of the largest window, T*B; between two calls of set_zero() no more different ones may be
  // added. Throws what check(config) throws, and Error{kMemory}.
  Gradients(const NetworkConfig& config, std::int64_t most_rows);

  // What the constructor allocates.
  static std::int64_t bytes(const NetworkConfig& config, std::int64_t most_rows);

  [[nodiscard]] const RecurrentParams<float>& layer(std::int64_t l) const {
    return matrices_.layers.at(static_cast<std::size_t>(l));
  }
  [[nodiscard]] MatView<float> projection() const noexcept { return matrices_.projection; }  // (E, H)
  [[nodiscard]] MatView<float> decoder() const noexcept { return matrices_.decoder; }
  [[nodiscard]] std::span<float> decoder_bias() const noexcept { return matrices_.decoder_bias; }
  [[nodiscard]] std::span<const TailParams<float>> tails() const noexcept { return matrices_.tails; }

  // The gradient of the embedding's row ids[r] += dx_r, summed in the order of r; dx (R, E). Uses `workers`; the bits
  // do not depend on their number.
  void add_embedding(Workers& workers, std::span<const std::int32_t> ids, MatView<const float> dx);

  // The gradients of all tensors but the embedding's rows: those of Parameters::all() from dense_offset() on, in the
  // same order, the padding between tensors too.
  [[nodiscard]] std::span<float> dense() const noexcept { return dense_.span(); }
  [[nodiscard]] std::int64_t dense_offset() const noexcept { return dense_offset_; }
  // The others; nothing where weights are tied.
  [[nodiscard]] const std::optional<EmbeddingGradient>& embedding() const noexcept { return embedding_; }

  // As for Parameters: names and places of the tensors.
  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const noexcept { return tensors_; }
  // What is stored of a tensor's gradient.
  [[nodiscard]] std::span<const float> values(const ParameterTensor& tensor) const noexcept;

  // Sets `all` to the gradients, zeros included. Requires the same sizes.
  void copy_to(Parameters& all) const;
  void set_zero(Workers& workers);

 private:
  std::vector<ParameterTensor> tensors_;
  std::int64_t dense_offset_;
  FloatBuffer dense_;
  ParameterMatrices matrices_;
  std::optional<EmbeddingGradient> embedding_;
};

}  // namespace unroll
