#include "label/dense_twin.h"

#include <algorithm>
#include <numeric>

#include "label/chains.h"
#include "label/text_windows.h"
#include "model/model_file.h"
#include "network/network.h"

namespace unroll {
namespace {

constexpr std::int64_t kTwinSteps = 2048;
constexpr std::int64_t kTwinRows = 32;

NetworkConfig without_embedding(NetworkConfig config) {
  config.embed = level_inputs(config, 0);
  config.vocabulary = config.characters = config.character_hidden = 0;
  return config;
}

Parameters floats_of(const Model& model) {
  Parameters parameters(model.config());
  read_parameters(model.config(), model.data().weights.view(), parameters);
  return parameters;
}

// The tensors of both networks, by name.
void copy_common(const Parameters& from, Parameters& to) {
  for (const ParameterTensor& tensor : to.tensors()) {
    const auto same = std::ranges::find(from.tensors(), tensor.name, &ParameterTensor::name);
    std::ranges::copy(from.values(*same), to.values(tensor).begin());
  }
}

}  // namespace

DenseTwin::DenseTwin(const Model& model, Workers& workers)
    : whole_config_(model.config()),
      config_(without_embedding(whole_config_)),
      workers_(workers),
      whole_(floats_of(model)),
      whole_weights_(whole_config_, Purpose::kInference),
      parameters_(config_),
      weights_(config_, Purpose::kTraining),
      gradients_(config_, 1) {
  copy_common(whole_, parameters_);
  whole_weights_.pack(whole_, workers_);
  weights_.pack(parameters_, workers_);
}

std::vector<float> DenseTwin::embed(const Examples& text) const {
  Window window;
  make_text_window(whole_config_, text, std::vector<std::size_t>{0}, kTwinRows, {}, window);
  Network network(whole_config_, Purpose::kInference, window.T, window.B, workers_);
  NetworkState state(whole_config_, window.B);
  network.forward(whole_weights_, window, state);
  const MatView<const float> x = network.inputs();
  std::vector<float> rows;
  for_each_entry(window, window.texts.front(), [&](std::size_t entry) {
    const float* const row = x.row(static_cast<std::int64_t>(entry));
    rows.insert(rows.end(), row, row + x.cols);
  });
  return rows;
}

std::vector<double> DenseTwin::scores_along(std::span<const float> embeddings, std::span<const double> alphas,
                                            std::int32_t label, std::span<double> gradient) {
  const std::int64_t steps = std::ssize(embeddings) / config_.embed;
  const auto together = static_cast<std::size_t>(std::max<std::int64_t>(1, kTwinSteps / steps));
  std::vector<double> scores;
  for (std::size_t first = 0; first < alphas.size(); first += together) {
    Examples examples;
    for (const double alpha : alphas.subspan(first, std::min(together, alphas.size() - first))) {
      for (const float x : embeddings) examples.numbers.push_back(static_cast<float>(alpha * x));
      examples.starts.push_back(examples.starts.back() + steps);
    }
    const std::vector<double> part = run(examples, label, gradient);
    scores.insert(scores.end(), part.begin(), part.end());
  }
  return scores;
}

std::vector<double> DenseTwin::run(const Examples& examples, std::int32_t label, std::span<double> gradient) {
  std::vector<std::size_t> texts(examples.count());
  std::iota(texts.begin(), texts.end(), std::size_t{0});
  Window window;
  make_text_window(config_, examples, texts, kTwinRows, {}, window);
  Network network(config_, Purpose::kTraining, window.T, window.B, workers_);
  NetworkState state(config_, window.B);
  network.forward(weights_, window, state);
  const MatView<const float> y = network.scores(weights_);
  std::vector<double> scores;
  for (std::int64_t r = 0; r < y.rows; ++r) scores.push_back(y.row(r)[label]);
  std::vector<float> wanted(static_cast<std::size_t>(y.rows * y.cols));
  const MatView<float> dscores(wanted.data(), y.rows, y.cols);
  for (std::int64_t r = 0; r < y.rows; ++r) dscores.row(r)[label] = 1;
  gradients_.set_zero(workers_);
  const MatView<const float> dx = network.input_gradients(weights_, window, dscores, gradients_);
  for (const WindowText& text : window.texts) {
    std::size_t step = 0;
    for_each_entry(window, text, [&](std::size_t entry) {
      const std::span<double> sums = gradient.subspan(step++ * static_cast<std::size_t>(dx.cols));
      for (std::int64_t e = 0; e < dx.cols; ++e) {
        sums[static_cast<std::size_t>(e)] += static_cast<double>(dx.row(static_cast<std::int64_t>(entry))[e]);
      }
    });
  }
  return scores;
}

}  // namespace unroll
