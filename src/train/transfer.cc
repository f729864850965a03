#include "train/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kSuffix = ".safetensors";

// The depth of a tensor below the output layer, by its name.
std::int64_t depth_of(const std::string& name, const NetworkConfig& config) {
  if (name.starts_with("encoder.") || name.starts_with("chars.")) return config.layers + 1;
  if (!name.starts_with("rnn.")) return 0;
  const std::size_t at = name.find("_l") + 2;
  std::int64_t layer = 0;
  std::from_chars(name.data() + at, name.data() + name.size(), layer);
  return config.layers - layer;
}

bool is_of_output_layer(const std::string& name) {
  return name.starts_with("decoder.") || name == "projection.weight" || name == "language.bias";
}

const ParameterTensor* find_tensor(const Parameters& parameters, const std::string& name) {
  const auto found = std::ranges::find(parameters.tensors(), name, &ParameterTensor::name);
  return found == parameters.tensors().end() ? nullptr : &*found;
}

// Whether a tensor is the first columns of another one.
bool begins(const ParameterTensor& narrow, const ParameterTensor& wide) {
  if (narrow.shape == wide.shape) return true;
  return wide.name.starts_with("rnn.weight_ih") && narrow.shape[0] == wide.shape[0] && narrow.shape[1] < wide.shape[1];
}

void copy_columns(const ParameterTensor& narrow, std::span<const float> from, const ParameterTensor& wide,
                  std::span<float> to) {
  if (narrow.shape == wide.shape) {
    std::ranges::copy(from, to.begin());
    return;
  }
  for (std::int64_t row = 0; row < narrow.shape[0]; ++row) {
    std::copy_n(from.begin() + row * narrow.shape[1], narrow.shape[1], to.begin() + row * wide.shape[1]);
  }
}

// What a tensor of a task's network is called in a language model.
std::string name_in_language_model(const std::string& name, const NetworkConfig& config) {
  if (!is_of_output_layer(name)) return name;
  if (!config.language) return {};
  return name == "language.bias" ? "decoder.bias" : name == "projection.weight" ? name : std::string();
}

}  // namespace

std::string language_model_path(const std::string& save) {
  std::string path = save.ends_with(kSuffix) ? save.substr(0, save.size() - kSuffix.size()) : save;
  return path += ".language.safetensors";
}

TrainOptions language_model_options(const TrainOptions& options) {
  TrainOptions language = options;
  language.task.kind = TaskKind::kLanguage;
  language.transfer = {};
  language.network.layers = options.task.bidirectional ? 1 : options.network.layers;
  language.network.tied = true;
  language.regularization = {};
  language.regularization.input = 0.2;
  language.regularization.output = 0.2;
  RunOptions& run = language.run;
  run.lr = 0.004;
  run.average = Average::kNone;
  run.patience = 0;
  run.epochs.reset();
  run.steps.reset();
  constexpr double kShare = 0.5;  // of the minutes of both
  if (run.minutes) {
    run.minutes = kShare * *run.minutes;
  } else {
    run.epochs = options.transfer.unlabelled_epochs;
  }
  language.files.save = language_model_path(options.files.save);
  return language;
}

NetworkConfig config_from(const Model& init, NetworkConfig config) {
  const NetworkConfig& from = init.config();
  if (from.outputs > 0 || from.conditions > 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`transfer.init` is a model of the task {}: expected a language model",
                            task_name(init.task().kind)),
                "transfer.init");
  }
  config.cell = from.cell;
  config.embed = from.embed;
  config.hidden = from.hidden;
  config.layer_norm = from.layer_norm;
  if (from.characters > 0) {
    config.characters = from.characters;
    config.character_hidden = from.character_hidden;
  }
  return config;
}

std::vector<std::string> take_tensors(const Model& init, const NetworkConfig& config, const Parameters& parameters) {
  Parameters all(init.config());
  read_parameters(init.config(), init.data().weights.view(), all);
  std::vector<std::string> taken;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const std::string name = name_in_language_model(tensor.name, config);
    const ParameterTensor* const source = find_tensor(all, name);
    if (source == nullptr || !begins(*source, tensor)) continue;
    copy_columns(*source, all.values(*source), tensor, parameters.values(tensor));
    taken.push_back(tensor.name);
  }
  return taken;
}

void leave_language_out(const Parameters& with, const Parameters& without) {
  for (const ParameterTensor& tensor : without.tensors()) {
    std::ranges::copy(with.values(*find_tensor(with, tensor.name)), without.values(tensor).begin());
  }
}

std::vector<double> tensor_rates(const LayerRates& rules, const NetworkConfig& config,
                                 const std::vector<ParameterTensor>& tensors, std::int64_t epoch) {
  if (rules.decay == 1 && rules.unfreeze == 0) return {};
  std::vector<double> rates;
  for (const ParameterTensor& tensor : tensors) {
    const std::int64_t depth = depth_of(tensor.name, config);
    const bool frozen = rules.unfreeze > 0 && depth * rules.unfreeze > epoch;
    rates.push_back(frozen ? 0 : std::pow(rules.decay, -static_cast<double>(depth)));
  }
  return rates;
}

}  // namespace unroll
