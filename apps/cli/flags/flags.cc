#include "cli/flags/flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "cli/flags/field_flags.h"
#include "cli/flags/flags_help.h"
#include "cli/flags/parser.h"
#include "cli/streams/output.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& expected) {
  throw Error(ErrorCode::kUsage, fmt::format("{} takes {}, found \"{}\"", flag, expected, value));
}

// from_chars already refuses a plus sign, white space and other locales' decimals; left to refuse are leading zeros
// (octal to some) and trailing characters.
template <typename Number>
bool parse_whole(const std::string& text, Number* number) {
  const std::size_t digits = text.starts_with('-') ? 1 : 0;
  if (text.size() > digits + 1 && text[digits] == '0') return false;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, *number);
  return failure == std::errc() && rest == end;
}

bool parse_real(const std::string& text, double* number) {
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, *number);
  return failure == std::errc() && rest == end && std::isfinite(*number);
}

// The kind of value that a flag takes.
enum class ValueKind { kToggle, kText, kWhole, kReal };

std::string_view kind_words(ValueKind kind) {
  switch (kind) {
    case ValueKind::kToggle:
      return "true or false";
    case ValueKind::kText:
      return "a text in quotes";
    case ValueKind::kWhole:
      return "a whole number";
    case ValueKind::kReal:
      return "a number";
  }
  return "";
}

bool is_of_kind(const PresetFlag& preset, ValueKind kind) {
  switch (kind) {
    case ValueKind::kToggle:
      return std::holds_alternative<bool>(preset.value);
    case ValueKind::kText:
      return std::holds_alternative<std::string>(preset.value);
    case ValueKind::kWhole:
      return std::holds_alternative<std::int64_t>(preset.value);
    case ValueKind::kReal:
      return std::holds_alternative<std::int64_t>(preset.value) || std::holds_alternative<double>(preset.value);
  }
  return false;
}

// As on a command line.
std::string value_text(const PresetFlag& preset) {
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, preset.value);
}

// As in a recipe, where 8.0 is not a whole number and "8" not a number.
std::string shown_value(const PresetFlag& preset) {
  if (const double* const real = std::get_if<double>(&preset.value)) return fmt::format("{:#}", *real);
  const bool is_text = std::holds_alternative<std::string>(preset.value);
  return is_text ? fmt::format("the text \"{}\"", value_text(preset)) : value_text(preset);
}

[[noreturn]] void refuse_preset(const PresetFlag& preset, const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", preset.place, what));
}

}  // namespace

struct Flags::Impl {
  // Sets the value; `name` is what errors call the flag.
  using Set = std::function<void(const std::string& name, const std::string& value)>;

  struct Declared {
    ValueKind kind = ValueKind::kText;
    Set set;
  };

  HelpPage page;
  std::vector<FlagSyntax> syntax;
  std::map<std::string, Declared> declared;  // by the name that is shown
  SplitArguments split;
  std::vector<std::vector<std::string>> exclusive;
  std::vector<std::string> paths;                                            // names of flags whose values are paths
  std::vector<std::pair<std::string, std::string>> elsewhere;                // name, why not here
  std::vector<std::pair<std::string, std::vector<std::string>>> dependents;  // flag, those that belong to it
  std::string preset_flag;
  std::vector<std::string> never_preset;
  std::function<std::vector<PresetFlag>(const std::string&)> load_presets;
  std::vector<PresetFlag> held_presets;

  void add(const FlagHelp& flag, ValueKind kind, Set set) {
    page.flags.push_back({page.headings.empty() ? 0 : page.headings.size() - 1, flag});
    syntax.push_back({.names = split_at_commas(flag.names), .takes_value = kind != ValueKind::kToggle});
    declared[syntax.back().names.front()] = {kind, std::move(set)};
  }

  [[nodiscard]] bool is_name_of_flag(const std::string& text) const {
    return text == "--help" || text == "-h" ||
           std::any_of(syntax.begin(), syntax.end(), [&](const FlagSyntax& flag) { return has(flag.names, text); });
  }

  [[nodiscard]] bool given(const std::string& name) const {
    return std::any_of(split.values.begin(), split.values.end(), [&](const auto& pair) { return pair.first == name; });
  }

  // Whether the command line overrides a preset of this flag.
  [[nodiscard]] bool gives_way(const std::string& name) const {
    if (given(name) || has(split.turned_off, name)) return true;
    const auto is_given = [this](const std::string& other) { return given(other); };
    for (const std::vector<std::string>& names : exclusive) {
      if (has(names, name) && std::any_of(names.begin(), names.end(), is_given)) return true;
    }
    return std::any_of(dependents.begin(), dependents.end(),
                       [&](const auto& pair) { return has(pair.second, name) && given(pair.first); });
  }

  void check_preset(const PresetFlag& preset, const std::vector<PresetFlag>& before) const {
    const std::string name = "--" + preset.name;
    if (!declared.contains(name) || name == preset_flag) {
      const std::string near = nearest_flag(name, syntax);
      refuse_preset(
          preset,
          fmt::format("unknown key {}{}", preset.name,
                      near.size() < 3 || near == preset_flag ? "" : fmt::format("; did you mean {}?", near.substr(2))));
    }
    if (has(never_preset, name)) {
      refuse_preset(preset, fmt::format("{} belongs on the command line: {}", preset.name, name));
    }
    if (const ValueKind kind = declared.at(name).kind; !is_of_kind(preset, kind)) {
      refuse_preset(preset, fmt::format("{} takes {}, found {}", preset.name, kind_words(kind), shown_value(preset)));
    }
    for (const PresetFlag& other : before) {
      const bool exclude = std::any_of(exclusive.begin(), exclusive.end(), [&](const auto& names) {
        return has(names, name) && has(names, "--" + other.name);
      });
      if (exclude) refuse_preset(preset, fmt::format("{} and {} exclude each other", other.name, preset.name));
    }
  }

  // Presets that are overridden are checked too, for name and kind; their values are never set, and so not checked.
  void apply_presets(const std::string& source) {
    std::vector<PresetFlag> checked;
    for (const PresetFlag& preset : load_presets(source)) {
      check_preset(preset, checked);
      checked.push_back(preset);
      if (gives_way("--" + preset.name)) continue;
      try {
        declared.at("--" + preset.name).set(preset.name, value_text(preset));
      } catch (const Error& error) {
        refuse_preset(preset, error.what());
      }
      held_presets.push_back(preset);
    }
  }

  void apply() {
    for (const auto& [name, value] : split.values) {
      if (name == preset_flag) apply_presets(value);
    }
    for (const std::string& name : split.turned_off) declared.at(name).set(name, "false");
    for (const auto& [name, value] : split.values) declared.at(name).set(name, value);
  }

  // What else is wrong with the command line comes after what is said of flags that are not for it.
  SplitArguments split_unless_elsewhere(const std::vector<std::string>& arguments) const {
    try {
      return split_arguments(syntax, arguments);
    } catch (const Error&) {
      for (const std::string& argument : arguments) {
        if (argument == "--") break;
        const std::string name = argument.substr(0, argument.find('='));
        const auto known = std::ranges::find(elsewhere, name, &std::pair<std::string, std::string>::first);
        if (known != elsewhere.end()) throw Error(ErrorCode::kUsage, name + known->second);
      }
      throw;
    }
  }

  // Toggles that can be preset can be turned off on the command line.
  void split_command_line(const std::vector<std::string>& arguments) {
    for (FlagSyntax& flag : syntax) {
      flag.can_be_turned_off = load_presets && !flag.takes_value && !has(never_preset, flag.names.front());
    }
    split = split_unless_elsewhere(arguments);
    for (const auto& [name, value] : split.values) {
      if (has(paths, name) && (value == "--help" || value == "-h")) split.help = true;
    }
    for (const std::string& name : split.turned_off) {
      if (given(name)) throw Error(ErrorCode::kUsage, fmt::format("{0} and {0}=false contradict each other", name));
    }
  }

  void check_exclusive() const {
    for (const std::vector<std::string>& names : exclusive) {
      std::string first;
      for (const std::string& name : names) {
        if (!given(name)) continue;
        if (!first.empty()) {
          throw Error(ErrorCode::kUsage, fmt::format("{} and {} exclude each other: give one of them", first, name));
        }
        first = name;
      }
    }
  }

  static bool has(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  }
};

Flags::Flags(std::string usage, std::string purpose) : impl_(std::make_unique<Impl>()) {
  impl_->page.usage = std::move(usage);
  impl_->page.purpose = std::move(purpose);
}

Flags::~Flags() = default;

void Flags::heading(const std::string& title) { impl_->page.headings.push_back(title); }

void Flags::toggle(const FlagHelp& flag, bool* value) {
  impl_->add(flag, ValueKind::kToggle,
             [value](const std::string&, const std::string& text) { *value = text == "true"; });
}

void Flags::path(const FlagHelp& flag, std::string* value) {
  impl_->add(flag, ValueKind::kText, [this, value](const std::string& name, const std::string& text) {
    if (text.empty()) refuse(name, text, "a path");
    if (impl_->is_name_of_flag(text)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{0} needs a value, found the flag {1} (a file of that name is ./{1})", name, text));
    }
    *value = text;
  });
  impl_->paths.push_back(impl_->syntax.back().names.front());
}

void Flags::text(const FlagHelp& flag, std::function<void(const std::string&)> set) {
  impl_->add(flag, ValueKind::kText, [set = std::move(set)](const std::string& name, const std::string& text) {
    try {
      set(text);
    } catch (const Error& error) {
      throw Error(ErrorCode::kUsage, fmt::format("{}: {}", name, error.what()));
    }
  });
}

void Flags::texts(const FlagHelp& flag, std::function<void(const std::string&)> add) {
  text(flag, std::move(add));
  impl_->syntax.back().repeats = true;
}

void Flags::whole(const FlagHelp& flag, WholeRange range, std::function<void(std::int64_t)> set) {
  impl_->add(flag, ValueKind::kWhole, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    std::int64_t number = 0;
    if (!parse_whole(text, &number) || number < range.least || number > range.most) {
      refuse(name, text, fmt::format("a whole number from {} to {}", range.least, range.most));
    }
    set(number);
  });
}

void Flags::real(const FlagHelp& flag, NumberRange range, std::function<void(double)> set) {
  impl_->add(flag, ValueKind::kReal, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    double number = 0;
    if (!parse_real(text, &number) || !contains(range, number)) refuse(name, text, describe(range, false));
    set(number);
  });
}

void Flags::seed(std::uint64_t* value) {
  impl_->add({"--seed", "N", "start of all random numbers: same seed, same result", std::to_string(*value)},
             ValueKind::kWhole, [value](const std::string& name, const std::string& text) {
               if (!parse_whole(text, value)) refuse(name, text, "a whole number from 0 to 18446744073709551615");
             });
}

void Flags::elsewhere(const std::vector<std::string>& names, const std::string& why) {
  for (const std::string& name : names) impl_->elsewhere.emplace_back(name, why);
}

void Flags::exclusive(const std::vector<std::string>& names) { impl_->exclusive.push_back(names); }

void Flags::presets(const FlagHelp& flag, std::vector<std::string> refused,
                    std::function<std::vector<PresetFlag>(const std::string&)> load) {
  impl_->add(flag, ValueKind::kText, [](const std::string&, const std::string&) {});
  impl_->preset_flag = impl_->syntax.back().names.front();
  impl_->never_preset = std::move(refused);
  impl_->load_presets = std::move(load);
}

void Flags::belongs_to(const std::string& flag, const std::vector<std::string>& dependent) {
  impl_->dependents.emplace_back(flag, dependent);
}

void Flags::example(const std::string& command, const std::string& meaning) {
  impl_->page.examples.emplace_back(command, meaning);
}

bool Flags::parse(const std::vector<std::string>& arguments) {
  present_verb() = {.flags = impl_->page.shown_names(), .given = {}};
  impl_->split_command_line(arguments);
  if (impl_->split.help) {
    Output out;
    out.write(format_help(impl_->page));
    out.flush();
    return false;
  }
  for (const auto& [name, value] : impl_->split.values) present_verb().given.push_back(name);
  impl_->apply();
  impl_->check_exclusive();
  return true;
}

bool Flags::given(const std::string& name) const { return impl_->given(name); }

const std::vector<std::pair<std::string, std::string>>& Flags::given_values() const { return impl_->split.values; }

const std::vector<PresetFlag>& Flags::held_presets() const { return impl_->held_presets; }

const std::vector<std::string>& Flags::positionals() const { return impl_->split.positionals; }

std::size_t parse_choice(const std::string& value, const std::vector<std::string>& choices) {
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found == choices.end()) {
    std::string list;
    for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
    throw Error(ErrorCode::kUsage, fmt::format("unknown value '{}': expected one of {}", value, list));
  }
  return static_cast<std::size_t>(found - choices.begin());
}

std::vector<std::string> split_at_commas(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t first = 0; first <= list.size();) {
    const std::size_t end = std::min(list.find(',', first), list.size());
    parts.push_back(list.substr(first, end - first));
    first = end + 1;
  }
  return parts;
}

std::vector<std::int64_t> parse_wholes(const std::string& value) {
  std::vector<std::int64_t> numbers;
  for (const std::string& part : split_at_commas(value)) {
    if (!parse_whole(part, &numbers.emplace_back())) {
      throw Error(ErrorCode::kUsage, fmt::format("\"{}\": expected whole numbers separated by commas", value));
    }
  }
  return numbers;
}

double parse_number(const std::string& value, NumberRange range) {
  double number = 0;
  if (parse_real(value, &number) && contains(range, number)) return number;
  throw Error(ErrorCode::kUsage, fmt::format("\"{}\": expected {}", value, describe(range, false)));
}

std::string take_model(const std::string& model_flag, std::vector<std::string>* positionals) {
  if (!model_flag.empty()) return model_flag;
  if (positionals->empty()) throw Error(ErrorCode::kUsage, "which MODEL? Give the path of a model file");
  std::string model = positionals->front();
  positionals->erase(positionals->begin());
  return model;
}

std::string take_only_model(const std::string& verb, const std::string& model_flag,
                            std::vector<std::string> positionals) {
  std::string model = take_model(model_flag, &positionals);
  if (positionals.empty()) return model;
  throw Error(ErrorCode::kUsage,
              fmt::format("unexpected argument \"{}\": {} takes one MODEL", positionals.front(), verb));
}

std::string take_text(const std::string& verb, const std::vector<std::string>& positionals) {
  if (positionals.size() > 1) {
    throw Error(ErrorCode::kUsage, fmt::format("unexpected argument \"{}\": {} takes one TEXT", positionals[1], verb));
  }
  return positionals.empty() ? "-" : positionals.front();
}

void expect_one_standard_input(const std::vector<std::string>& inputs) {
  const std::ptrdiff_t count = std::ranges::count(inputs, "-");
  if (count <= 1) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} inputs are standard input (-), which can be read only once: "
                                             "give the paths of files instead",
                                             count));
}

}  // namespace unroll
