// The flags of one verb: parsed, checked and explained from one declaration.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "unroll/number_range.h"

namespace unroll {

// What the help says about a flag.
struct FlagHelp {
  std::string names;        // "--hidden,--nhid": only the first is shown in the help
  std::string placeholder;  // "N"; empty for a flag without a value
  std::string help;         // what it does
  std::string fallback;     // the default, in words; empty: none to show
};

// The whole numbers that a flag takes, both ends included.
struct WholeRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

// A value that a flag has unless the command line overrides it.
struct PresetFlag {
  std::string name;  // of the flag, without dashes
  std::variant<bool, std::int64_t, double, std::string> value;
  std::string place;  // where it was written, for errors: "book.toml:3:1"
};

// Largest size of a network, largest window of a batch, and largest count that a flag takes.
inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;
inline constexpr std::int64_t kLargestWindow = std::int64_t{1} << 16;
inline constexpr std::int64_t kLargestCount = std::int64_t{1} << 31;

// Flags and positional arguments of one verb.
//
// A flag is given once, unless texts() declares it, as `--flag value` or `--flag=value`. Numbers are plain decimals, in
// any locale: 010, 0x10, +1, 1e3 for a whole number, nan and inf are refused. Every mistake throws Error{kUsage} that
// names the flag, the value and what was expected.
class Flags {
 public:
  // `usage` is the line after "usage:", `purpose` one paragraph.
  Flags(std::string usage, std::string purpose);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // Starts a section of the help: the flags declared next stand under this heading.
  void heading(const std::string& title);

  // A flag without a value.
  void toggle(const FlagHelp& flag, bool* value);

  // A flag whose value is a path. An empty one is refused, and the name of another flag, which means a forgotten value;
  // that of --help asks for help.
  void path(const FlagHelp& flag, std::string* value);

  // A flag with any text, even an empty one. The flag's name is put before the message of an Error that `set` throws.
  void text(const FlagHelp& flag, std::function<void(const std::string&)> set);

  // The same, but it may be given several times: `add` is called with each text, in order.
  void texts(const FlagHelp& flag, std::function<void(const std::string&)> add);

  void whole(const FlagHelp& flag, WholeRange range, std::function<void(std::int64_t)> set);
  void real(const FlagHelp& flag, NumberRange range, std::function<void(double)> set);

  // A seed: any whole number from 0 to 2^64 - 1.
  void seed(std::uint64_t* value);

  // At most one of these may be given.
  void exclusive(const std::vector<std::string>& names);

  // Flags that the verb has for something else. Who gives one is told `why`, after its name: " is for ...".
  void elsewhere(const std::vector<std::string>& names, const std::string& why);

  // A flag whose value names presets. `load` reads them, and they act as if they came first on the command line. The
  // same flag overrides a preset (for a toggle, `--toggle=false` too), and so does a flag that excludes it. A preset of
  // a toggle is true or false, of a number a number, of all others a text. Flags in `refused`, and this one, cannot be
  // preset.
  void presets(const FlagHelp& flag, std::vector<std::string> refused,
               std::function<std::vector<PresetFlag>(const std::string&)> load);

  // If `flag` is given, presets of `dependent` are dropped too: they go with its value.
  void belongs_to(const std::string& flag, const std::vector<std::string>& dependent);

  // A command that works, and what it does.
  void example(const std::string& command, const std::string& meaning);

  // Reads the arguments after the verb and sets the values. Returns false if help was asked for, after printing it.
  [[nodiscard]] bool parse(const std::vector<std::string>& arguments);

  // Whether the flag is on the command line; presets do not count.
  [[nodiscard]] bool given(const std::string& name) const;

  // What the command line gave, flags without dashes in order: name as the help shows it, value.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& given_values() const;

  // The presets that nothing overrides, in the order of `load`.
  [[nodiscard]] const std::vector<PresetFlag>& held_presets() const;

  // Arguments that are not flags, in order.
  [[nodiscard]] const std::vector<std::string>& positionals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The index of `value` among `choices`. Throws Error{kUsage} that lists them.
[[nodiscard]] std::size_t parse_choice(const std::string& value, const std::vector<std::string>& choices);

// The parts of a list separated by commas; an empty text is one empty part.
[[nodiscard]] std::vector<std::string> split_at_commas(const std::string& list);

// Parses whole numbers separated by commas. Throws Error{kUsage}.
[[nodiscard]] std::vector<std::int64_t> parse_wholes(const std::string& value);

// Parses a number within the range. Throws Error{kUsage}.
[[nodiscard]] double parse_number(const std::string& value, NumberRange range);

// Returns the value of --model, or else removes and returns the first positional argument. Throws Error{kUsage} if
// there is neither.
[[nodiscard]] std::string take_model(const std::string& model_flag, std::vector<std::string>* positionals);

// The same for a verb that takes nothing else. Throws Error{kUsage} if arguments are left.
[[nodiscard]] std::string take_only_model(const std::string& verb, const std::string& model_flag,
                                          std::vector<std::string> positionals);

// The one TEXT that a verb takes, "-" if there is none. Throws Error{kUsage} if there are more.
[[nodiscard]] std::string take_text(const std::string& verb, const std::vector<std::string>& positionals);

// Throws Error{kUsage} if more than one of the inputs is "-": standard input can be read only once.
void expect_one_standard_input(const std::vector<std::string>& inputs);

}  // namespace unroll
