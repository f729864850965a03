#include "unroll/exchange/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/file_claim.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "support/error_of.h"
#include "support/sealed_file.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

constexpr std::array kRounded{Precision::kBf16, Precision::kInt8};

Parameters numbers_of(const Model& model) {
  Parameters parameters(model.config());
  read_parameters(model.config(), model.data().weights.view(), parameters);
  return parameters;
}

// The largest magnitude in each row of a matrix, for each of its numbers.
std::vector<float> row_magnitudes(std::span<const float> values, std::int64_t cols) {
  std::vector<float> magnitudes;
  for (std::size_t first = 0; first < values.size(); first += static_cast<std::size_t>(cols)) {
    float largest = 0;
    for (const float value : values.subspan(first, static_cast<std::size_t>(cols)))
      largest = std::max(largest, std::abs(value));
    magnitudes.insert(magnitudes.end(), static_cast<std::size_t>(cols), largest);
  }
  return magnitudes;
}

// Whether `after` is `before` rounded: to 8 significant bits, or to a step of 1/127 of the row's largest number.
testing::AssertionResult is_rounded(std::span<const float> before, std::span<const float> after, std::int64_t cols,
                                    Precision precision) {
  const std::vector<float> magnitudes = row_magnitudes(before, cols);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const float step = precision == Precision::kBf16 ? std::abs(before[i]) / 128 : magnitudes[i] / 127;
    if (std::abs(after[i] - before[i]) <= 0.501F * step) continue;
    return testing::AssertionFailure() << "element " << i << ": " << before[i] << " became " << after[i];
  }
  return testing::AssertionSuccess();
}

class ConvertTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path("rounded.safetensors"); }

  // A file of format unroll/2 with other metadata or tensors, under a right checksum.
  void save_changed(
      Precision precision,
      const std::function<void(std::map<std::string, std::string>&, std::vector<TensorToWrite>&)>& change) {
    convert(model_, precision, path());
    TensorFile file(path(), {kRoundedModelFormat});
    std::vector<TensorToWrite> tensors;
    for (const StoredTensor& tensor : file.tensors()) {
      switch (tensor.precision) {
        case Precision::kF32:
          tensors.emplace_back(tensor.name, tensor.shape, file.values<float>(tensor.name, tensor.shape));
          break;
        case Precision::kBf16:
          tensors.emplace_back(tensor.name, tensor.shape, file.values<Bf16>(tensor.name, tensor.shape));
          break;
        case Precision::kInt8:
          tensors.emplace_back(tensor.name, tensor.shape, file.values<std::int8_t>(tensor.name, tensor.shape));
          break;
      }
    }
    std::map<std::string, std::string> metadata = file.metadata();
    change(metadata, tensors);
    write_tensor_file(path(), tensors, metadata);
  }
  testing::AssertionResult refused(const std::string& part) {
    return fails_with(ErrorCode::kFormat, part, [&] { (void)Model::load(path()); });
  }
  // What happens to the first number of tensor `name`, of type T.
  template <class T>
  testing::AssertionResult refused_with(Precision precision, const std::string& name, T number,
                                        const std::string& part) {
    std::vector<T> values;
    save_changed(precision, [&](auto&, auto& tensors) {
      const auto tensor = std::ranges::find(tensors, name, &TensorToWrite::name);
      values.resize(tensor->bytes.size() / sizeof(T));
      std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
      values[1] = number;
      *tensor = TensorToWrite(name, tensor->shape, std::span<const T>(values));
    });
    return refused(part);
  }

  TemporaryFolder folder_;
  Model model_ = tiny_model(Cell::kLstm, tiny_characters());
};

TEST_F(ConvertTest, RoundsMatricesAndNothingElseForEveryCellTiedOrNot) {
  for (const Cell cell : all_cells()) {
    for (const bool tied : {false, true}) {
      NetworkConfig config = tiny_config(cell, tiny_characters());
      config.tied = tied;
      if (tied) config.embed = config.hidden;
      const Parameters before = random_parameters(config, 0.7F, 5);
      Parameters copy(config);
      copy.copy_from(before);
      const Model model = model_of(config, tiny_characters(), std::move(copy));
      for (const Precision precision : kRounded) {
        convert(model, precision, path());
        const Model rounded = Model::load(path());
        EXPECT_EQ(rounded.precision(), precision);
        EXPECT_EQ(rounded.config(), config);
        EXPECT_EQ(rounded.tokenizer().vocabulary(), model.tokenizer().vocabulary());
        const Parameters after = numbers_of(rounded);
        for (const ParameterTensor& tensor : before.tensors()) {
          if (tensor.shape.size() == 1) {
            EXPECT_TRUE(std::ranges::equal(after.values(tensor), before.values(tensor))) << tensor.name;
          } else {
            EXPECT_FALSE(std::ranges::equal(after.values(tensor), before.values(tensor))) << tensor.name;
            EXPECT_TRUE(is_rounded(before.values(tensor), after.values(tensor), tensor.shape[1], precision))
                << tensor.name;
          }
        }
      }
    }
  }
}

TEST_F(ConvertTest, ScoresLikeTheModelThatItWasMadeFrom) {
  const std::string text = random_text(2000, 9);
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    const double nats = evaluate(model, {text, "text"}).nats_per_token;
    for (const Precision precision : kRounded) {
      convert(model, precision, path());
      const double rounded = evaluate(Model::load(path()), {text, "text"}).nats_per_token;
      EXPECT_NE(rounded, nats);
      EXPECT_NEAR(rounded, nats, 0.01 * nats) << cell_name(cell) << " " << precision_name(precision);
    }
  }
}

TEST_F(ConvertTest, TellsThePrecisionOfEachTensor) {
  convert(model_, Precision::kInt8, path());
  const std::vector<TensorInfo> tensors = Model::load(path()).tensors();
  ASSERT_EQ(tensors.size(), model_.tensors().size());
  for (const TensorInfo& tensor : tensors) {
    EXPECT_EQ(tensor.precision, tensor.shape.size() == 2 ? Precision::kInt8 : Precision::kF32) << tensor.name;
  }
}

TEST_F(ConvertTest, TakesTheTrainingRecordAlong) {
  TrainingRecord record;
  record.options = {{"state", "reset"}, {"lr", "0.5"}};
  record.history = {{10, 640, 2.5, 0.1, 2.25}};
  record.complete = true;
  const NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
  save_model(folder_.path("m"), config, tiny_characters(), record, random_parameters(config, 0.5F, 1));
  convert(Model::load(folder_.path("m")), Precision::kInt8, path());
  const Model rounded = Model::load(path());
  EXPECT_EQ(rounded.training().options, record.options);
  EXPECT_TRUE(rounded.training().complete);
  ASSERT_EQ(rounded.training().history.size(), 1U);
  EXPECT_EQ(rounded.training().history[0].valid_nats_per_token, 2.25);
  EXPECT_EQ(rounded.trained_state_policy(), StatePolicy::kReset);
}

TEST_F(ConvertTest, WritesTheSameBytesEachTimeAndAlsoOverItsSource) {
  for (const Precision precision : kRounded) {
    const NetworkConfig& config = model_.config();
    save_model(path(), config, model_.tokenizer(), {}, numbers_of(model_));
    const Model model = Model::load(path());
    convert(model, precision, folder_.path("other"));
    convert(model, precision, path());
    EXPECT_EQ(bytes_of(path()), bytes_of(folder_.path("other")));
    convert(model, precision, path());  // the file that `model` reads is no longer at its path
    EXPECT_EQ(bytes_of(path()), bytes_of(folder_.path("other")));
  }
}

TEST_F(ConvertTest, MakesInt8OfBf16) {
  convert(model_, Precision::kBf16, path());
  const Model bf16 = Model::load(path());
  convert(bf16, Precision::kInt8, folder_.path("int8"));
  const Parameters before = numbers_of(bf16);
  const Parameters after = numbers_of(Model::load(folder_.path("int8")));
  const ParameterTensor& tensor = before.tensors()[1];
  EXPECT_TRUE(is_rounded(before.values(tensor), after.values(tensor), tensor.shape[1], Precision::kInt8));
}

TEST_F(ConvertTest, RefusesToGoBackOrNowhere) {
  const std::string other = folder_.path("other");
  const auto refuses = [&](const Model& model, Precision precision, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { convert(model, precision, other); });
  };
  EXPECT_TRUE(refuses(model_, Precision::kF32, "f32 already"));
  convert(model_, Precision::kBf16, path());
  EXPECT_TRUE(refuses(Model::load(path()), Precision::kBf16, "bf16 already"));
  EXPECT_TRUE(refuses(Model::load(path()), Precision::kF32, "cannot convert to f32: the model is bf16"));
  convert(model_, Precision::kInt8, path());
  EXPECT_TRUE(refuses(Model::load(path()), Precision::kInt8, "int8 already"));
  EXPECT_TRUE(refuses(Model::load(path()), Precision::kBf16, "cannot convert to bf16: the model is int8"));
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(ConvertTest, RefusesWeightsThatAreTooLarge) {
  const NetworkConfig config = tiny_config(Cell::kRnnTanh, tiny_characters());
  Parameters parameters = random_parameters(config, 0.5F, 1);
  parameters.layer(1).W(2, 3) = std::numeric_limits<float>::max();
  const Model model = model_of(config, tiny_characters(), std::move(parameters));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "rnn.weight_hh_l1 has a weight that is too large for bf16",
                         [&] { convert(model, Precision::kBf16, path()); }));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ConvertTest, RefusesInt8WhereItsSumsWouldNotBeExact) {
  NetworkConfig config = tiny_config(Cell::kRnnTanh, tiny_characters());
  config.embed = 65537;
  const Model model = model_of(config, tiny_characters(), random_parameters(config, 0.5F, 1));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "embed is 65537: int8 sums are exact up to 65536",
                         [&] { convert(model, Precision::kInt8, path()); }));
  convert(model, Precision::kBf16, path());
}

TEST_F(ConvertTest, KeepsRowsOfZeros) {
  const NetworkConfig config = tiny_config(Cell::kRnnTanh, tiny_characters());
  Parameters parameters = random_parameters(config, 0.5F, 1);
  std::ranges::fill(parameters.encoder().row_range(3, 1).flat(), 0.0F);
  std::ranges::fill(parameters.layer(0).U.flat(), 0.0F);
  const Model model = model_of(config, tiny_characters(), std::move(parameters));
  for (const Precision precision : kRounded) {
    const Conversion conversion = convert(model, precision, path());
    EXPECT_TRUE(std::isfinite(conversion.largest_error));
    const Parameters after = numbers_of(Model::load(path()));
    EXPECT_EQ(after.encoder()(3, 1), 0);
    EXPECT_EQ(after.layer(0).U(1, 1), 0);
  }
}

TEST_F(ConvertTest, ReportsTheLargestErrorAndItsMatrix) {
  // All numbers but those of one matrix are exact in both precisions.
  const NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
  Parameters parameters(config);
  std::ranges::fill(parameters.all(), 1.0F);
  std::ranges::fill(parameters.layer(1).U.flat(), 0.0F);
  parameters.layer(1).U(0, 0) = 127;
  parameters.layer(1).U(0, 1) = 100.25F;
  const Model model = model_of(config, tiny_characters(), std::move(parameters));
  for (const Precision precision : kRounded) {
    const Conversion conversion = convert(model, precision, path());
    EXPECT_EQ(conversion.tensor, "rnn.weight_ih_l1");
    EXPECT_NEAR(conversion.largest_error, 0.25 / std::hypot(127, 100.25), 1e-7) << precision_name(precision);
  }
}

TEST_F(ConvertTest, AlignsEveryTensorToItsNumbers) {
  for (const Precision precision : kRounded) {
    convert(model_, precision, path());
    const TensorFile file(path(), {kRoundedModelFormat});
    const std::string bytes = bytes_of(path());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    EXPECT_EQ(length % 8, 0U);
    for (const StoredTensor& tensor : file.tensors()) {
      const std::int64_t size = tensor.precision == Precision::kF32 ? 4 : tensor.precision == Precision::kBf16 ? 2 : 1;
      EXPECT_EQ(tensor.offset % size, 0) << tensor.name;
    }
  }
}

TEST_F(ConvertTest, ReadsFilesWhoseTensorsAreNotAligned) {
  const std::string plain = folder_.path("plain");
  save_model(plain, model_.config(), model_.tokenizer(), {}, numbers_of(model_));
  convert(model_, Precision::kBf16, path());
  for (const std::string& file : {plain, path()}) {
    const Parameters expected = numbers_of(Model::load(file));
    std::string bytes = bytes_of(file);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    std::string header = bytes.substr(8, length);
    header.replace(header.find("\"checksum\":\"") + 12, 16, 16, '0');
    for (int spaces = 1; spaces < 4; ++spaces) {
      header += ' ';
      write_bytes(file, sealed_file(header, bytes.substr(8 + length)));
      Model moved = Model::load(file);
      const Model model = std::move(moved);
      EXPECT_TRUE(std::ranges::equal(numbers_of(model).all(), expected.all())) << spaces;
    }
  }
}

TEST_F(ConvertTest, IsRefusedWhileAnotherWritesToItsPath) {
  const FileClaim claim(path());
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "another process", [&] { convert(model_, Precision::kBf16, path()); }));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ConvertTest, WorksOnWhenItsFileIsReplacedOrRemoved) {
  for (const Precision precision : kRounded) {
    convert(model_, precision, path());
    const Model model = Model::load(path());
    const Parameters before = numbers_of(model);
    replace_file(path(), std::vector<std::string_view>{"something shorter"});
    EXPECT_TRUE(std::ranges::equal(numbers_of(model).all(), before.all()));
    std::filesystem::remove(path());
    EXPECT_TRUE(std::ranges::equal(numbers_of(model).all(), before.all()));
  }
}

TEST_F(ConvertTest, RefusesARoundedModelCutAtAnyByteOrWithAnyBitFlipped) {
  for (const Precision precision : kRounded) {
    convert(model_, precision, path());
    const std::string bytes = bytes_of(path());
    const auto refuses = [&](const std::string& changed) {
      write_bytes(path(), changed);
      const auto error = error_of([&] { (void)Model::load(path()); });
      return error && error->code() == ErrorCode::kFormat;
    };
    for (std::size_t length = 0; length < bytes.size(); length += 7) {
      ASSERT_TRUE(refuses(bytes.substr(0, length))) << "cut to " << length;
    }
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
      std::string changed = bytes;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_TRUE(refuses(changed)) << "byte " << bit / 8 << " bit " << bit % 8;
    }
  }
}

TEST_F(ConvertTest, RefusesNumbersThatCannotBe) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(refused_with<Bf16>(Precision::kBf16, "encoder.weight", 0x7FC0, "nan in tensor encoder.weight at"));
  EXPECT_TRUE(refused_with<Bf16>(Precision::kBf16, "decoder.weight", 0xFF80, "-inf in tensor decoder.weight at"));
  EXPECT_TRUE(refused_with<float>(Precision::kBf16, "decoder.bias", kInfinity, "inf in tensor decoder.bias at"));
  EXPECT_TRUE(refused_with<std::int8_t>(Precision::kInt8, "rnn.weight_hh_l0", -128, "-128 in tensor rnn.weight_hh_l0"));
  const std::string scale = "rnn.weight_ih_l1.scale";
  EXPECT_TRUE(refused_with(Precision::kInt8, scale, std::nanf(""), "nan in tensor rnn.weight_ih_l1.scale"));
  EXPECT_TRUE(refused_with(Precision::kInt8, scale, kInfinity, "inf in tensor rnn.weight_ih_l1.scale"));
  EXPECT_TRUE(refused_with(Precision::kInt8, scale, -0.5F, "-0.5 in tensor rnn.weight_ih_l1.scale at element 1"));
  EXPECT_TRUE(refused_with(Precision::kInt8, scale, 1e38F, "which is not a scale of finite weights"));
}

TEST_F(ConvertTest, RefusesTensorsOfTheWrongTypeOrShapeOrNumber) {
  const std::vector<float> floats(1000, 1.0F);
  const std::vector<std::int8_t> bytes(1000, 1);
  for (const Precision precision : kRounded) {
    const std::string dtype = precision == Precision::kBf16 ? "BF16" : "I8";
    save_changed(precision, [&](auto&, auto& tensors) {
      const auto tensor = std::ranges::find(tensors, "encoder.weight", &TensorToWrite::name);
      *tensor = TensorToWrite(tensor->name, tensor->shape, std::span(floats).first(13 * 5));
    });
    EXPECT_TRUE(refused("has tensor encoder.weight as F32, expected " + dtype));
    save_changed(precision, [&](auto&, auto& tensors) {
      const auto tensor = std::ranges::find(tensors, "decoder.bias", &TensorToWrite::name);
      *tensor = TensorToWrite(tensor->name, tensor->shape, std::span(bytes).first(13));
    });
    EXPECT_TRUE(refused("has tensor decoder.bias as I8, expected F32"));
    save_changed(precision, [&](auto&, auto& tensors) {
      tensors.emplace_back("decoder.bias.scale", std::vector<std::int64_t>{13}, std::span(floats).first(13));
    });
    EXPECT_TRUE(refused("has tensor \"decoder.bias.scale\", which its network"));
  }
  save_changed(Precision::kInt8, [&](auto&, auto& tensors) {
    std::erase_if(tensors, [](const TensorToWrite& tensor) { return tensor.name == "decoder.weight.scale"; });
  });
  EXPECT_TRUE(refused("lacks tensor decoder.weight.scale of shape (13)"));
  save_changed(Precision::kInt8, [&](auto&, auto& tensors) {
    const auto tensor = std::ranges::find(tensors, "decoder.weight.scale", &TensorToWrite::name);
    *tensor = TensorToWrite(tensor->name, {7}, std::span(floats).first(7));
  });
  EXPECT_TRUE(refused("has tensor decoder.weight.scale of shape (7), expected (13)"));
  save_changed(Precision::kBf16, [&](auto&, auto& tensors) {
    tensors.emplace_back("encoder.weight.scale", std::vector<std::int64_t>{13}, std::span(floats).first(13));
  });
  EXPECT_TRUE(refused("has tensor \"encoder.weight.scale\""));
}

TEST_F(ConvertTest, RefusesAPrecisionThatContradictsTheFormat) {
  const auto with = [&](const std::string& format, const std::string& precision) {
    save_changed(Precision::kBf16, [&](auto& metadata, auto&) {
      metadata["format"] = format;
      metadata["precision"] = precision;
    });
  };
  for (const char* precision : {"f32", "int4", "", "BF16"}) {
    with("unroll/2", precision);
    EXPECT_TRUE(refused("a file of format unroll/2 has \"bf16\" or \"int8\"")) << precision;
  }
  with("unroll/1", "bf16");
  EXPECT_TRUE(refused("a file of format unroll/1 has none"));
  with("unroll/2", "int8");
  EXPECT_TRUE(refused("has tensor encoder.weight as BF16, expected I8"));
  save_changed(Precision::kBf16, [](auto& metadata, auto&) { metadata.erase("precision"); });
  EXPECT_TRUE(refused("\"precision\" is missing"));
  save_changed(Precision::kBf16, [](auto& metadata, auto&) {
    metadata.erase("precision");
    metadata["format"] = "unroll/1";
  });
  EXPECT_TRUE(refused("has tensor encoder.weight as BF16, expected F32"));
}

TEST_F(ConvertTest, IsRefusedByReadersOfTheFirstFormatAlone) {
  convert(model_, Precision::kInt8, path());
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "was written by a newer version of unroll (format unroll/2",
                         [&] { const TensorFile file(path(), {kModelFormat}); }));
}

}  // namespace
}  // namespace unroll
