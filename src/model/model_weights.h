// The weights of a model in place: in a mapped file, in any precision, or in memory.
#pragma once

#include <optional>

#include "model/tensor_file.h"
#include "network/parameters.h"
#include "unroll/network.h"

namespace unroll {

// Moves; the views stay valid.
class ModelWeights {
 public:
  // Weights in memory, f32.
  explicit ModelWeights(Parameters parameters);

  // Weights in a file: matrices of `precision` (int8 with a scale per row, tensor NAME.scale), everything else f32.
  // Throws Error{kFormat} naming the first tensor that is missing, unexpected, of another type or shape, or that holds
  // a number that is not finite or a scale below zero.
  ModelWeights(TensorFile file, const NetworkConfig& config, Precision precision);

  [[nodiscard]] const ParametersView& view() const noexcept { return view_; }
  [[nodiscard]] Precision precision() const noexcept { return view_.decoder.precision(); }

 private:
  std::optional<Parameters> parameters_;
  std::optional<TensorFile> file_;
  ParametersView view_;
};

// The name of the scales of an int8 matrix: "encoder.weight.scale", shape (rows).
[[nodiscard]] std::string scale_name(const std::string& matrix);

// Sets `parameters` to the values of `view`, as floats. Requires both to be of that network.
void read_parameters(const NetworkConfig& config, const ParametersView& view, const Parameters& parameters);

}  // namespace unroll
