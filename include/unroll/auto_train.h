// Trains the best model that a given time pays for: tries settings, goes on with the better ones.
//
//   AutoTrainOptions options{.train = default_options(TaskKind::kClassify), .minutes = 5};
//   options.train.text.paths = {"reviews.csv"};
//   options.train.files.save = "reviews.safetensors";
//   const AutoTrainResult result = auto_train(options);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/train.h"

namespace unroll {

struct AutoTrainOptions {
  // The settings of the first trial, and all that is not searched. files.resume continues a search; run.minutes is
  // unset.
  TrainOptions train;
  double minutes = 0;  // wall time from call to return; of a search that is resumed, what its trials took counts
  // Fields that no trial changes, by their paths: "run.lr", "network.hidden".
  std::vector<std::string> fixed = {};
};

// How good a trial is on the texts to validate on.
struct TrialScore {
  double nats = 0;                      // per prediction; of a classifier, at its temperature
  std::optional<double> accuracy = {};  // where answers are labels
};

// One run of train(), whole, by its own schedule.
struct AutoTrial {
  std::int64_t number = 0;  // from 1, in the order in which trials were finished
  // Options in which it differs from AutoTrainOptions::train, names and values: with these and the length, train()
  // makes the same file, bit for bit.
  std::vector<std::pair<std::string, std::string>> settings = {};
  std::optional<std::int64_t> epochs = {};  // none: the length that was given
  std::optional<TrialScore> score = {};     // none: it failed
  std::string failure = {};                 // why
  std::int64_t steps = 0;
  double seconds = 0;
};

struct AutoTrainResult {
  std::vector<AutoTrial> trials;    // finished ones, those before a resumption included
  std::optional<std::size_t> best;  // of these; its model is at files.save. None: no trial has succeeded
  bool interrupted = false;         // stopped by stop_requested; files.resume goes on
  bool already_complete = false;    // resumed a finished search: nothing was done, and `trials` are not known
  bool exhausted = false;           // all settings were tried before the time was over
  double seconds = 0;               // of this call
};

// Called from the thread that called auto_train(). Empty functions are skipped.
struct AutoTrainObserver {
  std::function<void(std::string_view)> on_note = {};   // each sentence once
  std::function<void(const DataReport&)> on_data = {};  // once
  std::function<void(const AutoTrial&)> on_start = {};  // a trial without its result
  std::function<void(const AutoTrial&, const StepReport&, std::int64_t steps)> on_step = {};  // of so many
  std::function<void(const AutoTrial&, bool is_best)> on_trial = {};                          // a finished one
  std::function<bool()> stop_requested = {};  // as that of TrainObserver: the present trial is dropped
};

// Successive halving (Jamieson & Talwalkar 2016). The first trial has the given settings and the usual number of
// epochs, E. It tells what a trial costs, and so how many are tried: of n settings, each trained for E/3 epochs, the
// best third, and the given settings, are trained for E, and of these the best third for 3 E; where the time is too
// short for that, the last round or two are left out. If time is left then, other settings are tried in the same way.
// If even the first trial takes more than 0.6 of the time, there is no search: one run is trained for the minutes.
//
// The settings, in order: those that differ from the given ones in one value, and then others, drawn by run.seed. The
// values are few: of the learning rate, the sizes of layers and embedding, dropout, the number of layers, and those
// that the task has: readout, characters as tokens with their defaults, the character network. Fields in `fixed` stay,
// and so does the network where files.from or transfer.init give it. With run.epochs or run.steps every trial has that
// length.
//
// A trial is better by the loss on the texts to validate on, of a classifier at its temperature; of kTag by accuracy.
// The best of many scores is too good by chance: judge the model on other texts.
//
// Each trial is a run of train() by itself, from random weights to the end of its schedule, so that all of them are
// comparable and every one can be repeated; what is tried depends on the time, what a trial gives does not. The best
// model so far is at files.save. save + ".auto" holds the finished trials until the search ends: it is replaced after
// each trial, as a whole or not at all, so that a search that was killed loses the present trial alone. A trial is
// written at save + ".trial".
//
// Throws Error{kUsage}: no texts to validate on, a text from standard input, run.minutes, folds without a fold,
// transfer.unlabelled, options that differ from those that a resumed search began with, other files at save + ".auto"
// and save + ".trial"; and as train(). A trial but the first one that fails, with anything but Error{kFile}, is a
// result like others: of a rate that makes the weights overflow, for example.
AutoTrainResult auto_train(const AutoTrainOptions& options, const AutoTrainObserver& observer = {});

}  // namespace unroll
