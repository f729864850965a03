#include "adapt/dynamic_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "kernels/arrays.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kTile = 1 << 14;  // floats that one task updates

// `precision`, which must be one that gradients can be computed in.
Precision trained_precision(Precision precision) {
  if (precision == Precision::kInt8) {
    throw Error(ErrorCode::kUsage,
                "dynamic evaluation needs gradients, which an int8 model does not have: take the model that it was "
                "converted from, or a bf16 one");
  }
  return precision;
}

std::span<float> part(std::span<float> all, std::int64_t first, std::int64_t size) {
  return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size));
}

}  // namespace

DynamicWeights::DynamicWeights(const Model& model, const DynamicOptions& options, Workers& workers)
    : options_(options),
      workers_(workers),
      start_(model.config()),
      parameters_(model.config()),
      gradients_(model.config(), options.bptt),
      packed_(model.config(), Purpose::kTraining, trained_precision(model.precision())),
      is_touched_(static_cast<std::size_t>(model.config().vocabulary)) {
  read_parameters(model.config(), model.data().weights.view(), start_);
  parameters_.copy_from(start_);
  packed_.pack(parameters_, workers_);
}

void DynamicWeights::learn(Network& network, const Window& window) {
  gradients_.set_zero(workers_);
  const double loss = network.backward(packed_, window, gradients_);
  if (!std::isfinite(loss)) {
    throw Error(
        ErrorCode::kNumeric,
        fmt::format("the loss of dynamic evaluation is {}, not a finite number: try a `dynamic.rate` below {}, or "
                    "a larger `dynamic.decay`",
                    loss, options_.rate));
  }
  update();
  packed_.pack(parameters_, workers_);
}

void DynamicWeights::update() {
  const auto rate = static_cast<float>(options_.rate);
  const auto decay = static_cast<float>(options_.decay);
  const std::span<float> dense = gradients_.dense();
  workers_.run_ranges(std::ssize(dense), kTile, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t offset = gradients_.dense_offset() + first;
    dynamic_update(part(parameters_.all(), offset, last - first), part(start_.all(), offset, last - first),
                   part(dense, first, last - first), rate, decay);
  });
  if (gradients_.embedding()) update_embedding(*gradients_.embedding());
}

// Rows without any gradient so far are still where they began: nothing to pull back.
void DynamicWeights::update_embedding(const EmbeddingGradient& gradient) {
  for (const std::int32_t id : gradient.ids()) {
    if (is_touched_[static_cast<std::size_t>(id)] == 0) touched_.push_back(id);
    is_touched_[static_cast<std::size_t>(id)] = 1;
  }
  const MatView<float> encoder = parameters_.encoder();
  const auto E = static_cast<std::size_t>(encoder.cols);
  const std::vector<float> zeros(E);
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kTile / encoder.cols);
  workers_.run_ranges(std::ssize(touched_), rows_per_task, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t id = touched_[static_cast<std::size_t>(i)];
      const std::span<const float> g = gradient.row(id);
      dynamic_update({encoder.row(id), E}, {start_.encoder().row(id), E}, g.empty() ? zeros : g,
                     static_cast<float>(options_.rate), static_cast<float>(options_.decay));
    }
  });
}

}  // namespace unroll
