#include "unroll/exchange/convert.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file_claim.h"
#include "base/names.h"
#include "kernels/weights.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "network/network_tensors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void check_order(Precision from, Precision to) {
  if (to > from) return;  // the enumerators go from large to small
  if (to == from) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the model is {} already: there is nothing to convert", precision_name(from)), "precision");
  }
  throw Error(
      ErrorCode::kUsage,
      fmt::format("cannot convert to {}: the model is {}, and rounding cannot be undone; convert the model that "
                  "it was converted from",
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

// Collects the tensors of a file, rounding matrices.
class RoundedTensors {
 public:
  explicit RoundedTensors(Precision precision) : precision_(precision) {}

  void add(const std::string& name, const WeightView& matrix) {
    const RoundedMatrix& result = matrices_.emplace_back(matrix, precision_);
    if (!std::isfinite(result.error)) {
      throw Error(ErrorCode::kNumeric,
                  fmt::format("tensor {} has a weight that is too large for {}", name, precision_name(precision_)));
    }
    if (worst_.tensor.empty() || result.error > worst_.largest_error) {
      worst_ = {.largest_error = result.error, .tensor = name};
    }
    const std::vector<std::int64_t> shape{matrix.rows(), matrix.cols()};
    if (precision_ == Precision::kInt8) {
      tensors_.emplace_back(scale_name(name), std::vector{matrix.rows()}, std::span(result.scales));
      tensors_.emplace_back(name, shape, std::span(result.int8));
    } else {
      tensors_.emplace_back(name, shape, std::span(result.bf16));
    }
  }

  void add(const std::string& name, std::span<const float> vector) {
    tensors_.emplace_back(name, std::vector{std::ssize(vector)}, vector);
  }

  [[nodiscard]] std::vector<TensorToWrite> all() const { return widest_first(tensors_); }

  [[nodiscard]] const Conversion& worst() const noexcept { return worst_; }

 private:
  Precision precision_;
  std::deque<RoundedMatrix> matrices_;  // a deque does not move the views' targets
  std::vector<TensorToWrite> tensors_;
  Conversion worst_;
};

}  // namespace

Conversion convert(const Model& model, Precision precision, const std::string& path) {
  expect_enumerator("precision", precision, precision_name(precision));
  check_order(model.precision(), precision);
  const NetworkConfig& config = model.config();
  check(config, precision);
  RoundedTensors tensors(precision);
  for_each_tensor(
      config,
      [&](const std::string& name, std::int64_t /*rows*/, std::int64_t /*cols*/, const WeightView& matrix) {
        tensors.add(name, matrix);
      },
      [&](const std::string& name, std::int64_t /*size*/, std::span<const float> vector) { tensors.add(name, vector); },
      model.data().weights.view());
  const FileClaim claim(path);
  write_tensor_file(path, tensors.all(),
                    model_file_metadata(config, model.tokenizer(), model.training(), model.data().use, precision));
  return tensors.worst();
}

}  // namespace unroll
