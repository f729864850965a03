#include "cli/flags/parser.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/flags/nearest.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Thrown by the callback of --help, whatever else may be wrong with the command line.
struct HelpWanted {};

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kUsage, what); }

const FlagSyntax* find(const std::vector<FlagSyntax>& flags, const std::string& name) {
  const auto found = std::ranges::find_if(
      flags, [&](const FlagSyntax& flag) { return std::ranges::find(flag.names, name) != flag.names.end(); });
  return found == flags.end() ? nullptr : &*found;
}

// CLI11 would let `--flag=` swallow the argument after it, take `--toggle=no` for an answer, and drop a positional
// argument "++".
std::vector<std::string> prepared(const std::vector<FlagSyntax>& flags, const std::vector<std::string>& arguments,
                                  std::vector<std::string>& turned_off) {
  std::vector<std::string> result;
  bool value_next = false;
  bool flags_ended = false;
  for (const std::string& argument : arguments) {
    const bool is_value = std::exchange(value_next, false) || flags_ended;
    const std::string name = argument.substr(0, argument.find('='));
    const bool with_value = argument.size() > name.size();
    const FlagSyntax* const flag = is_value ? nullptr : find(flags, name);
    if (flag != nullptr && flag->takes_value && argument.size() == name.size() + 1) {
      result.push_back(name);
      result.emplace_back();
    } else if (flag != nullptr && flag->can_be_turned_off && argument == flag->names.front() + "=false") {
      turned_off.push_back(name);
    } else if (flag != nullptr && !flag->takes_value && with_value) {
      refuse(fmt::format("{} takes no value, found \"{}\"", name, argument));
    } else {
      result.push_back(!is_value && argument == "++" ? "./++" : argument);
      value_next = flag != nullptr && flag->takes_value && !with_value;
      flags_ended = flags_ended || (!is_value && argument == "--");
    }
  }
  return result;
}

// What CLI11 could not place: positional arguments, and flags that do not exist.
std::vector<std::string> positionals_among(const std::vector<std::string>& remaining,
                                           const std::vector<FlagSyntax>& flags) {
  std::vector<std::string> positionals;
  bool flags_ended = false;
  for (const std::string& argument : remaining) {
    if (!flags_ended && argument == "--") {
      flags_ended = true;
    } else if (!flags_ended && argument.size() > 1 && argument.starts_with('-')) {
      const std::string name = argument.substr(0, argument.find('='));
      const std::string near = nearest_flag(name, flags);
      refuse(fmt::format("unknown flag {}{}", name,
                         near.empty() ? "; --help lists the flags" : fmt::format("; did you mean {}?", near)));
    } else {
      positionals.push_back(argument);
    }
  }
  return positionals;
}

void add(CLI::App& app, const FlagSyntax& flag, SplitArguments& split) {
  std::string names;
  for (const std::string& name : flag.names) names += (names.empty() ? "" : ",") + name;
  const std::string& shown = flag.names.front();
  if (!flag.takes_value) {
    app.add_flag_callback(names, [&split, shown] { split.values.emplace_back(shown, "true"); });
    return;
  }
  const CLI::callback_t take = [&split, shown, repeats = flag.repeats](const CLI::results_t& results) {
    if (results.size() > 1 && !repeats) refuse(fmt::format("{} is given more than once", shown));
    for (const std::string& result : results) split.values.emplace_back(shown, result);
    return true;
  };
  app.add_option(names, take)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

std::string nearest_flag(const std::string& name, const std::vector<FlagSyntax>& flags) {
  std::vector<std::string> names;
  for (const FlagSyntax& flag : flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  const FlagSyntax* const near = find(flags, nearest(name, names));
  return near == nullptr ? "" : near->names.front();
}

SplitArguments split_arguments(const std::vector<FlagSyntax>& flags, const std::vector<std::string>& arguments) {
  std::vector<FlagSyntax> all{{.names = {"--help", "-h"}}};
  all.insert(all.end(), flags.begin(), flags.end());
  SplitArguments split;
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras(true);
  app.add_flag_callback("--help,-h", [] { throw HelpWanted(); });
  for (const FlagSyntax& flag : flags) add(app, flag, split);
  std::vector<std::string> reversed = prepared(all, arguments, split.turned_off);
  std::ranges::reverse(reversed);  // as CLI11 takes them
  try {
    app.parse(reversed);
  } catch (const HelpWanted&) {
    return {.help = true, .values = {}, .turned_off = {}, .positionals = {}};
  } catch (const CLI::ArgumentMismatch&) {
    refuse(fmt::format("{} needs a value", arguments.back()));
  } catch (const CLI::ParseError& error) {
    refuse(error.what());
  }
  split.positionals = positionals_among(app.remaining(), all);
  return split;
}

}  // namespace unroll
