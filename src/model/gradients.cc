#include "model/gradients.h"

#include <algorithm>
#include <cassert>

namespace unroll {
namespace {

std::vector<ParameterTensor> tensors_of(const NetworkConfig& config) {
  check(config);
  return parameter_tensors(config);
}

// The embedding is the first tensor, so what follows it is one block.
std::int64_t offset_of_dense(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors) {
  return config.tied ? 0 : tensors[1].offset;
}

}  // namespace

Gradients::Gradients(const NetworkConfig& config, std::int64_t most_rows)
    : tensors_(tensors_of(config)),
      dense_offset_(offset_of_dense(config, tensors_)),
      dense_(block_size(tensors_) - dense_offset_),
      matrices_(parameter_matrices(config, tensors_, dense_offset_, dense())) {
  if (!config.tied) embedding_.emplace(config.vocabulary, config.embed, most_rows);
}

std::int64_t Gradients::bytes(const NetworkConfig& config, std::int64_t most_rows) {
  const std::vector<ParameterTensor> tensors = tensors_of(config);
  const std::int64_t dense = block_size(tensors) - offset_of_dense(config, tensors);
  return static_cast<std::int64_t>(sizeof(float)) * dense +
         (config.tied ? 0 : EmbeddingGradient::bytes(config.vocabulary, config.embed, most_rows));
}

void Gradients::add_embedding(Workers& workers, std::span<const std::int32_t> ids, MatView<const float> dx) {
  if (embedding_) return embedding_backward(workers, *embedding_, ids, dx);
  embedding_backward(workers, matrices_.encoder, ids, dx);
}

std::span<const float> Gradients::values(const ParameterTensor& tensor) const noexcept {
  if (tensor.offset < dense_offset_) return embedding_->rows().flat();
  return dense().subspan(static_cast<std::size_t>(tensor.offset - dense_offset_),
                         static_cast<std::size_t>(tensor.size));
}

void Gradients::copy_to(Parameters& all) const {
  assert(static_cast<std::int64_t>(all.all().size()) == block_size(tensors_));
  all.set_zero();
  std::ranges::copy(dense(), all.all().begin() + dense_offset_);
  if (!embedding_) return;
  const MatView<float> rows = embedding_->rows();
  for (std::int64_t slot = 0; slot < rows.rows; ++slot) {
    const std::int64_t id = embedding_->ids()[static_cast<std::size_t>(slot)];
    std::copy_n(rows.row(slot), rows.cols, all.encoder().row(id));
  }
}

void Gradients::set_zero(Workers& workers) {
  constexpr std::int64_t kGrain = 1 << 16;
  workers.run_ranges(dense_.size(), kGrain, [&](std::int64_t first, std::int64_t last) {
    std::fill(dense_.data() + first, dense_.data() + last, 0.0F);
  });
  if (embedding_) embedding_->set_zero();
}

}  // namespace unroll
