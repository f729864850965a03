// Resume files with a right checksum and numbers that no run can have.
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/tensor_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/train.h"

namespace unroll {
namespace {

using Metadata = std::map<std::string, std::string>;

class OddCheckpoint : public SmallRun {
 protected:
  // A run of averaged weights that stops after step 12.
  TrainOptions interrupted(bool with_validation = true) {
    TrainOptions options = small();
    if (with_validation) options.run.average = Average::kEma;
    if (!with_validation) options.text.valid_split = 0;
    int steps = 0;
    train(options,
          {.on_step = [&](const StepReport&) { ++steps; }, .stop_requested = [&] { return steps == kStoppedAfter; }});
    path_ = options.files.save + ".resume";
    good_ = bytes_of(path_);
    options.files.resume = true;
    return options;
  }

  // Writes the resume file again, sealed, with its metadata changed.
  void change(const std::function<void(Metadata&)>& edit) {
    write_bytes(path_, good_);
    TensorFile file(path_, {"unroll-resume/1"});
    Metadata metadata = file.metadata();
    edit(metadata);
    std::vector<TensorToWrite> tensors;
    for (const StoredTensor& tensor : file.tensors()) {
      tensors.emplace_back(tensor.name, tensor.shape, file.values<float>(tensor.name, tensor.shape));
    }
    write_tensor_file(path_, tensors, metadata);
  }

  static constexpr int kStoppedAfter = 12;
  std::string path_;
  std::string good_;
};

TEST_F(OddCheckpoint, IsRefusedByTheNameOfTheNumber) {
  const TrainOptions options = interrupted();
  const std::vector<std::pair<std::string, std::vector<std::string>>> odd{
      {"step", {"-1", "40", "41", "9223372036854775807", "4.5", ""}},
      {"tokens", {"-1", "9223372036854775807", "99999999999999999999"}},
      {"nats_since_point", {"nan", "inf", "-inf", "x"}},
      {"predictions_since_point", {"-1", "9007199254740992"}},
      {"lr_divisor", {"0", "-4", "nan", "0.5", "4"}},
      {"best_step", {"-1", "13", "4294967296"}},
      {"best_nats", {"nan", "inf", "-inf"}},
      {"steps", {"0", "-40", "2147483649", "9223372036854775807"}},
      {"save_every", {"0", "-7", "9223372036854775807"}},
      {"average_start", {"-1", "1", "13", "9223372036854775807"}},
      {"best_is_average", {"-1", "2"}}};
  for (const auto& [key, values] : odd) {
    for (const std::string& value : values) {
      change([&](Metadata& metadata) { metadata.at(key) = value; });
      EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'" + key + "'", [&] { train(options); })) << key << " " << value;
    }
  }
  change([](Metadata& metadata) { metadata.at("steps") = "39"; });
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "39 steps", [&] { train(options); }));
  write_bytes(path_, good_);
  EXPECT_EQ(train(options).steps, 40);
}

TEST_F(OddCheckpoint, IsRefusedForAStepToValidateThatNoRunHas) {
  TrainOptions options = small();
  bool validating = false;
  train(options, {.on_validation = [&](std::int64_t, std::int64_t) { validating = true; },
                  .stop_requested = [&] { return validating; }});
  path_ = options.files.save + ".resume";
  good_ = bytes_of(path_);
  options.files.resume = true;
  const std::vector<std::pair<std::string, std::string>> odd{
      {"unvalidated_nats", "nan"},      {"unvalidated_lr", "-1"},           {"unvalidated_lr", "inf"},
      {"unvalidated_grad_norm", "nan"}, {"unvalidated_tokens_per_s", "-1"}, {"unvalidated_tokens_per_s", "nan"}};
  for (const auto& [key, value] : odd) {
    change([&](Metadata& metadata) { metadata.at(key) = value; });
    EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'" + key + "'", [&] { train(options); })) << key << " " << value;
  }
  write_bytes(path_, good_);
  EXPECT_EQ(train(options).steps, 40);
}

TEST_F(OddCheckpoint, IsRefusedForAHistoryThatNoRunHas) {
  const TrainOptions options = interrupted();
  const auto points = [](const std::vector<std::pair<std::string, std::string>>& steps_and_tokens) {
    std::string json;
    for (const auto& [step, tokens] : steps_and_tokens) {
      json += (json.empty() ? "" : ",") + (R"({"step":)" + step) + R"(,"tokens":)" + tokens +
              R"(,"nats_per_token":2,"lr":0.1,"valid_nats_per_token":3})";
    }
    return "[" + json + "]";
  };
  for (const std::string& history :
       {points({{"13", "45"}}), points({{"0", "45"}}), points({{"-3", "45"}}), points({{"5", "45"}, {"5", "45"}}),
        points({{"6", "45"}, {"5", "45"}}), points({{"5", "-45"}}), points({{"9223372036854775807", "45"}})}) {
    change([&](Metadata& metadata) { metadata.at("history") = history; });
    EXPECT_TRUE(fails_with(ErrorCode::kFormat, "history", [&] { train(options); })) << history;
  }
}

TEST_F(OddCheckpoint, IsRefusedForWeightsThatItsRunDoesNotKeep) {
  const TrainOptions options = interrupted(false);
  change([](Metadata& metadata) { metadata.at("best_step") = "3"; });
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'best_step'", [&] { train(options); }));
  change([](Metadata& metadata) {
    for (const char* const key : {"nats", "lr", "grad_norm", "tokens_per_s"}) {
      metadata[std::string("unvalidated_") + key] = "1";
    }
  });
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'unvalidated_nats'", [&] { train(options); }));
  change([](Metadata& metadata) {
    metadata["average_start"] = "0";
    metadata["best_is_average"] = "0";
  });
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'average_start'", [&] { train(options); }));
  write_bytes(path_, good_);
  EXPECT_EQ(train(options).steps, 40);
}

}  // namespace
}  // namespace unroll
