// Gradients of a network's parameters. The embedding's gradient is stored as rows, those of the symbols that were read,
// and with a sampled softmax so is the output layer's: a window needs few rows of a large vocabulary.
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

// Floats of dense gradients that are summed, and owned, as one: part of the definition of gradient_norm's sum.
inline constexpr std::int64_t kGradientTile = 1 << 14;

// Where an output layer's gradients are added.
struct OutputGradients {
  MatView<float> decoder;
  std::span<float> bias;
  std::span<const TailParams<float>> tails;
  EmbeddingGradient* sampled = nullptr;  // of a sampled softmax, instead of decoder
};

// One float per parameter, except rows of the embedding to which nothing was added. If it is shared, the embedding
// is an output layer's matrix, all rows of which have gradients, and none is left out. With samples, rows of the
// output layer's matrix are left out too, whether or not it is the embedding. Initially zero.
class Gradients {
 public:
  // `most_rows`: the symbols of the largest window, T*B; between two calls of set_zero() at most as many different ones
  // may be added. `samples`: those of a sampled softmax; 0: exact softmax. Throws as check(config), and Error{kMemory}.
  Gradients(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples = 0);

  // Bytes that the constructor allocates.
  static std::int64_t bytes(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples = 0);

  [[nodiscard]] const ParameterMatrices& matrices() const noexcept { return matrices_; }
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

  // Those of the output layer, and of the one that predicts symbols next to a task.
  [[nodiscard]] OutputGradients output() noexcept {
    return {decoder(), decoder_bias(), tails(), decoder_ ? &*decoder_ : embedding_ ? &*embedding_ : nullptr};
  }
  [[nodiscard]] OutputGradients language() noexcept {
    return {matrices_.encoder, matrices_.language_bias, {}, embedding_ ? &*embedding_ : nullptr};
  }

  // The gradients of all tensors that are not rows: those of Parameters::all() from dense_offset() on, in the same
  // order, padding between tensors included; with samples, without decoder.weight.
  [[nodiscard]] std::span<float> dense() const noexcept { return dense_.span(); }
  [[nodiscard]] std::int64_t dense_offset() const noexcept { return dense_offset_; }
  // One tensor's part of dense(); empty if its gradient is rows.
  [[nodiscard]] std::span<float> dense(const ParameterTensor& tensor) const noexcept;
  // The embedding's rows; none if it is shared, unless there are samples.
  [[nodiscard]] const std::optional<EmbeddingGradient>& embedding() const noexcept { return embedding_; }
  // The rows of decoder.weight; with samples, if the embedding is not shared.
  [[nodiscard]] const std::optional<EmbeddingGradient>& decoder_rows() const noexcept { return decoder_; }
  // Both, as far as there are any.
  [[nodiscard]] std::vector<EmbeddingGradient*> rows() noexcept;
  // A place in dense(), and how many floats of the parameters dense() leaves out there.
  struct LeftOut {
    std::int64_t at = 0;
    std::int64_t size = 0;
  };
  [[nodiscard]] LeftOut left_out() const noexcept;
  // The offset of decoder.weight in Parameters::all().
  [[nodiscard]] std::int64_t decoder_offset() const noexcept { return hole_.first; }

  // Names and places of the tensors, as in Parameters.
  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const noexcept { return tensors_; }
  // The stored part of a tensor's gradient.
  [[nodiscard]] std::span<const float> values(const ParameterTensor& tensor) const noexcept;

  // Sets `all` to the gradients, including zeros. Requires the same sizes.
  void copy_to(Parameters& all) const;
  void set_zero(Workers& workers);
  // Adds those of another window, of dense() the part [first, last) alone.
  void add_dense(Workers& workers, const Gradients& other, std::int64_t first, std::int64_t last);
  // The same of rows. Those that these lack come after theirs.
  void add_rows(Workers& workers, const Gradients& other);

  // The place in dense() of the first tensor of a level, and for the number of levels that of the first tensor of the
  // output layer. Backward completes gradients from there on before those in front of it.
  [[nodiscard]] std::int64_t first_of_level(std::int64_t level) const;

 private:
  // Offsets of Parameters::all() that dense() leaves out beyond dense_offset().
  struct Hole {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  static Hole hole_of(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors, std::int64_t samples);
  // Offset of a tensor in dense(); below 0 if its gradient is rows.
  [[nodiscard]] std::int64_t place(const ParameterTensor& tensor) const noexcept;
  // All tensors, with that as their offset.
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
