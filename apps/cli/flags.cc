#include "cli/flags.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "cli/flags_help.h"
#include "cli/nearest.h"
#include "cli/output.h"
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

}  // namespace

struct Flags::Impl {
  CLI::App parser;
  HelpPage page;
  std::vector<std::string> value_flags;  // every name, aliases included
  std::vector<std::string> all_flags;
  std::vector<std::vector<std::string>> exclusive;
  std::vector<std::string> positionals;
  bool help = false;

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

  void add(const FlagHelp& flag, std::function<void(const std::string& name, const std::string& value)> set) {
    declare(flag);
    const std::string name = flag.names.substr(0, flag.names.find(','));
    const CLI::callback_t take = [name, set = std::move(set)](const CLI::results_t& values) {
      if (values.size() > 1) throw Error(ErrorCode::kUsage, fmt::format("{} is given more than once", name));
      set(name, values.front());
      return true;
    };
    parser.add_option(flag.names, take)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  // CLI11 would let `--flag=` swallow the argument after it, take `--toggle=no` for an answer, and drop a positional
  // argument "++".
  [[nodiscard]] std::vector<std::string> prepared(const std::vector<std::string>& arguments) const {
    std::vector<std::string> result;
    bool value_next = false;
    bool flags_ended = false;
    for (const std::string& argument : arguments) {
      const bool is_value = std::exchange(value_next, false) || flags_ended;
      const std::string name = argument.substr(0, argument.find('='));
      if (!is_value && has(value_flags, name) && argument.size() == name.size() + 1) {
        result.push_back(name);
        result.emplace_back();
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
  impl_->declare(flag);
  impl_->parser.add_flag_callback(flag.names, [value] { *value = true; });
}

void Flags::path(const FlagHelp& flag, std::string* value) {
  impl_->add(flag, [this, value](const std::string& name, const std::string& text) {
    if (text.empty()) refuse(name, text, "a path");
    if (Impl::has(impl_->all_flags, text)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{0} needs a value, found the flag {1} (a file of that name is ./{1})", name, text));
    }
    *value = text;
  });
}

void Flags::text(const FlagHelp& flag, std::function<void(const std::string&)> set) {
  impl_->add(flag, [set = std::move(set)](const std::string& name, const std::string& text) {
    try {
      set(text);
    } catch (const Error& error) {
      throw Error(ErrorCode::kUsage, fmt::format("{}: {}", name, error.what()));
    }
  });
}

void Flags::whole(const FlagHelp& flag, WholeRange range, std::function<void(std::int64_t)> set) {
  impl_->add(flag, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    std::int64_t number = 0;
    if (!parse_whole(text, &number) || number < range.least || number > range.most) {
      refuse(name, text, fmt::format("a whole number from {} to {}", range.least, range.most));
    }
    set(number);
  });
}

void Flags::real(const FlagHelp& flag, RealRange range, std::function<void(double)> set) {
  impl_->add(flag, [range, set = std::move(set)](const std::string& name, const std::string& text) {
    double number = 0;
    if (!parse_real(text, &number) || !contains(range, number)) refuse(name, text, describe(range));
    set(number);
  });
}

void Flags::seed(std::uint64_t* value) {
  impl_->add({"--seed", "N", "start of all random numbers: same seed, same result", std::to_string(*value)},
             [value](const std::string& name, const std::string& text) {
               if (!parse_whole(text, value)) refuse(name, text, "a whole number from 0 to 18446744073709551615");
             });
}

void Flags::exclusive(const std::vector<std::string>& names) { impl_->exclusive.push_back(names); }

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

bool Flags::given(const std::string& name) const { return impl_->parser.count(name) > 0; }

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

std::string take_model(const std::string& model_flag, std::vector<std::string>* positionals) {
  if (!model_flag.empty()) return model_flag;
  if (positionals->empty()) throw Error(ErrorCode::kUsage, "which MODEL? Give the path of a model file");
  std::string model = positionals->front();
  positionals->erase(positionals->begin());
  return model;
}

}  // namespace unroll
