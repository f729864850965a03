#include "cli/flags/flags.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "cli/flags/flags_help.h"
#include "cli/flags/nearest.h"
#include "cli/streams/output.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Thrown by the callback of --help, past everything else that may be wrong with the command line.
struct HelpWanted {};

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& expected) {
  throw Error(ErrorCode::kUsage, fmt::format("{} takes {}, found \"{}\"", flag, expected, value));
}

// from_chars takes neither a sign of plus nor white space nor another locale's decimals; what is left to refuse is a
// leading zero (octal to some), and a rest.
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

std::string describe(const RealRange& range) {
  std::string text = fmt::format("a number {} {}", range.with_least ? "from" : "above", range.least);
  if (std::isfinite(range.most)) {
    const std::string_view joint = range.with_least && range.with_most ? " to "
                                   : range.with_most                   ? ", at most "
                                                                       : ", below ";
    text += fmt::format("{}{}", joint, range.most);
  } else if (range.with_least) {
    text += " up";
  }
  return text;
}

bool contains(const RealRange& range, double number) {
  const bool high_enough = range.with_least ? number >= range.least : number > range.least;
  const bool low_enough = range.with_most ? number <= range.most : number < range.most;
  return high_enough && low_enough;
}

// What a preset of a flag must be.
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

// As it would stand on a command line.
std::string value_text(const PresetFlag& preset) {
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, preset.value);
}

// As it would stand in a recipe: 8.0 is no whole number, "8" none at all.
std::string shown_value(const PresetFlag& preset) {
  if (const double* const real = std::get_if<double>(&preset.value)) return fmt::format("{:#}", *real);
  const bool is_text = std::holds_alternative<std::string>(preset.value);
  return is_text ? fmt::format("the text \"{}\"", value_text(preset)) : value_text(preset);
}

[[noreturn]] void refuse_preset(const PresetFlag& preset, const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", preset.place, what));
}

std::string first_name(const FlagHelp& flag) { return flag.names.substr(0, flag.names.find(',')); }

}  // namespace

struct Flags::Impl {
  // Takes the name to call the flag by in errors, and the value.
  using Set = std::function<void(const std::string& name, const std::string& value)>;

  struct Declared {
    ValueKind kind = ValueKind::kText;
    Set set;
  };

  CLI::App parser;
  HelpPage page;
  std::vector<std::string> value_flags;  // every name, aliases included
  std::vector<std::string> all_flags;
  std::map<std::string, Declared> declared;                 // by the name that is shown
  std::vector<std::pair<std::string, std::string>> values;  // of the command line: name that is shown, value
  std::vector<std::vector<std::string>> exclusive;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependents;  // flag, those that belong to it
  std::string preset_flag;
  std::vector<std::string> never_preset;
  std::function<std::vector<PresetFlag>(const std::string&)> load_presets;
  std::vector<PresetFlag> held_presets;
  std::vector<std::string> off;  // toggles whose presets the command line takes back: --tied=false
  std::vector<std::string> positionals;

  void declare(const FlagHelp& flag) {
    page.flags.push_back({page.headings.empty() ? 0 : page.headings.size() - 1, flag});
    std::size_t begin = 0;
    while (begin <= flag.names.size()) {
      const std::size_t end = std::min(flag.names.find(',', begin), flag.names.size());
      all_flags.push_back(flag.names.substr(begin, end - begin));
      if (!flag.placeholder.empty()) value_flags.push_back(all_flags.back());
      begin = end + 1;
    }
  }

  void add(const FlagHelp& flag, ValueKind kind, Set set) {
    declare(flag);
    const std::string name = first_name(flag);
    declared[name] = {kind, std::move(set)};
    if (kind == ValueKind::kToggle) {
      parser.add_flag_callback(flag.names, [this, name] { values.emplace_back(name, "true"); });
      return;
    }
    const CLI::callback_t take = [this, name](const CLI::results_t& results) {
      if (results.size() > 1) throw Error(ErrorCode::kUsage, fmt::format("{} is given more than once", name));
      values.emplace_back(name, results.front());
      return true;
    };
    parser.add_option(flag.names, take)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  [[nodiscard]] bool given(const std::string& name) const { return parser.count(name) > 0; }

  // Whether the command line says something that the preset must make room for.
  [[nodiscard]] bool gives_way(const std::string& name) const {
    if (given(name) || has(off, name)) return true;
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
      const std::string near = nearest(name, page.shown_names());
      refuse_preset(preset, fmt::format("unknown key {}{}", preset.name,
                                        near.size() < 3 || near == "--help" || near == preset_flag
                                            ? ""
                                            : fmt::format("; did you mean {}?", near.substr(2))));
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

  // The name and the kind of what gives way are checked too; its range is not, for its value is never set.
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
    for (const auto& [name, value] : values) {
      if (name == preset_flag) apply_presets(value);
    }
    for (const auto& [name, value] : values) declared.at(name).set(name, value);
  }

  // CLI11 would let `--flag=` swallow the argument after it, take `--toggle=no` for an answer, and drop a positional
  // argument "++".
  [[nodiscard]] std::vector<std::string> prepared(const std::vector<std::string>& arguments) {
    std::vector<std::string> result;
    bool value_next = false;
    bool flags_ended = false;
    for (const std::string& argument : arguments) {
      const bool is_value = std::exchange(value_next, false) || flags_ended;
      const std::string name = argument.substr(0, argument.find('='));
      if (!is_value && has(value_flags, name) && argument.size() == name.size() + 1) {
        result.push_back(name);
        result.emplace_back();
      } else if (!is_value && is_switched_off(argument, name)) {
        off.push_back(name);
      } else if (!is_value && has(all_flags, name) && !has(value_flags, name) && argument.size() > name.size()) {
        throw Error(ErrorCode::kUsage, fmt::format("{} takes no value, found \"{}\"", name, argument));
      } else {
        result.push_back(!is_value && argument == "++" ? "./++" : argument);
        value_next = !is_value && has(value_flags, argument);
        flags_ended = flags_ended || (!is_value && argument == "--");
      }
    }
    return result;
  }

  // "--tied=false", of a toggle that can be preset.
  [[nodiscard]] bool is_switched_off(const std::string& argument, const std::string& name) const {
    const auto toggle = declared.find(name);
    return load_presets && argument == name + "=false" && toggle != declared.end() &&
           toggle->second.kind == ValueKind::kToggle && !has(never_preset, name);
  }

  static bool has(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  }

  // What CLI11 could not place: positional arguments, and flags that do not exist.
  void sort_remaining() {
    bool flags_ended = false;
    for (const std::string& argument : parser.remaining()) {
      if (!flags_ended && argument == "--") {
        flags_ended = true;
      } else if (!flags_ended && argument.size() > 1 && argument.starts_with('-')) {
        const std::string name = argument.substr(0, argument.find('='));
        const std::string near = nearest(name, page.shown_names());
        throw Error(ErrorCode::kUsage,
                    fmt::format("unknown flag {}{}", name,
                                near.empty() ? "; --help lists the flags" : fmt::format("; did you mean {}?", near)));
      } else {
        positionals.push_back(argument);
      }
    }
  }
};

Flags::Flags(std::string usage, std::string purpose) : impl_(std::make_unique<Impl>()) {
  impl_->page.usage = std::move(usage);
  impl_->page.purpose = std::move(purpose);
  impl_->parser.set_help_flag("");
  impl_->parser.allow_extras(true);
  impl_->declare({"--help,-h", "", "", ""});
  impl_->page.flags.clear();
  impl_->parser.add_flag_callback("--help,-h", [] { throw HelpWanted(); });
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
    if (Impl::has(impl_->all_flags, text)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{0} needs a value, found the flag {1} (a file of that name is ./{1})", name, text));
    }
    *value = text;
  });
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

void Flags::whole(const FlagHelp& flag, WholeRange range, std::function<void(std::int64_t)> set) {
  impl_->add(flag, ValueKind::kWhole, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    std::int64_t number = 0;
    if (!parse_whole(text, &number) || number < range.least || number > range.most) {
      refuse(name, text, fmt::format("a whole number from {} to {}", range.least, range.most));
    }
    set(number);
  });
}

void Flags::real(const FlagHelp& flag, RealRange range, std::function<void(double)> set) {
  impl_->add(flag, ValueKind::kReal, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    double number = 0;
    if (!parse_real(text, &number) || !contains(range, number)) refuse(name, text, describe(range));
    set(number);
  });
}

void Flags::seed(std::uint64_t* value) {
  impl_->add({"--seed", "N", "start of all random numbers: same seed, same result", std::to_string(*value)},
             ValueKind::kWhole, [value](const std::string& name, const std::string& text) {
               if (!parse_whole(text, value)) refuse(name, text, "a whole number from 0 to 18446744073709551615");
             });
}

void Flags::exclusive(const std::vector<std::string>& names) { impl_->exclusive.push_back(names); }

void Flags::presets(const FlagHelp& flag, std::vector<std::string> refused,
                    std::function<std::vector<PresetFlag>(const std::string&)> load) {
  impl_->add(flag, ValueKind::kText, [](const std::string&, const std::string&) {});
  impl_->preset_flag = first_name(flag);
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
  std::vector<std::string> prepared = impl_->prepared(arguments);
  std::reverse(prepared.begin(), prepared.end());
  try {
    impl_->parser.parse(prepared);
  } catch (const HelpWanted&) {
    Output out;
    out.write(format_help(impl_->page));
    out.flush();
    return false;
  } catch (const CLI::ArgumentMismatch&) {
    throw Error(ErrorCode::kUsage, fmt::format("{} needs a value", arguments.back()));
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::kUsage, error.what());
  }
  for (const std::string& name : impl_->off) {
    if (given(name)) throw Error(ErrorCode::kUsage, fmt::format("{0} and {0}=false contradict each other", name));
  }
  impl_->apply();
  impl_->sort_remaining();
  for (const std::vector<std::string>& names : impl_->exclusive) {
    std::string first;
    for (const std::string& name : names) {
      if (!given(name)) continue;
      if (!first.empty()) {
        throw Error(ErrorCode::kUsage, fmt::format("{} and {} exclude each other: give one of them", first, name));
      }
      first = name;
    }
  }
  return true;
}

bool Flags::given(const std::string& name) const { return impl_->given(name); }

const std::vector<PresetFlag>& Flags::held_presets() const { return impl_->held_presets; }

const std::vector<std::string>& Flags::positionals() const { return impl_->positionals; }

std::size_t parse_choice(const std::string& value, const std::vector<std::string>& choices) {
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found == choices.end()) {
    std::string list;
    for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
    throw Error(ErrorCode::kUsage, fmt::format("unknown value \"{}\", expected one of {}", value, list));
  }
  return static_cast<std::size_t>(found - choices.begin());
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " + ") + name;
  return text;
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
      throw Error(ErrorCode::kUsage, fmt::format("\"{}\": expected whole numbers with commas between", value));
    }
  }
  return numbers;
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

void expect_absent(const std::string& flag, const std::string& path) {
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return;
  throw Error(ErrorCode::kUsage, fmt::format("'{}' exists: give --overwrite to replace it, or another {}", path, flag));
}

void expect_one_standard_input(const std::vector<std::string>& inputs) {
  const std::ptrdiff_t count = std::ranges::count(inputs, "-");
  if (count <= 1) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} inputs are standard input (-), which can be read once: "
                                             "give the paths of files instead",
                                             count));
}

}  // namespace unroll
