#include "model/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "base/quote.h"
#include "network/network_tensors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr float kLargestQuantum = 127;  // of an int8 matrix: the largest factor of a scale

// Looks up the tensors of a network in a file.
class TensorReader {
 public:
  TensorReader(TensorFile& file, Precision precision) : file_(file), precision_(precision) {}

  WeightView matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
    known_.insert(name);
    switch (precision_) {
      case Precision::kF32:
        return MatView<const float>(file_.values<float>(name, {rows, cols}).data(), rows, cols);
      case Precision::kBf16:
        return WeightView::bf16(file_.values<Bf16>(name, {rows, cols}).data(), rows, cols);
      case Precision::kInt8: {
        const std::int8_t* const numbers = file_.values<std::int8_t>(name, {rows, cols}).data();
        return WeightView::int8(numbers, scales(scale_name(name), rows), rows, cols);
      }
    }
    return {};
  }

  std::span<const float> vector(const std::string& name, std::int64_t size) {
    known_.insert(name);
    return file_.values<float>(name, {size});
  }

  // Throws for the first tensor that was not looked up.
  void expect_nothing_else(const NetworkConfig& config) const {
    for (const StoredTensor& tensor : file_.tensors()) {
      if (known_.contains(tensor.name)) continue;
      throw Error(ErrorCode::kFormat,
                  fmt::format("'{}' has tensor {}, which its network ({}, {} layers{}, {}) does not have", file_.path(),
                              quote(tensor.name), cell_name(config.cell), config.layers, config.tied ? ", tied" : "",
                              precision_name(precision_)));
    }
  }

 private:
  const float* scales(const std::string& name, std::int64_t rows) {
    known_.insert(name);
    const std::span<const float> scales = file_.values<float>(name, {rows});
    const auto bad = std::ranges::find_if(
        scales, [](float scale) { return !(scale >= 0) || !std::isfinite(kLargestQuantum * scale); });
    if (bad != scales.end()) {
      throw Error(ErrorCode::kFormat,
                  fmt::format("'{}' has {} in tensor {} at element {}, which is not a scale of finite "
                              "weights",
                              file_.path(), *bad, name, bad - scales.begin()));
    }
    return scales.data();
  }

  TensorFile& file_;
  Precision precision_;
  std::set<std::string> known_;
};

ParametersView read_view(TensorFile& file, const NetworkConfig& config, Precision precision) {
  check(config, precision);
  TensorReader reader(file, precision);
  ParametersView view;
  resize_lists(config, view);
  for_each_tensor(
      config,
      [&](const std::string& name, std::int64_t rows, std::int64_t cols, WeightView& matrix) {
        matrix = reader.matrix(name, rows, cols);
      },
      [&](const std::string& name, std::int64_t size, std::span<const float>& vector) {
        vector = reader.vector(name, size);
      },
      view);
  if (config.tied) view.decoder = view.encoder;
  reader.expect_nothing_else(config);
  return view;
}

// As floats.
void copy(const WeightView& from, std::span<float> to) {
  const auto cols = static_cast<std::size_t>(from.cols());
  for (std::int64_t r = 0; r < from.rows(); ++r) from.read_row(r, to.subspan(static_cast<std::size_t>(r) * cols, cols));
}

}  // namespace

ModelWeights::ModelWeights(Parameters parameters) : parameters_(std::move(parameters)), view_(parameters_->view()) {}

ModelWeights::ModelWeights(TensorFile file, const NetworkConfig& config, Precision precision)
    : file_(std::move(file)), view_(read_view(*file_, config, precision)) {}

std::string scale_name(const std::string& matrix) { return matrix + ".scale"; }

void read_parameters(const NetworkConfig& config, const ParametersView& view, const Parameters& parameters) {
  auto next = parameters.tensors().begin();
  for_each_tensor(
      config,
      [&](const std::string& /*name*/, std::int64_t /*rows*/, std::int64_t /*cols*/, const WeightView& matrix) {
        copy(matrix, parameters.values(*next++));
      },
      [&](const std::string& /*name*/, std::int64_t /*size*/, std::span<const float> vector) {
        std::ranges::copy(vector, parameters.values(*next++).begin());
      },
      view);
}

}  // namespace unroll
