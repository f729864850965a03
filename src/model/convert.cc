#include "unroll/convert.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/weights.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void check_order(Precision from, Precision to) {
  if (to > from) return;  // the enumerators go from large to small
  if (to == from) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the model is {} already: there is nothing to convert", precision_name(from)));
  }
  throw Error(
      ErrorCode::kUsage,
      fmt::format("cannot convert to {}: the model is {}, and rounding cannot be undone; convert the model that "
                  "it was made from",
                  precision_name(to), precision_name(from)));
}

// A matrix in the precision that its file is to have.
struct RoundedMatrix {
  RoundedMatrix(const WeightView& matrix, Precision precision) {
    const auto cols = static_cast<std::size_t>(matrix.cols());
    const std::size_t count = static_cast<std::size_t>(matrix.rows()) * cols;
    bf16.resize(precision == Precision::kBf16 ? count : 0);
    int8.resize(precision == Precision::kInt8 ? count : 0);
    std::vector<float> before(cols);
    std::vector<float> after(cols);
    double squares = 0;
    double error_squares = 0;
    for (std::int64_t r = 0; r < matrix.rows(); ++r) {
      matrix.read_row(r, before);
      round_row(static_cast<std::size_t>(r) * cols, before, after);
      for (std::size_t c = 0; c < cols; ++c) {
        const double difference = double{after[c]} - double{before[c]};
        squares += double{before[c]} * double{before[c]};
        error_squares += difference * difference;
      }
    }
    error = squares == 0 ? 0 : std::sqrt(error_squares / squares);
  }

  std::vector<Bf16> bf16;
  std::vector<std::int8_t> int8;
  std::vector<float> scales;  // int8 only: one for each row
  double error = 0;           // norm of the difference over norm of the matrix; infinite when a weight does not fit

 private:
  void round_row(std::size_t first, std::span<const float> before, std::span<float> after) {
    if (!bf16.empty()) {
      const std::span row(bf16.data() + first, before.size());
      to_bf16(before, row);
      WeightView::bf16(row.data(), 1, std::ssize(row)).read_row(0, after);
    } else {
      const std::span row(int8.data() + first, before.size());
      scales.push_back(to_int8(before, row));
      WeightView::int8(row.data(), &scales.back(), 1, std::ssize(row)).read_row(0, after);
    }
  }
};

// In the order of parameter_tensors.
std::vector<WeightView> matrices_of(const ParametersView& view, bool tied) {
  std::vector<WeightView> matrices{view.encoder};
  for (const RecurrentView& layer : view.layers) {
    matrices.push_back(layer.U);
    matrices.push_back(layer.W);
  }
  if (!tied) matrices.push_back(view.decoder);
  return matrices;
}

std::vector<std::span<const float>> vectors_of(const ParametersView& view) {
  std::vector<std::span<const float>> vectors;
  for (const RecurrentView& layer : view.layers) {
    vectors.push_back(layer.b_input);
    vectors.push_back(layer.b_hidden);
  }
  vectors.push_back(view.decoder_bias);
  return vectors;
}

// What is wider goes first, so that every tensor is aligned to its numbers.
std::vector<TensorToWrite> tensors_of(const NetworkConfig& config, const std::vector<RoundedMatrix>& matrices,
                                      const std::vector<std::span<const float>>& vectors) {
  std::vector<TensorToWrite> floats;
  std::vector<TensorToWrite> rounded;
  auto matrix = matrices.begin();
  auto vector = vectors.begin();
  for (const ParameterTensor& tensor : parameter_tensors(config)) {
    if (tensor.shape.size() == 1) {
      floats.emplace_back(tensor.name, tensor.shape, *vector++);
      continue;
    }
    if (matrix->bf16.empty()) {
      floats.emplace_back(scale_name(tensor.name), std::vector{tensor.shape[0]}, std::span(matrix->scales));
      rounded.emplace_back(tensor.name, tensor.shape, std::span(matrix->int8));
    } else {
      rounded.emplace_back(tensor.name, tensor.shape, std::span(matrix->bf16));
    }
    ++matrix;
  }
  for (TensorToWrite& tensor : rounded) floats.push_back(std::move(tensor));
  return floats;
}

}  // namespace

Conversion convert(const Model& model, Precision precision, const std::string& path) {
  check_order(model.precision(), precision);
  const NetworkConfig& config = model.config();
  check(config, precision);
  const ParametersView& view = model.data().weights.view();
  std::vector<std::string> names;
  for (const ParameterTensor& tensor : parameter_tensors(config)) {
    if (tensor.shape.size() == 2) names.push_back(tensor.name);
  }
  Conversion result;
  std::vector<RoundedMatrix> matrices;
  for (const WeightView& matrix : matrices_of(view, config.tied)) {
    const std::string& name = names.at(matrices.size());
    const double error = matrices.emplace_back(matrix, precision).error;
    if (!std::isfinite(error)) {
      throw Error(ErrorCode::kNumeric,
                  fmt::format("tensor {} has a weight that is too large for {}", name, precision_name(precision)));
    }
    if (result.tensor.empty() || error > result.largest_error) result = {.largest_error = error, .tensor = name};
  }
  std::map<std::string, std::string> metadata = model_metadata(config, model.tokenizer(), model.training());
  metadata["format"] = kRoundedModelFormat;
  metadata["precision"] = precision_name(precision);
  write_tensor_file(path, tensors_of(config, matrices, vectors_of(view)), metadata);
  return result;
}

}  // namespace unroll
