#include "network/gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/all_gradients.h"
#include "support/error_of.h"
#include "support/random_matrix.h"
#include "train/memory_plan.h"

namespace unroll {
namespace {

NetworkConfig config_of(bool tied) {
  NetworkConfig config{.cell = Cell::kGru, .vocabulary = 11, .embed = 5, .hidden = 7, .layers = 2};
  if (tied) config.embed = config.hidden;
  config.tied = tied;
  return config;
}

const std::vector<std::int32_t> kIds{3, 10, 3, 0, 10, 3};

void fill(std::span<float> values, float& next) {
  for (float& value : values) value = next++;
}

// Different numbers in everything but the embedding, through the views that Parameters and Gradients share.
template <class T>
void count_up(const T& block, const NetworkConfig& config) {
  float next = 1;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    fill(block.layer(l).U.flat(), next);
    fill(block.layer(l).W.flat(), next);
    fill(block.layer(l).b_input, next);
    fill(block.layer(l).b_hidden, next);
  }
  fill(block.decoder().flat(), next);
  fill(block.decoder_bias(), next);
}

// The result of adding dx at kIds, in plain loops.
void add_plainly(MatView<float> table, MatView<const float> dx) {
  for (std::int64_t r = 0; r < dx.rows; ++r) {
    for (std::int64_t e = 0; e < dx.cols; ++e) table(kIds[static_cast<std::size_t>(r)], e) += dx(r, e);
  }
}

TEST(Gradients, HaveTheLayoutOfTheParameters) {
  Workers workers(2);
  for (const bool tied : {false, true}) {
    const NetworkConfig config = config_of(tied);
    const RandomMatrix dx(6, config.embed, 1);
    Gradients gradients(config, 6);
    Parameters expected(config);
    count_up(gradients, config);
    count_up(expected, config);
    gradients.add_embedding(workers, kIds, dx.view);
    add_plainly(expected.encoder(), dx.view);
    EXPECT_TRUE(std::ranges::equal(all_gradients(config, gradients).all(), expected.all())) << tied;
    const auto dense = static_cast<std::size_t>(gradients.dense_offset());
    EXPECT_TRUE(std::ranges::equal(gradients.dense(), expected.all().subspan(dense))) << tied;
  }
}

TEST(Gradients, KeepEveryRowOfTiedWeightsAndOtherwiseRowsThatWereRead) {
  Workers workers(1);
  const RandomMatrix dx(6, 7, 1);
  Gradients tied(config_of(true), 6);
  EXPECT_FALSE(tied.embedding().has_value());
  EXPECT_EQ(tied.dense_offset(), 0);
  tied.add_embedding(workers, kIds, dx.view);
  EXPECT_EQ(tied.decoder()(10, 2), dx.view(1, 2) + dx.view(4, 2));
  Gradients own(config_of(false), 6);
  own.add_embedding(workers, kIds, dx.view.col_range(0, 5));
  EXPECT_TRUE(std::ranges::equal(own.embedding()->ids(), std::vector<std::int32_t>{3, 10, 0}));
}

TEST(Gradients, ReturnToZero) {
  Workers workers(2);
  for (const bool tied : {false, true}) {
    const NetworkConfig config = config_of(tied);
    const RandomMatrix dx(6, config.embed, 1);
    Gradients gradients(config, 6);
    count_up(gradients, config);
    gradients.add_embedding(workers, kIds, dx.view);
    gradients.set_zero(workers);
    const Parameters zero(config);
    EXPECT_TRUE(std::ranges::equal(all_gradients(config, gradients).all(), zero.all())) << tied;
    // The same once more is the same again.
    Parameters expected(config);
    add_plainly(expected.encoder(), dx.view);
    gradients.add_embedding(workers, kIds, dx.view);
    EXPECT_TRUE(std::ranges::equal(all_gradients(config, gradients).all(), expected.all())) << tied;
  }
}

TEST(Gradients, CopyingThemReplacesEverything) {
  const NetworkConfig config = config_of(false);
  Parameters all(config);
  std::ranges::fill(all.all(), 4.0F);
  Gradients(config, 6).copy_to(all);
  EXPECT_TRUE(std::ranges::all_of(all.all(), [](float g) { return g == 0; }));
}

TEST(Gradients, NameTheTensorOfANumberThatIsNotFinite) {
  Workers workers(1);
  for (const bool tied : {false, true}) {
    const NetworkConfig config = config_of(tied);
    const RandomMatrix dx(6, config.embed, 1);
    dx.view(3, 2) = std::numeric_limits<float>::infinity();
    Gradients gradients(config, 6);
    gradients.add_embedding(workers, kIds, dx.view);
    std::vector<std::string> bad;
    for (const ParameterTensor& tensor : gradients.tensors()) {
      if (!std::ranges::all_of(gradients.values(tensor), [](float g) { return std::isfinite(g); })) {
        bad.push_back(tensor.name);
      }
    }
    EXPECT_EQ(bad, std::vector<std::string>{"encoder.weight"}) << tied;
  }
}

TEST(Gradients, TakeThePlannedBytes) {
  RunPlan run{.window = {.T = 8, .B = 4}, .batch_size = 4, .bptt = 8};
  for (const std::int64_t V : {10, 5000}) {
    for (const bool tied : {false, true}) {
      NetworkConfig config = config_of(tied);
      config.vocabulary = V;
      const Gradients gradients(config, 32);
      const auto dense = static_cast<std::int64_t>(gradients.dense().size());
      const std::int64_t rows = std::min<std::int64_t>(V, 32);
      const std::int64_t bytes = 4 * (dense + (tied ? 0 : rows * config.embed + rows + V));
      EXPECT_EQ(Gradients::bytes(config, 32), bytes);
      run.config = config;
      const std::vector<MemoryItem> plan = memory_plan(run);
      EXPECT_EQ(std::ranges::find(plan, "gradients", &MemoryItem::name)->bytes, bytes);
    }
  }
}

TEST(Gradients, RefuseAnInvalidConfig) {
  NetworkConfig config = config_of(false);
  config.hidden = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "hidden", [&] { const Gradients gradients(config, 6); }));
}

TEST(Gradients, WithSamplesOnlyRowsOfTheOutputLayerAreLeftOut) {
  Workers workers(2);
  for (const bool tied : {false, true}) {
    const NetworkConfig config{
        .cell = Cell::kLstm, .vocabulary = 40, .embed = 6, .hidden = 6, .layers = 2, .tied = tied};
    Gradients gradients(config, 5, 7);
    EXPECT_EQ(gradients.decoder_rows().has_value(), !tied);
    EXPECT_EQ(gradients.decoder().data, nullptr);
    const Parameters parameters(config);
    float number = 1;
    for (const ParameterTensor& tensor : parameters.tensors()) {
      const bool is_rows = tensor.name == "encoder.weight" || tensor.name == "decoder.weight";
      EXPECT_EQ(gradients.dense(tensor).empty(), is_rows) << tensor.name;
      for (float& g : gradients.dense(tensor)) g = number++;
    }
    EXPECT_EQ(gradients.decoder_bias().size(), 40U);
    EXPECT_EQ(gradients.decoder_bias().back(), number - 1);
    const std::vector<std::int32_t> sampled{39, 3, 8, 9, 10, 11, 12, 3, 1, 39};
    const std::vector<std::int32_t> read{2, 39, 4};
    const RandomMatrix dV(10, 6, 1);
    const RandomMatrix dx(3, 6, 2);
    embedding_backward(workers, *gradients.output().sampled, sampled, dV.view);
    gradients.add_embedding(workers, read, dx.view);
    Parameters all(config);
    gradients.copy_to(all);
    number = 1;
    for (const ParameterTensor& tensor : parameters.tensors()) {
      if (gradients.dense(tensor).empty()) continue;
      for (const float g : all.values(tensor)) EXPECT_EQ(g, number++) << tensor.name;
    }
    for (std::int64_t c = 0; c < 6; ++c) {
      EXPECT_EQ(all.decoder()(3, c), dV.view(1, c) + dV.view(7, c));
      EXPECT_EQ(all.encoder()(4, c), dx.view(2, c));
      const float of_samples = dV.view(0, c) + dV.view(9, c);
      EXPECT_EQ(all.decoder()(39, c), tied ? of_samples + dx.view(1, c) : of_samples);
      EXPECT_EQ(all.decoder()(5, c), 0);
    }
    gradients.set_zero(workers);
    gradients.copy_to(all);
    EXPECT_TRUE(std::ranges::all_of(all.all(), [](float g) { return g == 0; }));
  }
}

}  // namespace
}  // namespace unroll
