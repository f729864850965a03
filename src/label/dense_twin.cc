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
  config.vocabulary = 0;
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
    : config_(without_embedding(model.config())),
      workers_(workers),
      all_(floats_of(model)),
      parameters_(config_),
      weights_(config_, Purpose::kTraining),
      gradients_(config_, 1) {
  copy_common(all_, parameters_);
  weights_.pack(parameters_, workers_);
}

std::vector<float> DenseTwin::embed(std::span<const std::int32_t> ids) const {
  const std::span<const float> encoder = all_.values(all_.tensors().front());
  std::vector<float> rows;
  for (const std::int32_t id : ids) {
    const std::span<const float> row =
        encoder.subspan(static_cast<std::size_t>(id * config_.embed), static_cast<std::size_t>(config_.embed));
    rows.insert(rows.end(), row.begin(), row.end());
  }
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
