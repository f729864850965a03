#include "unroll/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "checkpoints/read_checkpoint.h"
#include "checkpoints/zip_archive.h"
#include "checkpoints/zip_writer.h"
#include "export/restored_model.h"
#include "model/model_file.h"
#include "support/error_of.h"
#include "support/label_models.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/exchange/convert.h"

namespace unroll {
namespace {

using testing::HasSubstr;

constexpr std::array kFormats{ExportFormat::kPytorch, ExportFormat::kSafetensors, ExportFormat::kNpz};

Model model_for(const NetworkConfig& config, const Tokenizer& tokenizer, const ModelUse& use) {
  TrainingRecord training;
  training.options = {{"hidden", "7"}, {"lr", "0.002"}};
  training.history = {{.step = 3, .tokens = 40, .nats_per_token = 1.0 / 3, .lr = 0.1, .valid_nats_per_token = 2.5}};
  return Model(std::make_shared<const Model::Data>(
      Model::Data{config, tokenizer, training, ModelWeights(random_parameters(config, 0.7F, 5)), use}));
}

// Networks of all cells, of all parts that have tensors of their own, and of all tasks.
std::vector<Model> all_kinds() {
  std::vector<Model> models;
  for (const Cell cell : all_cells())
    models.push_back(model_for(tiny_config(cell, tiny_characters()), tiny_characters(), {}));
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  config.tied = true;  // with a projection
  config.layer_norm = true;
  models.push_back(model_for(config, tiny_words(), BeginPolicy::kNone));
  config = tiny_config(Cell::kGru, all_bytes());
  config.cutoffs = {20, 90};
  config.hidden = 64;
  config.residual = true;
  models.push_back(model_for(config, all_bytes(), {}));
  config = tiny_config(Cell::kLstm, tiny_characters());
  config.conditions = 3;
  models.push_back(model_for(config, tiny_characters(),
                             ModelUse({}, Task{.kind = TaskKind::kConditional, .labels = {"a", "b\n", "\xC3\xA9"}})));
  models.push_back(animals_model(3, Readout::kAttention));
  models.push_back(spelled_animals_model());
  models.push_back(labels_model({0.25, 1.0 / 3, 0.5}));
  config = label_config(3, Readout::kSteps, Loss::kCrf);
  models.push_back(
      model_for(config, tiny_words(),
                ModelUse({}, Task{.kind = TaskKind::kTag, .labels = {"O", "B-x", "I-x"}, .scheme = "bio"})));
  config = label_config(2, Readout::kMean, Loss::kSquared);
  config.vocabulary = 0;
  models.push_back(model_for(config, all_bytes(),
                             ModelUse({}, Task{.kind = TaskKind::kRegress,
                                               .labels = {"x", "y"},
                                               .input_shift = {1, 2, 3, 4, 5},
                                               .input_factor = {1, 0.1, 1, 1, 1},
                                               .output_shift = {0, 1},
                                               .output_factor = {3, 1}})));
  return models;
}

// What is said against it; empty: nothing.
std::string message_of(const std::function<void()>& f) {
  const std::optional<Error> error = error_of(f);
  return error ? error->what() : "";
}

class ExportTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path("exported"); }

  std::string file_of(const Model& model) {
    Parameters parameters(model.config());
    read_parameters(model.config(), model.data().weights.view(), parameters);
    save_model(folder_.path("model"), model.config(), model.tokenizer(), model.training(), parameters,
               model.data().use);
    return read_file(folder_.path("model"));
  }

  Model again(const Model& model, ExportFormat format) {
    export_model(model, format, path());
    return restore_model(read_checkpoint(path()));
  }

  // Reads the bytes as an exported file would be.
  std::string refusal(const std::string& bytes) {
    const std::vector<std::string_view> pieces{bytes};
    replace_file(path(), pieces);
    return message_of([&] { static_cast<void>(restore_model(read_checkpoint(path()))); });
  }

  TemporaryFolder folder_;
};

TEST_F(ExportTest, EveryCellAndTaskComesBackToTheBitByEachFormat) {
  for (const Model& model : all_kinds()) {
    for (const ExportFormat format : kFormats) {
      SCOPED_TRACE(std::string(export_format_name(format)) + " " + std::string(cell_name(model.config().cell)) + " " +
                   std::string(task_name(model.task().kind)));
      EXPECT_EQ(file_of(again(model, format)), file_of(model));
    }
  }
}

TEST_F(ExportTest, EqualModelsGiveEqualBytes) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  for (const ExportFormat format : kFormats) {
    export_model(model, format, path());
    const std::string once = read_file(path());
    export_model(model, format, path());
    EXPECT_EQ(read_file(path()), once);
  }
}

TEST_F(ExportTest, ARoundedModelComesBackAsTheNumbersThatItComputesWith) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    convert(tiny_model(Cell::kLstm, tiny_characters()), precision, folder_.path("rounded"));
    const Model rounded = Model::load(folder_.path("rounded"));
    const Model restored = again(rounded, ExportFormat::kPytorch);
    EXPECT_EQ(restored.precision(), Precision::kF32);
    EXPECT_EQ(file_of(restored), file_of(rounded));
  }
}

TEST_F(ExportTest, TensorsHaveTheShapesOfPytorchsModules) {
  NetworkConfig config = tiny_config(Cell::kGru, tiny_words());
  config.tied = true;
  config.embed = config.hidden;
  export_model(model_for(config, tiny_words(), {}), ExportFormat::kPytorch, path());
  const ForeignFile file = read_checkpoint(path());
  const auto shape = [&](const char* name) { return file.values.tensor(file.values.find(file.root, name)).shape; };
  EXPECT_EQ(shape("decoder.weight"), (std::vector<std::int64_t>{8, 7}));
  EXPECT_EQ(shape("rnn.weight_hh_l1"), (std::vector<std::int64_t>{21, 7}));
  const auto storage = [&](const char* name) { return file.values.tensor(file.values.find(file.root, name)).storage; };
  EXPECT_EQ(storage("decoder.weight"), storage("encoder.weight"));
}

TEST_F(ExportTest, NumbersOfAStateDictBeginAtMultiplesOf64) {
  export_model(tiny_model(Cell::kLstm, tiny_characters()), ExportFormat::kPytorch, path());
  const std::string bytes = read_file(path());
  for (const ZipMember& member : read_zip(bytes, "it")) {
    EXPECT_EQ((member.bytes.data() - bytes.data()) % 64, 0) << member.name;
  }
}

// An archive of arrays with one member changed.
std::string with_member(const std::string& archive, const std::string& name, const std::string& content) {
  ZipWriter writer;
  const std::vector<ZipMember> members = read_zip(archive, "it");
  for (const ZipMember& member : members) {
    const std::string_view bytes = member.name == name ? std::string_view(content) : member.bytes;
    writer.add(member.name, {bytes});
  }
  std::string changed;
  for (const std::string_view piece : writer.finish()) changed += piece;
  return changed;
}

TEST_F(ExportTest, WhatContradictsTheDescriptionIsRefused) {
  NetworkConfig config = tiny_config(Cell::kGru, tiny_words());
  config.tied = true;
  export_model(model_for(config, tiny_words(), {}), ExportFormat::kPytorch, path());
  const std::string archive = read_file(path());
  const auto described = [&](const std::string& description) {
    return refusal(with_member(archive, "archive/unroll.json", description));
  };
  EXPECT_THAT(described("{}"), HasSubstr("config"));
  EXPECT_THAT(described("[1"), HasSubstr("the description"));
  std::string text(read_zip(archive, "it")[read_zip(archive, "it").size() - 2].bytes);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return described(changed);
  };
  EXPECT_THAT(replaced("\"hidden\":7", "\"hidden\":6"), HasSubstr("has the shape [21, 5]: expected [18, 5]"));
  EXPECT_THAT(replaced("\"layers\":2", "\"layers\":3"), HasSubstr("rnn.weight_ih_l2 is missing"));
  EXPECT_THAT(replaced("\"layers\":2", "\"layers\":1"), HasSubstr("has tensor rnn."));
  EXPECT_THAT(replaced("unroll/1", "unroll/9"), HasSubstr("unroll/9"));
}

TEST_F(ExportTest, ChangedNumbersComeBackUnlessTiedOnesDiffer) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  export_model(model, ExportFormat::kSafetensors, path());
  std::string bytes = read_file(path());
  const float changed = 0.5F;
  std::memcpy(bytes.data() + bytes.size() - sizeof changed, &changed, sizeof changed);
  const std::vector<std::string_view> pieces{bytes};
  replace_file(path(), pieces);
  EXPECT_EQ(restore_model(read_checkpoint(path())).data().weights.view().decoder_bias.back(), changed);

  NetworkConfig config = tiny_config(Cell::kGru, tiny_words());
  config.tied = true;
  export_model(model_for(config, tiny_words(), {}), ExportFormat::kSafetensors, path());
  bytes = read_file(path());
  const std::size_t bias = static_cast<std::size_t>(config.vocabulary) * sizeof(float);
  std::memcpy(bytes.data() + bytes.size() - bias - sizeof changed, &changed, sizeof changed);
  EXPECT_THAT(refusal(bytes), HasSubstr("decoder.weight is not encoder.weight"));
}

TEST_F(ExportTest, ArchivesThatNeedSizesOf64BitsAreRefused) {
  ZipWriter writer;
  const std::string_view huge("", std::size_t{5'000'000'000});
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "safetensors", [&] { writer.add("x", {huge}); }));
}

TEST_F(ExportTest, PythonIsWrittenOrRefusedWithTheReason) {
  EXPECT_THAT(pytorch_module(tiny_model(Cell::kLstm, tiny_characters())), HasSubstr("nn.LSTM(5, 7, 2)"));
  EXPECT_THAT(pytorch_module(animals_model()), HasSubstr("torch.cat([h[-1, :, :7], h[0, :, 7:]], -1)"));
  const auto reason = [](const Model& model) { return message_of([&] { static_cast<void>(pytorch_module(model)); }); };
  EXPECT_THAT(reason(tiny_model(Cell::kMinGru, tiny_characters())), HasSubstr("min-gru"));
  EXPECT_THAT(reason(tiny_model(Cell::kGruResetBefore, tiny_characters())), HasSubstr("reset gate"));
  EXPECT_THAT(reason(spelled_animals_model()), HasSubstr("characters of each word"));
}

TEST(ExportFormat, NamesAreReadBack) {
  for (const ExportFormat format : kFormats) EXPECT_EQ(parse_export_format(export_format_name(format)), format);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "npz", [] { static_cast<void>(parse_export_format("onnx")); }));
}

}  // namespace
}  // namespace unroll
