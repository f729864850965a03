// Gradients of a network's parameters. The embedding's are rows, those of the symbols that were read, and with a
// sampled softmax so are the output layer's: of a large vocabulary a window needs few, and nothing is spent on the
// others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "network/parameters.h"
#include "nn/embedding.h"
#include "nn/recurrent.h"
#include "unroll/network.h"

namespace unroll {

// One float per parameter, but for the embedding's rows that nothing was added to. Where weights are tied, the
// embedding is the output layer's matrix, all rows of which have gradients, and nothing is left out. With samples rows
// of the output layer's matrix are left out too, whether or not it is the embedding. Zero when made.
class Gradients {
 public:
  // `most_rows`: the symbols of the largest window, T*B; between two calls of set_zero() no more different ones may be
  // added. `samples`: those of a sampled softmax; 0: it is not one. Throws what check(config) throws, and
  // Error{kMemory}.
  Gradients(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples = 0);

  // What the constructor allocates.
  static std::int64_t bytes(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples = 0);

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

  // Where a sampled softmax adds to: the output layer's matrix. Requires samples.
  [[nodiscard]] EmbeddingGradient& sampled_decoder() noexcept { return decoder_ ? *decoder_ : *embedding_; }

  // The gradients of all tensors that are no rows: those of Parameters::all() from dense_offset() on, in the same
  // order, the padding between tensors too; with samples those without decoder.weight.
  [[nodiscard]] std::span<float> dense() const noexcept { return dense_.span(); }
  [[nodiscard]] std::int64_t dense_offset() const noexcept { return dense_offset_; }
  // One tensor's part of dense(); empty where its gradient is rows.
  [[nodiscard]] std::span<float> dense(const ParameterTensor& tensor) const noexcept;
  // The others. The embedding: nothing where weights are tied, unless there are samples.
  [[nodiscard]] const std::optional<EmbeddingGradient>& embedding() const noexcept { return embedding_; }
  // decoder.weight: with samples, where weights are not tied.
  [[nodiscard]] const std::optional<EmbeddingGradient>& decoder_rows() const noexcept { return decoder_; }
  // Where that tensor begins in Parameters::all().
  [[nodiscard]] std::int64_t decoder_offset() const noexcept { return hole_.first; }

  // As for Parameters: names and places of the tensors.
  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const noexcept { return tensors_; }
  // What is stored of a tensor's gradient.
  [[nodiscard]] std::span<const float> values(const ParameterTensor& tensor) const noexcept;

  // Sets `all` to the gradients, zeros included. Requires the same sizes.
  void copy_to(Parameters& all) const;
  void set_zero(Workers& workers);

 private:
  // Offsets of Parameters::all() that dense() leaves out beyond dense_offset().
  struct Hole {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  static Hole hole_of(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors, std::int64_t samples);
  // Where a tensor begins in dense(); below 0 where its gradient is rows.
  [[nodiscard]] std::int64_t place(const ParameterTensor& tensor) const noexcept;
  // All tensors, the offset being that place.
  [[nodiscard]] std::vector<ParameterTensor> placed_tensors() const;

  std::vector<ParameterTensor> tensors_;
  std::int64_t dense_offset_;
  Hole hole_;
  FloatBuffer dense_;
  ParameterMatrices matrices_;
  std::optional<EmbeddingGradient> embedding_;
  std::optional<EmbeddingGradient> decoder_;
};

}  // namespace unroll
