#include "exchange/stored_model.h"

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/file_claim.h"
#include "model/tensor_file.h"
#include "network/network_tensors.h"

namespace unroll {
namespace {

// Collects the tensors of a model as they are.
class StoredTensors {
 public:
  void add(const std::string& name, const WeightView& matrix) {
    const std::vector<std::int64_t> shape{matrix.rows(), matrix.cols()};
    const auto count = static_cast<std::size_t>(matrix.rows() * matrix.cols());
    switch (matrix.precision()) {
      case Precision::kF32:
        tensors_.emplace_back(name, shape, std::span(matrix.f32().data, count));
        break;
      case Precision::kBf16:
        tensors_.emplace_back(name, shape, std::span(matrix.bf16_row(0), count));
        break;
      case Precision::kInt8:
        add_scales(name, matrix);
        tensors_.emplace_back(name, shape, std::span(matrix.int8_row(0), count));
        break;
    }
  }

  void add(const std::string& name, std::span<const float> vector) {
    tensors_.emplace_back(name, std::vector{std::ssize(vector)}, vector);
  }

  [[nodiscard]] std::vector<TensorToWrite> all() const { return widest_first(tensors_); }

 private:
  void add_scales(const std::string& name, const WeightView& matrix) {
    std::vector<float>& scales = scales_.emplace_back();
    for (std::int64_t r = 0; r < matrix.rows(); ++r) scales.push_back(matrix.scale(r));
    tensors_.emplace_back(scale_name(name), std::vector{matrix.rows()}, std::span<const float>(scales));
  }

  std::deque<std::vector<float>> scales_;  // a deque does not move the views' targets
  std::vector<TensorToWrite> tensors_;
};

}  // namespace

void save_stored(const Model::Data& data, const ModelUse& use, const std::string& path) {
  StoredTensors tensors;
  for_each_tensor(
      data.config,
      [&](const std::string& name, std::int64_t /*rows*/, std::int64_t /*cols*/, const WeightView& matrix) {
        tensors.add(name, matrix);
      },
      [&](const std::string& name, std::int64_t /*size*/, std::span<const float> vector) { tensors.add(name, vector); },
      data.weights.view());
  const FileClaim claim(path);
  write_tensor_file(path, tensors.all(),
                    model_file_metadata(data.config, data.tokenizer, data.training, use, data.weights.precision()));
}

}  // namespace unroll
