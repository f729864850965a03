// Small classifiers with random weights, of words.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "model/model_file.h"
#include "support/tiny_model.h"

namespace unroll {

inline NetworkConfig label_config(std::int64_t outputs, Readout readout = Readout::kConcat,
                                  Loss loss = Loss::kSoftmax) {
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  config.outputs = outputs;
  config.readout = readout;
  config.loss = loss;
  config.bidirectional = true;
  return config;
}

inline Model label_model(const NetworkConfig& config, Parameters parameters, const Task& task) {
  const ModelUse use(BeginPolicy::kBoundary, task);
  return Model(std::make_shared<const Model::Data>(
      Model::Data{config, tiny_words(), {}, ModelWeights(std::move(parameters)), use}));
}

inline Task animals() { return {.kind = TaskKind::kClassify, .labels = {"cat", "dog", "none"}, .temperature = 0.7}; }

inline Model animals_model(std::uint64_t seed = 3, Readout readout = Readout::kConcat) {
  const NetworkConfig config = label_config(3, readout);
  return label_model(config, random_parameters(config, 1.5F, seed), animals());
}

// The same with a network over characters.
inline Model spelled_animals_model(std::uint64_t seed = 3, Readout readout = Readout::kConcat) {
  NetworkConfig config = label_config(3, readout);
  Task task = animals();
  task.characters = {"a", "c", "d", "g", "o", "t"};
  config.characters = 7;
  config.character_hidden = 4;
  return label_model(config, random_parameters(config, 1.5F, seed), task);
}

inline Model labels_model(std::vector<double> thresholds, std::uint64_t seed = 3) {
  const NetworkConfig config = label_config(3, Readout::kMax, Loss::kSigmoid);
  Task task = animals();
  task.multi_label = true;
  task.thresholds = std::move(thresholds);
  return label_model(config, random_parameters(config, 1.5F, seed), task);
}

}  // namespace unroll
