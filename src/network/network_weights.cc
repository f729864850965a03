#include "network/network_weights.h"

#include "network/language_layer.h"
#include "network/levels.h"

namespace unroll {

NetworkWeights::NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision, double weight_drop,
                               bool sampled)
    : config_(config),
      precision_(precision),
      weight_drop_(weight_drop),
      output_(config, precision, purpose == Purpose::kTraining, !sampled || config.outputs > 0) {
  const bool training = purpose == Purpose::kTraining;
  const std::int64_t chars = config.character_hidden;
  for (std::int64_t d = 0; config.characters > 0 && d < 2; ++d) {
    chars_layers_.emplace_back(config.cell, chars, chars, precision, training);
  }
  for (std::int64_t l = 0; l < config.layers; ++l) {
    for (std::int64_t d = 0; d < directions(config); ++d) {
      layers_.emplace_back(config.cell, level_inputs(config, l), config.hidden, precision, training);
    }
  }
  if (config.language && training) language_.emplace(language_config(config), precision, true, !sampled);
  if (has_projection(config)) {
    projection_.P = PackedMatrix(config.hidden, config.embed, precision);
    if (training) projection_.P_back = PackedMatrix(config.embed, config.hidden, precision);
  }
}

void NetworkWeights::pack(const ParametersView& parameters, Workers& workers, NoiseKey noise) {
  viewed_ = parameters;
  output_.view(parameters);
  std::vector<PackingTask> tasks = output_.packing_tasks(parameters);
  if (language_) {
    const ParametersView of_symbols = language_view(parameters);
    language_->view(of_symbols);
    for (const PackingTask& task : language_->packing_tasks(of_symbols)) tasks.push_back(task);
  }
  if (has_projection(config_)) {
    PackedMatrix* const back = projection_.P_back.bytes() > 0 ? &projection_.P_back : nullptr;
    tasks.push_back({parameters.projection, &projection_.P, back});
  }
  const auto pack_layer = [&](RecurrentWeights& packed, const RecurrentView& layer) {
    packed.copy_vectors(config_.cell, layer);
    for (const PackingTask& task : packed.packing_tasks(config_.cell, layer)) tasks.push_back(task);
  };
  for (std::size_t d = 0; d < chars_layers_.size(); ++d) pack_layer(chars_layers_[d], parameters.chars_layers[d]);
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    RecurrentView layer = parameters.layers[n];
    if (weight_drop_ > 0) layer.W = drop_weights(layer.W, workers, noise, n);
    pack_layer(layers_[n], layer);
  }
  pack_all(workers, tasks);
}

WeightView NetworkWeights::drop_weights(const WeightView& W, Workers& workers, NoiseKey noise, std::size_t layer) {
  const MatView<const float> all = W.f32();
  dropped_.resize(layers_.size());
  if (dropped_[layer].size() == 0) dropped_[layer] = FloatBuffer(all.size());
  const MatView<float> kept(dropped_[layer].data(), all.rows, all.cols);
  dropout_forward(workers, weight_drop_mask(weight_drop_, noise, static_cast<std::int64_t>(layer)), all, kept);
  return kept;
}

std::int64_t NetworkWeights::bytes() const noexcept {
  std::int64_t sum =
      output_.bytes() + (language_ ? language_->bytes() : 0) + projection_.P.bytes() + projection_.P_back.bytes();
  for (const RecurrentWeights& layer : chars_layers_) sum += layer.bytes();
  for (const RecurrentWeights& layer : layers_) sum += layer.bytes();
  for (const FloatBuffer& W : dropped_) sum += static_cast<std::int64_t>(sizeof(float)) * W.size();
  return sum;
}

}  // namespace unroll
