#include "unroll/auto_train.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "search/search.h"
#include "train/options.h"
#include "train/run_files.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_search(const std::string& what, const std::string& field) {
  throw Error(ErrorCode::kUsage, "a search of settings " + what, field);
}

void check_search(const AutoTrainOptions& options) {
  const TrainOptions& train = options.train;
  if (!(options.minutes > 0 && options.minutes <= 1e6)) {
    throw Error(ErrorCode::kUsage, fmt::format("`minutes` is {}: expected more than 0, at most 1e6", options.minutes),
                "minutes");
  }
  if (train.run.minutes) refuse_search("has minutes of its own: leave `run.minutes` out", "run.minutes");
  if (train.text.valid.empty() && train.text.valid_split == 0 && train.task.fold == 0) {
    refuse_search("compares them on held-out texts: give `text.valid`, or a `text.valid_split` above 0",
                  "text.valid_split");
  }
  if (std::ranges::find(train.text.paths, "-") != train.text.paths.end() || train.text.valid == "-") {
    refuse_search("reads the texts many times: standard input can be read once", "text.paths");
  }
  if (train.task.folds > 0 && train.task.fold == 0) {
    refuse_search("validates on one part: give `task.fold`, or leave `task.folds` out", "task.folds");
  }
  if (!train.transfer.unlabelled.empty()) {
    refuse_search("would train that language model in each trial: train it first, and give it as `transfer.init`",
                  "transfer.unlabelled");
  }
  expect_files_apart(resolve(train));
}

}  // namespace

AutoTrainResult auto_train(const AutoTrainOptions& options, const AutoTrainObserver& observer) {
  const Stopwatch watch;
  check_search(options);
  return search_settings(options, observer, {.train = train, .seconds = [&] { return watch.seconds(); }});
}

}  // namespace unroll
