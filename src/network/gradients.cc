#include "network/gradients.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "kernels/arrays.h"

namespace unroll {
namespace {

std::vector<ParameterTensor> tensors_of(const NetworkConfig& config) {
  check(config);
  return parameter_tensors(config);
}

// Whether the embedding's gradient is rows where the loss is exact.
bool has_encoder_rows(const NetworkConfig& config) { return config.vocabulary > 0 && !shares_embedding(config); }

// The embedding is the first tensor, so the tensors after it are one block.
std::int64_t offset_of_dense(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors,
                             std::int64_t samples) {
  const bool rows = has_encoder_rows(config) || samples > 0;
  return rows ? tensors[1].offset : 0;
}

// Besides the samples, a window's symbols occur as targets.
std::int64_t rows_with_samples(std::int64_t most_rows, std::int64_t samples) { return most_rows + samples; }

void copy_rows(const EmbeddingGradient& gradient, MatView<float> table) {
  const MatView<float> rows = gradient.rows();
  for (std::int64_t slot = 0; slot < rows.rows; ++slot) {
    std::copy_n(rows.row(slot), rows.cols, table.row(gradient.ids()[static_cast<std::size_t>(slot)]));
  }
}

}  // namespace

Gradients::Hole Gradients::hole_of(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors,
                                   std::int64_t samples) {
  if (samples == 0 || shares_embedding(config)) return {};
  const auto decoder = std::ranges::find(tensors, "decoder.weight", &ParameterTensor::name);
  assert(decoder != tensors.end() && decoder + 1 != tensors.end());
  return {.first = decoder->offset, .last = (decoder + 1)->offset};
}

std::int64_t Gradients::place(const ParameterTensor& tensor) const noexcept {
  const std::int64_t hole = hole_.last - hole_.first;
  if (tensor.offset < dense_offset_ || (hole > 0 && tensor.offset == hole_.first)) return -1;
  return tensor.offset - dense_offset_ - (tensor.offset > hole_.first ? hole : 0);
}

std::vector<ParameterTensor> Gradients::placed_tensors() const {
  std::vector<ParameterTensor> result = tensors_;
  for (ParameterTensor& tensor : result) tensor.offset = place(tensor);
  return result;
}

Gradients::Gradients(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples)
    : tensors_(tensors_of(config)),
      dense_offset_(offset_of_dense(config, tensors_, samples)),
      hole_(hole_of(config, tensors_, samples)),
      dense_(block_size(tensors_) - dense_offset_ - (hole_.last - hole_.first)),
      matrices_(parameter_matrices(config, placed_tensors(), 0, dense_.span())) {
  const std::int64_t V = config.vocabulary;
  const std::int64_t sampled_rows = rows_with_samples(most_rows, samples);
  if (shares_embedding(config) && samples > 0) embedding_.emplace(V, config.embed, most_rows + sampled_rows);
  if (!has_encoder_rows(config)) return;
  embedding_.emplace(V, config.embed, most_rows);
  if (samples > 0) decoder_.emplace(V, config.hidden, sampled_rows);
}

std::int64_t Gradients::bytes(const NetworkConfig& config, std::int64_t most_rows, std::int64_t samples) {
  const std::vector<ParameterTensor> tensors = tensors_of(config);
  const Hole hole = hole_of(config, tensors, samples);
  const std::int64_t V = config.vocabulary;
  const std::int64_t sampled_rows = rows_with_samples(most_rows, samples);
  const std::int64_t dense = block_size(tensors) - offset_of_dense(config, tensors, samples) - (hole.last - hole.first);
  std::int64_t sum = static_cast<std::int64_t>(sizeof(float)) * dense;
  if (shares_embedding(config) && samples > 0)
    sum += EmbeddingGradient::bytes(V, config.embed, most_rows + sampled_rows);
  if (!has_encoder_rows(config)) return sum;
  sum += EmbeddingGradient::bytes(V, config.embed, most_rows);
  return samples > 0 ? sum + EmbeddingGradient::bytes(V, config.hidden, sampled_rows) : sum;
}

void Gradients::add_embedding(Workers& workers, std::span<const std::int32_t> ids, MatView<const float> dx) {
  if (embedding_) return embedding_backward(workers, *embedding_, ids, dx);
  embedding_backward(workers, matrices_.encoder, ids, dx);
}

std::span<float> Gradients::dense(const ParameterTensor& tensor) const noexcept {
  const std::int64_t first = place(tensor);
  if (first < 0) return {};
  return dense().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(tensor.size));
}

std::span<const float> Gradients::values(const ParameterTensor& tensor) const noexcept {
  if (const std::span<float> values = dense(tensor); !values.empty()) return values;
  return tensor.offset < dense_offset_ ? embedding_->rows().flat() : decoder_->rows().flat();
}

void Gradients::copy_to(Parameters& all) const {
  assert(static_cast<std::int64_t>(all.all().size()) == block_size(tensors_));
  all.set_zero();
  for (const ParameterTensor& tensor : tensors_) std::ranges::copy(dense(tensor), all.values(tensor).begin());
  if (embedding_) copy_rows(*embedding_, all.encoder());
  if (decoder_) copy_rows(*decoder_, all.decoder());
}

std::vector<EmbeddingGradient*> Gradients::rows() noexcept {
  std::vector<EmbeddingGradient*> all;
  if (embedding_) all.push_back(&*embedding_);
  if (decoder_) all.push_back(&*decoder_);
  return all;
}

Gradients::LeftOut Gradients::left_out() const noexcept {
  const std::int64_t size = hole_.last - hole_.first;
  return {.at = size > 0 ? hole_.first - dense_offset_ : dense_.size(), .size = size};
}

void Gradients::add_dense(Workers& workers, const Gradients& other, std::int64_t first, std::int64_t last) {
  const auto part = [&](const Gradients& all) {
    return all.dense().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
  };
  workers.run_ranges(last - first, kGradientTile, [&](std::int64_t begin, std::int64_t end) {
    const auto at = static_cast<std::size_t>(begin);
    const auto count = static_cast<std::size_t>(end - begin);
    add(part(other).subspan(at, count), part(*this).subspan(at, count));
  });
}

void Gradients::add_rows(Workers& workers, const Gradients& other) {
  if (embedding_) embedding_backward(workers, *embedding_, other.embedding_->ids(), other.embedding_->rows());
  if (decoder_) embedding_backward(workers, *decoder_, other.decoder_->ids(), other.decoder_->rows());
}

std::int64_t Gradients::first_of_level(std::int64_t level) const {
  const auto levels =
      std::ranges::find_if(tensors_, [](const auto& tensor) { return tensor.name.starts_with("rnn."); });
  const auto first = std::find_if(levels, tensors_.end(), [&](const ParameterTensor& tensor) {
    const bool of_output = !tensor.name.starts_with("rnn.") && !tensor.name.starts_with("condition.");
    return (of_output && place(tensor) >= 0) || tensor.name == "rnn.weight_ih_l" + std::to_string(level);
  });
  return first == tensors_.end() ? dense_.size() : place(*first);
}

void Gradients::set_zero(Workers& workers) {
  constexpr std::int64_t kGrain = 1 << 16;
  workers.run_ranges(dense_.size(), kGrain, [&](std::int64_t first, std::int64_t last) {
    std::fill(dense_.data() + first, dense_.data() + last, 0.0F);
  });
  if (embedding_) embedding_->set_zero();
  if (decoder_) decoder_->set_zero();
}

}  // namespace unroll
