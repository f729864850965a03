// The tensors of a network's parameters: the only definition of their names, shapes and order.
#pragma once

#include <cstdint>
#include <string>

#include "nn/adaptive_softmax.h"
#include "unroll/network.h"

namespace unroll {

// Walks over the tensors of a network in the order in which they are stored, that of PyTorch's state dict (word
// language model example): encoder.weight (V, E); per layer rnn.weight_ih_lK (G*H, E or H), rnn.weight_hh_lK (G*H, H),
// rnn.bias_ih_lK, rnn.bias_hh_lK (G*H), with layer normalisation rnn.norm_ih_lK, rnn.norm_hh_lK (G*H) and for an LSTM
// rnn.norm_c_lK, rnn.bias_c_lK (H), which PyTorch does not have; projection.weight (E, H) if there is one;
// decoder.weight (V, H) unless tied; decoder.bias (V). Cells without recurrent weights lack weight_hh and bias_hh.
// With cutoffs the decoder is the head, decoder.head.weight and decoder.head.bias, and each cluster's P and Q
// (nn/adaptive_softmax.h) follow as decoder.tail.I.0.weight and decoder.tail.I.1.weight.
//
// Calls on_matrix(name, rows, cols, parts...) or on_vector(name, size, parts...) for each, where parts are the members
// for that tensor in each of `sets`: structures with the members encoder, layers (L of them, each with the members of
// RecurrentParams), projection, decoder, decoder_bias and tails (one per cutoff, each with P and Q), such as
// ParameterMatrices. Without sets, only names and shapes are visited. Members for tensors that the network lacks are
// not touched, such as the decoder of tied weights.
template <class OnMatrix, class OnVector, class... Sets>
void for_each_tensor(const NetworkConfig& config, const OnMatrix& on_matrix, const OnVector& on_vector, Sets&... sets) {
  const std::int64_t units = gate_count(config.cell) * config.hidden;
  const bool recurrent = has_recurrent_weights(config.cell);
  on_matrix(std::string("encoder.weight"), config.vocabulary, config.embed, sets.encoder...);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    [[maybe_unused]] const auto at = static_cast<std::size_t>(l);  // unused without sets
    const auto name = [suffix = "_l" + std::to_string(l)](const char* tensor) { return "rnn." + (tensor + suffix); };
    on_matrix(name("weight_ih"), units, l == 0 ? config.embed : config.hidden, sets.layers[at].U...);
    if (recurrent) on_matrix(name("weight_hh"), units, config.hidden, sets.layers[at].W...);
    on_vector(name("bias_ih"), units, sets.layers[at].b_input...);
    if (recurrent) on_vector(name("bias_hh"), units, sets.layers[at].b_hidden...);
    if (!config.layer_norm) continue;
    on_vector(name("norm_ih"), units, sets.layers[at].norm_input...);
    on_vector(name("norm_hh"), units, sets.layers[at].norm_hidden...);
    if (!has_cell_state(config.cell)) continue;
    on_vector(name("norm_c"), config.hidden, sets.layers[at].norm_cell...);
    on_vector(name("bias_c"), config.hidden, sets.layers[at].b_cell...);
  }
  if (has_projection(config)) {
    on_matrix(std::string("projection.weight"), config.embed, config.hidden, sets.projection...);
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
  if (!config.tied) on_matrix(std::string("decoder.weight"), config.vocabulary, config.hidden, sets.decoder...);
  on_vector(std::string("decoder.bias"), config.vocabulary, sets.decoder_bias...);
}

}  // namespace unroll
