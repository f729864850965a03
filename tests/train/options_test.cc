#include "train/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "support/error_of.h"

namespace unroll {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TrainOptions enough() {
  TrainOptions options;
  options.text.paths = {"text"};
  options.files.save = "model";
  return options;
}

TEST(TrainOptionList, EveryOptionHasAFieldANameAndAHelpOfItsOwn) {
  std::set<std::string_view> fields;
  std::set<std::string_view> names;
  std::set<std::string_view> helps;
  const std::vector<DescribedOption> all = describe_all({});
  for (const auto& [option, value] : all) {
    fields.insert(option.field);
    names.insert(option.name);
    helps.insert(option.help);
    EXPECT_NE(option.field.find('.'), std::string_view::npos) << option.field;
    EXPECT_EQ(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos);
  }
  EXPECT_EQ(fields.size(), all.size());
  EXPECT_EQ(names.size(), all.size());
  EXPECT_EQ(helps.size(), all.size());
  for (const auto& [option, value] : all) {
    const auto& [owner, needed] = option.only_with;
    EXPECT_TRUE(owner.empty() || fields.contains(owner)) << option.field;
  }
}

// Model files of all versions hold these names, in this order.
TEST(TrainOptionList, TheRecordKeepsItsOrderAndItsSpelling) {
  TrainOptions options;
  options.network.layer_norm = options.network.residual = true;
  options.network.softmax = Softmax::kSampled;
  options.network.samples = 3;
  options.network.cutoffs = {3, 7};
  options.regularization = {
      .words = .1, .input = .1, .between = .1, .output = .1, .recurrent = .1, .locked = true, .ar = 1, .tar = 1};
  options.run = {.init_range = 1,
                 .decay_after = 1,
                 .decay = 3,
                 .momentum = .5,
                 .beta2 = .5,
                 .weight_decay = 1,
                 .average = Average::kEma,
                 .ema_decay = .5,
                 .nonmono = 2,
                 .validate_every = 3,
                 .patience = 4,
                 .bptt_jitter = 5,
                 .precision = Precision::kF32};
  std::vector<std::string> names;
  for (const auto& [name, value] : recorded_options(options)) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"tokenizer",
                                             "lowercase",
                                             "vocab-size",
                                             "min-count",
                                             "valid-split",
                                             "state",
                                             "cell",
                                             "layers",
                                             "hidden",
                                             "embed",
                                             "tied",
                                             "init",
                                             "batch-size",
                                             "bptt",
                                             "optimizer",
                                             "lr",
                                             "schedule",
                                             "warmup",
                                             "clip",
                                             "precision",
                                             "seed",
                                             "layer-norm",
                                             "softmax",
                                             "samples",
                                             "cutoffs",
                                             "residual",
                                             "dropout-input",
                                             "dropout-between",
                                             "dropout-output",
                                             "dropout-words",
                                             "weight-drop",
                                             "locked",
                                             "ar",
                                             "tar",
                                             "init-range",
                                             "decay-after",
                                             "decay",
                                             "momentum",
                                             "beta2",
                                             "weight-decay",
                                             "average",
                                             "ema-decay",
                                             "nonmono",
                                             "validate-every",
                                             "patience",
                                             "bptt-jitter"}));
  EXPECT_EQ(recorded_options({}).size(), 21U)
      << "options of later versions are recorded where they are not the default";
  EXPECT_EQ(named_value(recorded_options(options), "cutoffs"), "3,7");
  EXPECT_EQ(named_value(option_defaults(), "cutoffs"), "none");
  EXPECT_EQ(named_value(option_defaults(), "precision"), "f32");
}

TEST(TrainOptionList, RangesAreDescribedAndHeld) {
  EXPECT_EQ(describe(kWindowRange, true), "a whole number from 1 to 65536");
  EXPECT_EQ(describe(kShareRange, false), "a number from 0 to below 1");
  EXPECT_EQ(describe(kPositiveRange, false), "a number above 0");
  EXPECT_EQ(describe(kFactorRange, false), "a number from 0 up");
  EXPECT_EQ(describe({.least = 0, .most = 1, .with_least = false, .with_most = false}, false),
            "a number above 0 and below 1");
  EXPECT_EQ(describe({.least = 0, .most = 9, .with_least = false}, false), "a number above 0, at most 9");
  EXPECT_TRUE(contains(kShareRange, 0));
  EXPECT_FALSE(contains(kShareRange, 1));
  EXPECT_FALSE(contains(kPositiveRange, 0));
  EXPECT_FALSE(contains(kPositiveRange, kInfinity));
  EXPECT_FALSE(contains(NumberRange{}, std::nan("")));
}

// Every number, set to what no range holds, is refused by its field.
TEST(TrainOptionList, ANumberOutOfRangeIsRefusedByItsField) {
  TrainOptions options = enough();
  EXPECT_FALSE(error_of([&] { (void)resolve(options); }));
  int refused = 0;
  for_each_option(options, [&](const TrainOption& option, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    const Value before = value;
    if constexpr (std::is_same_v<Value, double> || std::is_same_v<Value, std::optional<double>>) {
      value = std::nan("");
    } else if constexpr (std::is_same_v<Value, std::int64_t> || std::is_same_v<Value, std::optional<std::int64_t>>) {
      value = -7;
    } else {
      return;
    }
    ++refused;
    const std::string field(option.field);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`" + field + "` is ", [&] { (void)resolve(options); }));
    try {
      (void)resolve(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.field(), field);
    }
    value = before;
  });
  EXPECT_GT(refused, 30);
}

TEST(TrainOptionList, AShareThatIsOneAsAFloatIsRefused) {
  TrainOptions options = enough();
  for (const double share : {0.99999998, 1 - 1e-16}) {
    options.run.beta2 = share;
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.beta2` is 0.99999", [&] { (void)resolve(options); }));
  }
  options.run.beta2 = 0.9999999;
  EXPECT_NO_THROW((void)resolve(options));
  options.run.beta2 = TrainOptions().run.beta2;
  options.run.optimizer = Optimizer::kSgd;
  options.run.momentum = 0.99999998;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.momentum`", [&] { (void)resolve(options); }));
}

TEST(TrainOptionList, DefaultsArePutInPlace) {
  TrainOptions options = enough();
  options.run.schedule = Schedule::kStep;
  options.run.decay_after = 3;
  options.run.optimizer = Optimizer::kSgd;
  const TrainOptions resolved = resolve(options);
  EXPECT_EQ(resolved.network.embed, resolved.network.hidden);
  EXPECT_EQ(resolved.run.decay, 2);
  EXPECT_EQ(resolved.run.lr, 1);
}

TEST(TrainOptionList, AClassifierReadsFewTextsMoreOftenThanMany) {
  TrainOptions options = default_options(TaskKind::kClassify);
  EXPECT_EQ(default_epochs(options, 1), 40);
  EXPECT_EQ(default_epochs(options, 149), 11);
  EXPECT_EQ(default_epochs(options, 250), 6);
  EXPECT_EQ(default_epochs(options, 1500), 6);
  EXPECT_EQ(default_epochs(options, 2200), 5);
  EXPECT_EQ(default_epochs(options, 1'000'000), 1);
  options = default_options(TaskKind::kClassify, InputKind::kText, TokenizerKind::kChar);
  options.tokenizer.kind = TokenizerKind::kChar;
  EXPECT_EQ(default_epochs(options, 400), 10);
  EXPECT_EQ(default_epochs(TrainOptions(), 400), 10);
  EXPECT_EQ(default_epochs(default_options(TaskKind::kTag), 400), 8);
}

TEST(TrainOptionList, FewTextsOfWordsAreDroppedMoreThanManyAndWhatIsGivenStays) {
  const auto settled = [](double given, std::size_t texts) {
    TrainOptions options = default_options(TaskKind::kClassify);
    if (given != kByTexts) options.regularization.input = given;
    settle_dropout(options, texts);
    return options.regularization.input;
  };
  EXPECT_EQ(settled(kByTexts, 19'999), 0.7);
  EXPECT_EQ(settled(kByTexts, 20'000), 0.3);
  EXPECT_EQ(settled(0, 10), 0);
  EXPECT_EQ(settled(0.5, 10), 0.5);
}

TEST(TrainOptionList, CharactersAreClassifiedByOtherDefaultsThanWords) {
  TrainOptions words = default_options(TaskKind::kClassify);
  settle_dropout(words, 100'000);
  const TrainOptions characters = default_options(TaskKind::kClassify, InputKind::kText, TokenizerKind::kByte);
  EXPECT_LT(characters.regularization.input, words.regularization.input);
  EXPECT_EQ(characters.regularization.words, 0);
  EXPECT_LT(characters.network.embed, characters.network.hidden);
  const TrainOptions tags = default_options(TaskKind::kTag, InputKind::kText, TokenizerKind::kChar);
  EXPECT_EQ(tags.network.hidden, default_options(TaskKind::kTag).network.hidden);
}

}  // namespace
}  // namespace unroll
