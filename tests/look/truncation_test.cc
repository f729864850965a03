#include "unroll/look/truncation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "infer/sequence.h"
#include "network/network.h"
#include "support/error_of.h"
#include "support/linear_model.h"
#include "support/tiny_model.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {
namespace {

// The gradient as training computes it: a network that reads the text window by window.
std::vector<double> trained_gradient(const NetworkConfig& config, const Parameters& parameters,
                                     const UnrolledText& text, std::int64_t length, const std::string& prefix) {
  Workers workers(1);
  NetworkWeights weights(config, Purpose::kTraining);
  weights.pack(parameters, workers);
  Network network(config, Purpose::kTraining, length, 1, workers);
  NetworkState state(config, 1);
  std::vector<double> sum;
  for (std::int64_t first = 0; first < text.steps(); first += length) {
    const std::int64_t T = std::min(length, text.steps() - first);
    Window window;
    make_window(T, 1, window, [&](std::int64_t, std::int64_t t) {
      return WindowStep{.input = text.input(first + t), .target = text.target(first + t)};
    });
    Gradients gradients(config, length);
    network.forward(weights, window, state);
    network.backward(weights, window, gradients);
    Parameters all(config);
    gradients.copy_to(all);
    std::size_t at = 0;
    for (const ParameterTensor& tensor : all.tensors()) {
      if (!tensor.name.starts_with(prefix)) continue;
      for (const float value : all.values(tensor)) {
        if (at == sum.size()) sum.push_back(0);
        sum[at++] += static_cast<double>(value) * static_cast<double>(T) / static_cast<double>(text.steps());
      }
    }
  }
  return sum;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

UnrolledText carried(const Model& model, const std::string& characters) {
  return UnrolledText(model, {characters, "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
}

TEST(Truncation, OfTheWholeLengthIsNoneToTheBit) {
  for (const Cell cell : all_cells()) {
    const UnrolledText text = carried(tiny_model(cell, tiny_characters()), random_text(23, 6));
    for (const TruncationAt& at : truncated_gradients(text, {23, 24, 1000})) {
      EXPECT_EQ(at.layers.cosine, 1);
      EXPECT_EQ(at.layers.norm_ratio, 1);
      EXPECT_EQ(std::isnan(at.recurrent.cosine), !has_recurrent_weights(cell));
      if (has_recurrent_weights(cell)) {
        EXPECT_EQ(at.recurrent.cosine, 1);
      }
    }
    EXPECT_LT(truncated_gradients(text, {2}).front().layers.cosine, 1);
  }
}

TEST(Truncation, ComparesTheGradientsOfTraining) {
  for (const Cell cell : all_cells()) {
    SCOPED_TRACE(cell_name(cell));
    NetworkConfig config = tiny_config(cell, tiny_characters());
    config.layer_norm = has_recurrent_weights(cell);
    config.residual = true;
    const Parameters parameters = random_parameters(config, 0.9F, 3);
    const UnrolledText text =
        carried(model_of(config, tiny_characters(), random_parameters(config, 0.9F, 3)), random_text(23, 6));
    const std::vector<TruncationAt> found = truncated_gradients(text, {1, 5});
    for (const TruncationAt& at : found) {
      const auto compare = [&](const CutGradient& cut, const std::string& prefix) {
        const std::vector<double> full = trained_gradient(config, parameters, text, 23, prefix);
        const std::vector<double> truncated = trained_gradient(config, parameters, text, at.length, prefix);
        const double squares = product(full, full);
        EXPECT_NEAR(cut.cosine, product(full, truncated) / std::sqrt(squares * product(truncated, truncated)), 1e-5);
        EXPECT_NEAR(cut.norm_ratio, std::sqrt(product(truncated, truncated) / squares), 1e-5);
      };
      compare(at.layers, "rnn.");
      if (has_recurrent_weights(cell)) compare(at.recurrent, "rnn.weight_hh");
    }
  }
}

TEST(Truncation, CutsOffLessTheLongerItIs) {
  const UnrolledText text = carried(linear_model(0.9), random_text(120, 8));
  double before = 0;
  for (const TruncationAt& at : truncated_gradients(text, {1, 5, 20, 60})) {
    EXPECT_GT(at.recurrent.norm_ratio, before);
    EXPECT_LE(at.recurrent.norm_ratio, 1.5);
    before = at.recurrent.norm_ratio;
  }
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "a length of truncation is 0", [&] { (void)truncated_gradients(text, {0}); }));
}

}  // namespace
}  // namespace unroll
