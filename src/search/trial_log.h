// The file that keeps the finished trials of a search until it ends.
//
// Lines of fields between tabs: "unroll auto 1"; "option", name, value for all that decides a trial; "trial", choices
// separated by commas ("-": none), epochs, steps, seconds, nats, accuracy ("-": none), and of a failed trial, instead
// of nats and accuracy, "failed" and why.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "search/settings_space.h"
#include "train/options.h"
#include "unroll/auto_train.h"

namespace unroll {

struct LoggedTrial {
  Setting setting;
  AutoTrial trial;  // `settings` are not part of the file
};

class TrialLog {
 public:
  // What is asked for, as names and values.
  TrialLog(std::string path, NamedValues asked) : path_(std::move(path)), asked_(std::move(asked)) {}

  // Throws Error{kUsage} if a file is there that is no such file.
  void expect_own() const;

  // Reads the trials of an earlier call; false if there is no file. Throws Error{kUsage} naming the first thing that
  // was asked for then and not now, Error{kFormat} for a file that is no such file, Error{kFile}.
  bool read();

  // Adds a trial and replaces the file. Throws Error{kFile}.
  void add(LoggedTrial trial);

  // Removes the file.
  void remove() const;

  // That of a setting and length.
  [[nodiscard]] std::optional<AutoTrial> find(const Setting& setting, std::optional<std::int64_t> epochs) const;

  [[nodiscard]] const std::vector<LoggedTrial>& trials() const noexcept { return trials_; }

 private:
  std::string path_;
  NamedValues asked_;
  std::vector<LoggedTrial> trials_ = {};
};

// The path of the file of a model.
[[nodiscard]] std::string trial_log_path(const std::string& save);

// What decides the trials of a search.
[[nodiscard]] NamedValues asked_values(const AutoTrainOptions& options);

}  // namespace unroll
