// Flags declared from descriptions of options: name, range, default and help from one place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags/flags.h"
#include "unroll/train_options.h"

namespace unroll {

// A visitor for for_each_option() and its groups that declares a flag for each option; the flag sets the value that was
// visited, which must live until flags->parse() has returned.
class OptionFlags {
 public:
  explicit OptionFlags(Flags* flags) : flags_(flags) {}

  void operator()(const TrainOption& option, bool& value) const;
  void operator()(const TrainOption& option, std::int64_t& value) const;
  void operator()(const TrainOption& option, int& value) const;
  void operator()(const TrainOption& option, std::uint64_t& value) const;
  void operator()(const TrainOption& option, double& value) const;
  void operator()(const TrainOption& option, std::optional<std::int64_t>& value) const;
  void operator()(const TrainOption& option, std::optional<double>& value) const;
  void operator()(const TrainOption& option, std::string& value) const;
  void operator()(const TrainOption& option, std::vector<std::int64_t>& value) const;
  void operator()(const TrainOption& option, StatePolicy& value) const;
  void operator()(const TrainOption& option, Cell& value) const;
  void operator()(const TrainOption& option, Softmax& value) const;
  void operator()(const TrainOption& option, Init& value) const;
  void operator()(const TrainOption& option, Schedule& value) const;
  void operator()(const TrainOption& option, TaskKind& value) const;
  void operator()(const TrainOption& option, Readout& value) const;
  void operator()(const TrainOption& option, Transitions& value) const;
  void operator()(const TrainOption& option, InputKind& value) const;

 private:
  Flags* flags_;
};

// What the help says about an option. `placeholder` stands for the value, `fallback` for the default; where that is
// empty, the option says what holds.
[[nodiscard]] FlagHelp help_of(const TrainOption& option, const std::string& placeholder, const std::string& fallback);

}  // namespace unroll
