#include "cli/flags/option_flags.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "cli/flags/field_flags.h"

namespace unroll {
namespace {

// Names of flags that other programs have for the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kAliases{{
    {"layers", "nlayers"},
    {"hidden", "nhid"},
    {"embed", "emsize"},
    {"dropout-input", "dropouti"},
    {"dropout-between", "dropouth"},
    {"dropout-words", "dropoute"},
    {"weight-drop", "wdrop"},
    {"ar", "alpha"},
    {"tar", "beta"},
    {"bptt", "seq-length"},
    {"weight-decay", "wdecay"},
    {"threads", "t"},
}};

// Flags that --dropout sets too.
constexpr std::array<std::string_view, 3> kDropouts{"dropout-input", "dropout-between", "dropout-output"};

std::string names_of(const TrainOption& option) {
  std::string names = fmt::format("--{}", option.name);
  for (const auto& [name, alias] : kAliases) {
    if (name == option.name) names += fmt::format(",{}{}", alias.size() == 1 ? "-" : "--", alias);
  }
  return names;
}

// What holds where the flag of a number is not given.
template <class Number>
std::string fallback_of(const TrainOption& option, Number value) {
  if (option.automatic && static_cast<double>(value) == *option.automatic) return with_flags(option.unset);
  if (value == 0 && std::ranges::find(kDropouts, option.name) != kDropouts.end()) return "as --dropout";
  return fmt::format("{}", value);
}

WholeRange whole_range(const NumberRange& range) {
  return {static_cast<std::int64_t>(range.least), static_cast<std::int64_t>(range.most)};
}

}  // namespace

FlagHelp help_of(const TrainOption& option, const std::string& placeholder, const std::string& fallback) {
  return {names_of(option), placeholder, with_flags(option.help),
          fallback.empty() ? with_flags(option.unset) : fallback};
}

void OptionFlags::operator()(const TrainOption& option, bool& value) const {
  flags_->toggle(help_of(option, "", ""), &value);
}

void OptionFlags::operator()(const TrainOption& option, std::int64_t& value) const {
  flags_->whole(help_of(option, "N", fallback_of(option, value)), whole_range(option.range),
                [&value](std::int64_t n) { value = n; });
}

void OptionFlags::operator()(const TrainOption& option, int& value) const {
  flags_->whole(help_of(option, "N", fallback_of(option, value)), whole_range(option.range),
                [&value](std::int64_t n) { value = static_cast<int>(n); });
}

void OptionFlags::operator()(const TrainOption&, std::uint64_t& value) const { flags_->seed(&value); }

void OptionFlags::operator()(const TrainOption& option, double& value) const {
  flags_->real(help_of(option, "X", fallback_of(option, value)), option.range, [&value](double x) { value = x; });
}

void OptionFlags::operator()(const TrainOption& option, std::optional<std::int64_t>& value) const {
  flags_->whole(help_of(option, "N", ""), whole_range(option.range), [&value](std::int64_t n) { value = n; });
}

void OptionFlags::operator()(const TrainOption& option, std::optional<double>& value) const {
  flags_->real(help_of(option, "X", ""), option.range, [&value](double x) { value = x; });
}

void OptionFlags::operator()(const TrainOption& option, std::string& value) const {
  if (option.field == "task.class_weights") {
    return flags_->text(help_of(option, "WEIGHTS", ""), [&value](const std::string& text) { value = text; });
  }
  flags_->path(help_of(option, option.field.starts_with("files.") ? "MODEL" : "FILE", ""), &value);
}

void OptionFlags::operator()(const TrainOption& option, std::vector<std::int64_t>& value) const {
  flags_->text(help_of(option, "N,...", ""), [&value](const std::string& text) { value = parse_wholes(text); });
}

void OptionFlags::operator()(const TrainOption& option, StatePolicy& value) const {
  flags_->text(help_of(option, "POLICY", std::string(state_policy_name(value))),
               [&value](const std::string& text) { value = parse_state_policy(text); });
}

void OptionFlags::operator()(const TrainOption& option, Cell& value) const {
  flags_->text(help_of(option, "CELL", std::string(cell_name(value))),
               [&value](const std::string& text) { value = parse_cell(text); });
}

void OptionFlags::operator()(const TrainOption& option, Softmax& value) const {
  flags_->text(help_of(option, "KIND", std::string(softmax_name(value))),
               [&value](const std::string& text) { value = parse_softmax(text); });
}

void OptionFlags::operator()(const TrainOption& option, Init& value) const {
  flags_->text(help_of(option, "HOW", std::string(init_name(value))),
               [&value](const std::string& text) { value = parse_init(text); });
}

void OptionFlags::operator()(const TrainOption& option, Schedule& value) const {
  flags_->text(help_of(option, "NAME", std::string(schedule_name(value))),
               [&value](const std::string& text) { value = parse_schedule(text); });
}

void OptionFlags::operator()(const TrainOption& option, TaskKind& value) const {
  flags_->text(help_of(option, "TASK", std::string(task_name(value))),
               [&value](const std::string& text) { value = parse_task(text); });
}

void OptionFlags::operator()(const TrainOption& option, Readout& value) const {
  flags_->text(help_of(option, "HOW", std::string(readout_name(value))),
               [&value](const std::string& text) { value = parse_readout(text); });
}

void OptionFlags::operator()(const TrainOption& option, Transitions& value) const {
  flags_->text(help_of(option, "HOW", std::string(transitions_name(value))),
               [&value](const std::string& text) { value = parse_transitions(text); });
}

void OptionFlags::operator()(const TrainOption& option, InputKind& value) const {
  flags_->text(help_of(option, "INPUT", std::string(input_name(value))),
               [&value](const std::string& text) { value = parse_input(text); });
}

}  // namespace unroll
