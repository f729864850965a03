#include "search/settings_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "train/options.h"

namespace unroll {
namespace {

AutoTrainOptions options_of(TaskKind task, InputKind input = InputKind::kText) {
  AutoTrainOptions options;
  options.train = default_options(task, input);
  options.train.text.paths = {"text"};
  options.train.files.save = "model";
  return options;
}

std::vector<std::string> names_of(const std::vector<SettingAxis>& axes) {
  std::vector<std::string> names;
  for (const SettingAxis& axis : axes) names.emplace_back(axis.name);
  return names;
}

void expect_other_runs(const AutoTrainOptions& options) {
  const std::vector<SettingAxis> axes = setting_axes(options);
  EXPECT_GE(axes.size(), 4U);
  std::set<NamedValues> runs{recorded_options(resolve(options.train))};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (std::int64_t choice = 1; choice < axes[i].choices; ++choice) {
      Setting setting(axes.size());
      setting[i] = choice;
      const TrainOptions changed = resolve(with_choices(options.train, axes, setting));
      EXPECT_TRUE(runs.insert(recorded_options(changed)).second) << axes[i].name << ' ' << choice;
    }
  }
}

TEST(SettingsSpace, EverySingleChangeIsAnotherRunThatOptionsAllow) {
  using enum TaskKind;
  for (const TaskKind task : {kLanguage, kClassify, kTag, kConditional}) expect_other_runs(options_of(task));
  for (const TaskKind task : {kClassify, kTag}) expect_other_runs(options_of(task, InputKind::kDense));
  AutoTrainOptions numbers = options_of(kRegress);
  numbers.train.task.dense.target_columns = {"y"};
  expect_other_runs(numbers);
}

TEST(SettingsSpace, WhatIsFixedOrGivenByAModelStays) {
  using Names = std::vector<std::string>;
  AutoTrainOptions options = options_of(TaskKind::kClassify);
  EXPECT_EQ(names_of(setting_axes(options)), (Names{"tokenizer", "lr", "hidden", "dropout", "layers", "readout"}));
  options.fixed = {"network.embed", "regularization.input", "task.readout"};
  EXPECT_EQ(names_of(setting_axes(options)), (Names{"lr", "layers"}));
  options.train.transfer.init = "language.safetensors";
  EXPECT_EQ(names_of(setting_axes(options)), Names{"lr"});
  options = options_of(TaskKind::kTag);
  options.train.task.characters = 0;
  EXPECT_EQ(names_of(setting_axes(options)), (Names{"lr", "hidden", "dropout", "layers", "dropout-words"}));
}

TEST(SettingsSpace, SingleChangesComeFirstAndEverySettingOnce) {
  AutoTrainOptions options = options_of(TaskKind::kClassify);
  options.fixed = {"network.layers", "regularization.input", "task.readout", "tokenizer.kind"};
  const std::vector<SettingAxis> axes = setting_axes(options);
  ASSERT_EQ(axes.size(), 2U);
  SettingSource source(axes, 1);
  SettingSource again(axes, 1);
  std::vector<Setting> settings;
  while (const std::optional<Setting> setting = source.next()) {
    EXPECT_EQ(again.next(), setting);
    settings.push_back(*setting);
  }
  ASSERT_EQ(settings.size(), 8U);
  EXPECT_EQ(settings[0], (Setting{1, 0}));
  EXPECT_EQ(settings[3], (Setting{0, 2}));
  EXPECT_EQ(std::set<Setting>(settings.begin(), settings.end()).size(), 8U);
  EXPECT_EQ(std::ranges::count(settings, Setting{0, 0}), 0);
}

}  // namespace
}  // namespace unroll
