// A network's parameters: one block of memory, and names, shapes and views into it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "nn/adaptive_softmax.h"
#include "nn/recurrent.h"
#include "unroll/network.h"

namespace unroll {

// The place of one tensor in the block.
struct ParameterTensor {
  std::string name;                 // PyTorch's: "encoder.weight", "rnn.weight_ih_l0", ...
  std::vector<std::int64_t> shape;  // (rows, cols) or (size)
  std::int64_t offset = 0;          // floats from the start of the block
  std::int64_t size = 0;            // floats
};

// The tensors of a network in the order of network/network_tensors.h. Each offset is a multiple of 16, so every tensor
// begins at a 64-byte boundary. Requires a config that passes check().
[[nodiscard]] std::vector<ParameterTensor> parameter_tensors(const NetworkConfig& config);

// The initial state of a level for each label, row by row: (conditions * H) each; c only where the cell has it.
template <class T>
struct ConditionParams {
  std::span<T> h;
  std::span<T> c;
};

// A conditional random field over K labels; nn/crf.h.
template <class T>
struct CrfTables {
  std::span<T> transitions;  // (K * K): row i is from label i
  std::span<T> start;        // (K)
  std::span<T> end;          // (K)
};

// The tensors as matrices and vectors. Does not own. Those that a network lacks are empty.
struct ParameterMatrices {
  MatView<float> encoder;                            // (V, E)
  MatView<float> chars_encoder;                      // (C, character_hidden)
  std::vector<RecurrentParams<float>> chars_layers;  // forward, backward
  std::vector<RecurrentParams<float>> layers;        // one per layer and direction
  std::vector<ConditionParams<float>> conditions;    // one per level
  MatView<float> projection;                         // (E, H)
  std::span<float> attention;                        // (D)
  MatView<float> decoder;                // (V, H); the encoder if tied; with cutoffs the head (head_size, H)
  std::span<float> decoder_bias;         // (V); with cutoffs (head_size)
  std::vector<TailParams<float>> tails;  // one per cutoff
  CrfTables<float> crf;
  std::span<float> language_bias;  // (V)
};

// Gives the lists of `sets`, which have the members of ParameterMatrices, their lengths.
template <class Sets>
void resize_lists(const NetworkConfig& config, Sets& sets) {
  if (config.characters > 0) sets.chars_layers.resize(2);
  sets.layers.resize(static_cast<std::size_t>(config.layers * directions(config)));
  if (config.conditions > 0) sets.conditions.resize(static_cast<std::size_t>(config.layers));
  sets.tails.resize(config.cutoffs.size());
}

// The tensors in `block`, which begins with the tensor at offset `first`; those before it are empty.
[[nodiscard]] ParameterMatrices parameter_matrices(const NetworkConfig& config,
                                                   const std::vector<ParameterTensor>& tensors, std::int64_t first,
                                                   std::span<float> block);

// Floats of the block that holds `tensors`, padding after the last one included.
[[nodiscard]] std::int64_t block_size(const std::vector<ParameterTensor>& tensors) noexcept;

// A network's parameters, read-only, in the precision in which they are stored. Does not own.
struct ParametersView {  // members as in ParameterMatrices
  WeightView encoder;
  WeightView chars_encoder;
  std::vector<RecurrentView> chars_layers;
  std::vector<RecurrentView> layers;
  std::vector<ConditionParams<const float>> conditions;
  WeightView projection;
  std::span<const float> attention;
  WeightView decoder;
  std::span<const float> decoder_bias;
  std::vector<TailView> tails;
  CrfTables<const float> crf;
  std::span<const float> language_bias;
};

// Parameters of a network or an optimizer's moments: anything with one float per parameter. Moves; copy explicitly with
// copy_from(). Initially zero, padding between tensors included; all() includes that padding, so operations on all()
// must map zero to zero there.
class Parameters {
 public:
  // Throws as check(config), and Error{kMemory} if the block cannot be allocated.
  explicit Parameters(const NetworkConfig& config);

  [[nodiscard]] const std::vector<ParameterTensor>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] std::span<float> all() const noexcept { return block_.span(); }
  [[nodiscard]] std::span<float> values(const ParameterTensor& tensor) const noexcept {
    return all().subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size));
  }

  [[nodiscard]] const ParameterMatrices& matrices() const noexcept { return matrices_; }
  [[nodiscard]] MatView<float> encoder() const noexcept { return matrices_.encoder; }  // (V, E)
  [[nodiscard]] const RecurrentParams<float>& layer(std::int64_t l) const {
    return matrices_.layers.at(static_cast<std::size_t>(l));
  }
  [[nodiscard]] MatView<float> projection() const noexcept { return matrices_.projection; }  // (E, H)
  [[nodiscard]] MatView<float> decoder() const noexcept { return matrices_.decoder; }
  [[nodiscard]] std::span<float> decoder_bias() const noexcept { return matrices_.decoder_bias; }
  [[nodiscard]] std::span<const TailParams<float>> tails() const noexcept { return matrices_.tails; }

  [[nodiscard]] ParametersView view() const;

  // Copies every number of `other`. Requires the same sizes.
  void copy_from(const Parameters& other);
  void set_zero();

 private:
  std::vector<ParameterTensor> tensors_;
  FloatBuffer block_;
  ParameterMatrices matrices_;
};

}  // namespace unroll
