#include "search/settings_space.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/philox.h"
#include "train/options.h"

namespace unroll {
namespace {

constexpr std::uint32_t kMostDraws = 1000;  // without a new setting: there is hardly another one

// An axis, the fields that it changes, and whether these belong to the network of a model to start from.
struct AxisEntry {
  SettingAxis axis;
  std::vector<std::string_view> fields;
  bool is_of_network = false;
};

double choice_of(std::int64_t choice, std::array<double, 2> values) { return values[choice == 1 ? 0 : 1]; }

void set_rate(TrainOptions& options, std::int64_t choice) {
  options.run.lr = resolve(options).run.lr * choice_of(choice, {2, 0.5});
}

void set_size(TrainOptions& options, std::int64_t choice) {
  const auto scaled = [&](std::int64_t size) { return choice == 1 ? 2 * size : std::max<std::int64_t>(1, size / 2); };
  options.network.hidden = scaled(options.network.hidden);
  if (options.network.embed > 0) options.network.embed = scaled(options.network.embed);
}

// A share of numbers to drop, next to the given one.
double other_share(double share, std::int64_t choice) {
  if (share == 0) return choice_of(choice, {0.2, 0.4});
  return choice_of(choice, share < 0.3 ? std::array{share + 0.2, 0.0} : std::array{share - 0.2, share + 0.1});
}

void set_dropout(TrainOptions& options, std::int64_t choice) {
  Regularization& regularization = options.regularization;
  const bool is_dense = options.task.input == InputKind::kDense;
  regularization.output = other_share(regularization.output, choice);
  constexpr double kUndecided = 0.5;
  if (regularization.input == kByTexts) regularization.input = kUndecided;
  if (!is_dense) regularization.input = other_share(regularization.input, choice);
}

void set_layers(TrainOptions& options, std::int64_t /*choice*/) {
  options.network.layers += 1;
  options.regularization.between = options.regularization.output;
}

void set_readout(TrainOptions& options, std::int64_t choice) {
  constexpr std::array kOthers{Readout::kMax, Readout::kMean, Readout::kAttention};
  std::int64_t place = choice - 1;
  for (const Readout readout : kOthers) {
    if (readout != options.task.readout && place-- == 0) {
      options.task.readout = readout;
      return;
    }
  }
}

// Characters as tokens, with the defaults that go with them; or words that are read with their characters.
void set_reading(TrainOptions& options, std::int64_t choice) {
  constexpr std::int64_t kCharacterUnits = 30;
  if (choice == 2) {
    options.task.characters = kCharacterUnits;
    return;
  }
  const TrainOptions defaults = default_options(options.task.kind, options.task.input, TokenizerKind::kChar);
  options.tokenizer.kind = TokenizerKind::kChar;
  options.network.hidden = defaults.network.hidden;
  options.network.embed = defaults.network.embed;
  options.regularization.input = defaults.regularization.input;
  options.regularization.output = defaults.regularization.output;
  options.regularization.words = defaults.regularization.words;
  options.run.lr = defaults.run.lr;
}

void set_characters(TrainOptions& options, std::int64_t choice) {
  const std::int64_t units = options.task.characters.value_or(default_characters(options.task));
  options.task.characters = choice == 1 ? 2 * units : units / 2;
}

void set_words(TrainOptions& options, std::int64_t choice) {
  options.regularization.words = choice_of(choice, {0.2, 0.05});
}

// All axes of a task, in the order in which choices are made: what is read comes first, since others start from its
// defaults. Single changes are tried in this order, first choices first.
std::vector<AxisEntry> all_axes(const TrainOptions& options) {
  const TaskKind task = options.task.kind;
  const bool is_of_texts = options.task.input == InputKind::kText;
  std::vector<AxisEntry> entries;
  if (task == TaskKind::kClassify && is_of_texts && options.tokenizer.kind == TokenizerKind::kWord) {
    entries.push_back({{"tokenizer", 3, set_reading},
                       {"tokenizer.kind", "tokenizer.lowercase", "task.characters", "network.hidden", "network.embed",
                        "regularization.input", "regularization.output", "regularization.words", "run.lr"},
                       true});
  }
  entries.push_back({{"lr", 3, set_rate}, {"run.lr"}, false});
  entries.push_back({{"hidden", 3, set_size}, {"network.hidden", "network.embed"}, true});
  entries.push_back({{"dropout", 3, set_dropout}, {"regularization.input", "regularization.output"}, false});
  entries.push_back({{"layers", 2, set_layers}, {"network.layers", "regularization.between"}, true});
  if (task == TaskKind::kClassify) entries.push_back({{"readout", 3, set_readout}, {"task.readout"}, false});
  if (task == TaskKind::kTag && is_of_texts) {
    entries.push_back({{"chars", 3, set_characters}, {"task.characters"}, true});
    entries.push_back({{"dropout-words", 3, set_words}, {"regularization.words"}, false});
  }
  return entries;
}

}  // namespace

std::vector<SettingAxis> setting_axes(const AutoTrainOptions& options) {
  const bool has_network = !options.train.files.from.empty() || !options.train.transfer.init.empty();
  std::vector<SettingAxis> axes;
  for (const AxisEntry& entry : all_axes(options.train)) {
    const bool is_fixed = std::ranges::any_of(entry.fields, [&](std::string_view field) {
      return std::ranges::find(options.fixed, field) != options.fixed.end();
    });
    const bool is_off = entry.axis.name == "chars" && options.train.task.characters == std::optional<std::int64_t>(0);
    const bool has_vocabulary = entry.axis.name == "tokenizer" && (!options.train.tokenizer.vocab_file.empty() ||
                                                                   !options.train.transfer.vectors.empty());
    if (is_fixed || is_off || has_vocabulary || (entry.is_of_network && has_network)) continue;
    axes.push_back(entry.axis);
  }
  return axes;
}

TrainOptions with_choices(TrainOptions options, const std::vector<SettingAxis>& axes, const Setting& setting) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (setting[i] > 0) axes[i].set(options, setting[i]);
  }
  return options;
}

SettingSource::SettingSource(const std::vector<SettingAxis>& axes, std::uint64_t seed) : axes_(axes), seed_(seed) {
  const Setting given(axes.size());
  seen_.insert(given);
  std::int64_t most = 0;
  for (const SettingAxis& axis : axes) most = std::max(most, axis.choices);
  for (std::int64_t choice = 1; choice < most; ++choice) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (choice >= axes[i].choices) continue;
      Setting& setting = single_.emplace_back(given);
      setting[i] = choice;
      seen_.insert(setting);
    }
  }
  std::ranges::reverse(single_);
}

std::optional<Setting> SettingSource::next() {
  if (single_.empty()) return drawn();
  Setting setting = std::move(single_.back());
  single_.pop_back();
  return setting;
}

std::optional<Setting> SettingSource::drawn() {
  for (std::uint32_t tries = 0; tries < kMostDraws && !axes_.empty(); ++tries) {
    Setting setting;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      const auto words = random_words(seed_, draws_, RandomPurpose::kSetting, 0, static_cast<std::uint32_t>(i), 0);
      setting.push_back(static_cast<std::int64_t>(words[0] % static_cast<std::uint32_t>(axes_[i].choices)));
    }
    ++draws_;
    if (seen_.insert(setting).second) return setting;
  }
  return std::nullopt;
}

}  // namespace unroll
