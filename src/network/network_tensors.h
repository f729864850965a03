// The tensors of a network's parameters: the only definition of their names, shapes and order.
#pragma once

#include <cstdint>
#include <string>

#include "nn/adaptive_softmax.h"
#include "unroll/network.h"

namespace unroll {

// One recurrent layer, as a walk over its tensors needs it.
struct RecurrentTensors {
  Cell cell = Cell::kLstm;
  std::int64_t inputs = 0;
  std::int64_t hidden = 0;
  bool layer_norm = false;
  std::string prefix = {};  // of the names: "rnn."
  std::string suffix = {};  // "_l0", "_l0_reverse"
};

// Walks over the tensors of a recurrent layer, in the order of PyTorch's modules: weight_ih (G*H, inputs), weight_hh
// (G*H, H), bias_ih, bias_hh (G*H), with layer normalisation norm_ih, norm_hh (G*H) and for an LSTM norm_c, bias_c (H),
// which PyTorch does not have. Cells without recurrent weights lack weight_hh and bias_hh. `layers` have the members of
// RecurrentParams.
template <class OnMatrix, class OnVector, class... Layers>
void for_each_recurrent_tensor(const RecurrentTensors& r, const OnMatrix& on_matrix, const OnVector& on_vector,
                               Layers&... layers) {
  const std::int64_t units = gate_count(r.cell) * r.hidden;
  const bool recurrent = has_recurrent_weights(r.cell);
  const auto name = [&r](const char* tensor) { return r.prefix + tensor + r.suffix; };
  on_matrix(name("weight_ih"), units, r.inputs, layers.U...);
  if (recurrent) on_matrix(name("weight_hh"), units, r.hidden, layers.W...);
  on_vector(name("bias_ih"), units, layers.b_input...);
  if (recurrent) on_vector(name("bias_hh"), units, layers.b_hidden...);
  if (!r.layer_norm) return;
  on_vector(name("norm_ih"), units, layers.norm_input...);
  on_vector(name("norm_hh"), units, layers.norm_hidden...);
  if (!has_cell_state(r.cell)) return;
  on_vector(name("norm_c"), r.hidden, layers.norm_cell...);
  on_vector(name("bias_c"), r.hidden, layers.b_cell...);
}

// Walks over the tensors of a network in the order in which they are stored, that of PyTorch's state dict (word
// language model example): encoder.weight (V, E), unless V is 0; with a character network chars.encoder.weight and the
// tensors of its two layers as chars.rnn.*_l0, chars.rnn.*_l0_reverse; per level l the tensors of its layer as
// rnn.*_lK, with both directions followed by those of the backward layer as rnn.*_lK_reverse; with conditions
// condition.h_lK (conditions, H) and condition.c_lK; projection.weight (E, H) if there is one; attention.weight (D) of
// that readout; decoder.weight (output_count, decoder_inputs) unless tied; decoder.bias; of the loss crf
// crf.transitions (K, K), crf.start_transitions and crf.end_transitions (K); with `language` language.bias (V).
// With cutoffs the decoder is the head, decoder.head.weight and decoder.head.bias, and each cluster's P and Q
// (nn/adaptive_softmax.h) follow as decoder.tail.I.0.weight and decoder.tail.I.1.weight.
//
// Calls on_matrix(name, rows, cols, parts...) or on_vector(name, size, parts...) for each, where parts are the members
// for that tensor in each of `sets`: structures with the members of ParameterMatrices, whose `layers` have one element
// per layer and direction. A table that is not multiplied, such as transitions, is walked over as a vector. Without
// sets, only names and shapes are visited. Members for tensors that the network lacks are not touched, such as the
// decoder of tied weights.
template <class OnMatrix, class OnVector, class... Sets>
void for_each_tensor(const NetworkConfig& config, const OnMatrix& on_matrix, const OnVector& on_vector, Sets&... sets) {
  const auto direction_name = [](std::int64_t l, std::int64_t d) {
    return "_l" + std::to_string(l) + (d == 1 ? "_reverse" : "");
  };
  if (config.vocabulary > 0) {
    on_matrix(std::string("encoder.weight"), config.vocabulary, config.embed, sets.encoder...);
  }
  if (config.characters > 0) {
    const std::int64_t H = config.character_hidden;
    on_matrix(std::string("chars.encoder.weight"), config.characters, H, sets.chars_encoder...);
    for (std::int64_t d = 0; d < 2; ++d) {
      [[maybe_unused]] const auto at = static_cast<std::size_t>(d);  // unused without sets
      for_each_recurrent_tensor({config.cell, H, H, false, "chars.rnn.", direction_name(0, d)}, on_matrix, on_vector,
                                sets.chars_layers[at]...);
    }
  }
  for (std::int64_t l = 0; l < config.layers; ++l) {
    for (std::int64_t d = 0; d < directions(config); ++d) {
      [[maybe_unused]] const auto at = static_cast<std::size_t>(l * directions(config) + d);
      for_each_recurrent_tensor(
          {config.cell, level_inputs(config, l), config.hidden, config.layer_norm, "rnn.", direction_name(l, d)},
          on_matrix, on_vector, sets.layers[at]...);
    }
  }
  if (config.conditions > 0) {
    for (std::int64_t l = 0; l < config.layers; ++l) {
      [[maybe_unused]] const auto at = static_cast<std::size_t>(l);
      const std::int64_t size = config.conditions * config.hidden;
      on_vector("condition.h" + direction_name(l, 0), size, sets.conditions[at].h...);
      if (has_cell_state(config.cell)) on_vector("condition.c" + direction_name(l, 0), size, sets.conditions[at].c...);
    }
  }
  if (has_projection(config)) {
    on_matrix(std::string("projection.weight"), config.embed, config.hidden, sets.projection...);
  }
  if (config.readout == Readout::kAttention) {
    on_vector(std::string("attention.weight"), level_outputs(config), sets.attention...);
  }
  if (!config.cutoffs.empty()) {
    const AdaptiveShape shape{.H = config.hidden, .V = config.vocabulary, .cutoffs = config.cutoffs};
    on_matrix(std::string("decoder.head.weight"), shape.head_size(), config.hidden, sets.decoder...);
    on_vector(std::string("decoder.head.bias"), shape.head_size(), sets.decoder_bias...);
    for (std::int64_t i = 0; i < shape.clusters(); ++i) {
      [[maybe_unused]] const auto at = static_cast<std::size_t>(i);
      const TailCluster cluster = shape.cluster(i);
      const std::string name = "decoder.tail." + std::to_string(i);
      on_matrix(name + ".0.weight", cluster.width, config.hidden, sets.tails[at].P...);
      on_matrix(name + ".1.weight", cluster.size, cluster.width, sets.tails[at].Q...);
    }
    return;
  }
  const std::int64_t K = output_count(config);
  if (!config.tied) on_matrix(std::string("decoder.weight"), K, decoder_inputs(config), sets.decoder...);
  on_vector(std::string("decoder.bias"), K, sets.decoder_bias...);
  if (config.outputs > 0 && config.loss == Loss::kCrf) {
    on_vector(std::string("crf.transitions"), K * K, sets.crf.transitions...);
    on_vector(std::string("crf.start_transitions"), K, sets.crf.start...);
    on_vector(std::string("crf.end_transitions"), K, sets.crf.end...);
  }
  if (config.language) on_vector(std::string("language.bias"), config.vocabulary, sets.language_bias...);
}

}  // namespace unroll
