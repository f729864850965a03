#include "unroll/exchange/answers_saved.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/file_claim.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "network/network_tensors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Collects the tensors of a model as they are, floats first.
class StoredTensors {
 public:
  void add(const std::string& name, const WeightView& matrix) {
    const std::vector<std::int64_t> shape{matrix.rows(), matrix.cols()};
    const auto count = static_cast<std::size_t>(matrix.rows() * matrix.cols());
    switch (matrix.precision()) {
      case Precision::kF32:
        floats_.emplace_back(name, shape, std::span(matrix.f32().data, count));
        break;
      case Precision::kBf16:
        rounded_.emplace_back(name, shape, std::span(matrix.bf16_row(0), count));
        break;
      case Precision::kInt8:
        add_scales(name, matrix);
        rounded_.emplace_back(name, shape, std::span(matrix.int8_row(0), count));
        break;
    }
  }

  void add(const std::string& name, std::span<const float> vector) {
    floats_.emplace_back(name, std::vector{std::ssize(vector)}, vector);
  }

  [[nodiscard]] std::vector<TensorToWrite> all() const {
    std::vector<TensorToWrite> tensors = floats_;
    tensors.insert(tensors.end(), rounded_.begin(), rounded_.end());
    return tensors;
  }

 private:
  void add_scales(const std::string& name, const WeightView& matrix) {
    std::vector<float>& scales = scales_.emplace_back();
    for (std::int64_t r = 0; r < matrix.rows(); ++r) scales.push_back(matrix.scale(r));
    floats_.emplace_back(scale_name(name), std::vector{matrix.rows()}, std::span<const float>(scales));
  }

  std::deque<std::vector<float>> scales_;  // a deque does not move the views' targets
  std::vector<TensorToWrite> floats_;
  std::vector<TensorToWrite> rounded_;
};

void check_rule(const AnswerRule& rule, std::size_t K) {
  const bool fits = rule.thresholds.size() == K && rule.factors.size() == K &&
                    std::ranges::all_of(rule.thresholds, [](double t) { return t >= 0 && t <= 1; }) &&
                    std::ranges::all_of(rule.factors, [](double f) { return std::isfinite(f) && f > 0; });
  if (fits) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("a rule for answers has {} thresholds and {} factors: expected {} of each, thresholds from 0 "
                          "to 1 and finite factors above 0",
                          rule.thresholds.size(), rule.factors.size(), K));
}

// Numbers to be stored: none where all are the usual one, unless they were there.
std::vector<double> stored(const std::vector<double>& before, const std::vector<double>& numbers, double usual) {
  const bool is_usual = std::ranges::all_of(numbers, [&](double number) { return number == usual; });
  return is_usual && before.empty() ? std::vector<double>() : numbers;
}

}  // namespace

void save_with_rule(const Model& model, const AnswerRule& rule, const std::string& path) {
  expect_task(model, TaskKind::kClassify);
  const Model::Data& data = model.data();
  ModelUse use = data.use;
  check_rule(rule, use.task.labels.size());
  use.task.thresholds = stored(use.task.thresholds, rule.thresholds, use.task.multi_label ? 0.5 : 0);
  if (!use.task.multi_label) use.task.factors = stored(use.task.factors, rule.factors, 1);
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
