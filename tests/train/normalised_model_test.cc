// Whole models with layer normalisation: their tensors, files, conversions and training.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/model_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "support/tiny_model.h"
#include "train/initial_weights.h"
#include "unroll/exchange/convert.h"

namespace unroll {
namespace {

constexpr Cell kTaking[] = {Cell::kRnnTanh, Cell::kRnnRelu, Cell::kLstm, Cell::kGru, Cell::kGruResetBefore};

NetworkConfig normalised(Cell cell) {
  NetworkConfig config = tiny_config(cell, tiny_characters());
  config.layer_norm = true;
  return config;
}

class NormalisedModel : public SmallRun {
 protected:
  [[nodiscard]] TrainOptions options(const std::string& name, Cell cell = Cell::kLstm) {
    TrainOptions options = small(name);
    options.network.cell = cell;
    options.network.layer_norm = true;
    options.files.overwrite = true;
    return options;
  }
};

TEST_F(NormalisedModel, HasGainsOfBothProductsAndAnLstmOfItsCellState) {
  for (const Cell cell : kTaking) {
    const NetworkConfig config = normalised(cell);
    std::int64_t all = 0;
    std::vector<std::string> added;
    for (const ParameterTensor& tensor : parameter_tensors(config)) {
      all += tensor.size;
      if (tensor.name.ends_with("_l1") && tensor.name.find("norm_") != std::string::npos) added.push_back(tensor.name);
    }
    EXPECT_EQ(parameter_count(config), all) << cell_name(cell);
    std::vector<std::string> expected{"rnn.norm_ih_l1", "rnn.norm_hh_l1"};
    if (cell == Cell::kLstm) expected.emplace_back("rnn.norm_c_l1");
    EXPECT_EQ(added, expected) << cell_name(cell);
    NetworkConfig plain = config;
    plain.layer_norm = false;
    EXPECT_EQ(multiplied_weights(config), multiplied_weights(plain));
  }
}

TEST_F(NormalisedModel, BeginsWithGainsOfOneAndABiasOfZero) {
  const NetworkConfig config = normalised(Cell::kLstm);
  Parameters parameters(config);
  set_initial_weights(config, {.seed = 3}, parameters);
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const bool is_gain = tensor.name.starts_with("rnn.norm_");
    if (!is_gain && !tensor.name.starts_with("rnn.bias_c")) continue;
    EXPECT_TRUE(std::ranges::all_of(parameters.values(tensor), [&](float v) { return v == (is_gain ? 1.0F : 0.0F); }))
        << tensor.name;
  }
}

TEST_F(NormalisedModel, OfOneUnitOrOfACellWithoutRecurrentWeightsIsRefused) {
  NetworkConfig config = normalised(Cell::kGru);
  config.hidden = 1;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "1 unit", [&] { check(config); }));
  for (const Cell cell : all_cells()) {
    const bool takes_it = std::ranges::find(kTaking, cell) != std::end(kTaking);
    EXPECT_EQ(fails_with(ErrorCode::kUsage, "min-", [&] { check(normalised(cell)); }), !takes_it) << cell_name(cell);
  }
}

TEST_F(NormalisedModel, ComesBackFromItsFileInEveryPrecision) {
  for (const Cell cell : kTaking) {
    const NetworkConfig config = normalised(cell);
    const Parameters before = random_parameters(config, 0.7F, 5);
    save_model(folder_.path("model"), config, tiny_characters(), {}, before);
    const Model model = Model::load(folder_.path("model"));
    EXPECT_EQ(model.config(), config);
    for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
      if (precision != Precision::kF32) convert(model, precision, folder_.path("rounded"));
      const Model after = precision == Precision::kF32 ? model : Model::load(folder_.path("rounded"));
      EXPECT_EQ(after.config(), config);
      Parameters numbers(config);
      read_parameters(after.config(), after.data().weights.view(), numbers);
      for (const ParameterTensor& tensor : before.tensors()) {
        const bool kept = tensor.shape.size() == 1 || precision == Precision::kF32;
        EXPECT_EQ(std::ranges::equal(numbers.values(tensor), before.values(tensor)), kept) << tensor.name;
      }
    }
  }
}

TEST_F(NormalisedModel, IsNamedInItsFileAndAPlainOneIsNot) {
  NetworkConfig plain = normalised(Cell::kGru);
  plain.layer_norm = false;
  save_model(folder_.path("model"), normalised(Cell::kGru), tiny_characters(), {},
             random_parameters(normalised(Cell::kGru), 0.7F, 5));
  EXPECT_NE(bytes_of(folder_.path("model")).find("layer_norm"), std::string::npos);
  save_model(folder_.path("plain"), plain, tiny_characters(), {}, random_parameters(plain, 0.7F, 5));
  EXPECT_EQ(bytes_of(folder_.path("plain")).find("norm"), std::string::npos);
}

TEST_F(NormalisedModel, TrainingIsTheSameForAnyNumberOfThreadsAndAcrossResumeInEveryPrecision) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    for (const Cell cell : {Cell::kRnnTanh, Cell::kLstm, Cell::kGru, Cell::kGruResetBefore}) {
      TrainOptions run = options("whole", cell);
      run.run.precision = precision;
      run.network.layers = 2;
      const std::string whole = trained(run);
      EXPECT_EQ(trained_in_parts(run), whole) << cell_name(cell);
      run.run.threads = 3;
      EXPECT_EQ(trained(run), whole) << cell_name(cell);
      run.network.layer_norm = false;
      EXPECT_NE(trained(run), whole) << cell_name(cell);
    }
  }
}

TEST_F(NormalisedModel, LearnsAndIsNamedWhereAResumedRunDiffers) {
  for (const Cell cell : kTaking) {
    TrainOptions run = options("model", cell);
    double first = 0;
    double last = 0;
    train(run, {.on_step = [&](const StepReport& report) {
            last = report.nats_per_token;
            if (report.step == 1) first = last;
          }});
    EXPECT_LT(last, 0.95 * first) << cell_name(cell);
  }
  TrainOptions run = options("model");
  train(run);
  run.files.overwrite = false;
  run.files.resume = true;
  run.network.layer_norm = false;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.layer_norm` is false now and was true", [&] { train(run); }));
}

}  // namespace
}  // namespace unroll
