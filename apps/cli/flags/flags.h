// The flags of one verb: declared once, they are parsed, checked and explained from the same words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace unroll {

// What the help says about a flag.
struct FlagHelp {
  std::string names;        // "--hidden,--nhid": the first is shown, the others are taken and not shown
  std::string placeholder;  // "N"; empty for a flag without a value
  std::string help;         // what it does
  std::string fallback;     // what holds when it is not given; empty: nothing to say
};

// Which whole numbers a flag takes, both ends included.
struct WholeRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

// Which numbers a flag takes.
struct RealRange {
  double least = 0;
  double most = 0;
  bool with_least = true;  // whether `least` itself is allowed
  bool with_most = true;
};

// A value that a flag has unless the command line says otherwise.
struct PresetFlag {
  std::string name;  // of the flag, without dashes
  std::variant<bool, std::int64_t, double, std::string> value;
  std::string place;  // where it is written, for errors: "book.toml:3:1"
};

// Largest size of a network, of a batch window, and largest number of steps or symbols that a flag takes.
inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;
inline constexpr std::int64_t kLargestWindow = std::int64_t{1} << 16;
inline constexpr std::int64_t kLargestCount = std::int64_t{1} << 31;

// Flags and positional arguments of one verb.
//
// A flag is given once, as `--flag value` or `--flag=value`. Numbers are plain decimals, in any locale: 010, 0x10,
// +1, 1e3 for a whole number, nan and inf are refused. Every mistake throws Error{kUsage} that names the flag, the
// value and what was expected.
class Flags {
 public:
  // `usage` is the line after "usage:", `purpose` one paragraph.
  Flags(std::string usage, std::string purpose);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // The flags that follow stand under this heading in the help.
  void heading(const std::string& title);

  // A flag without a value.
  void toggle(const FlagHelp& flag, bool* value);

  // A flag whose value is a path: not empty, and not the name of another flag (a forgotten value).
  void path(const FlagHelp& flag, std::string* value);

  // A flag with any text, the empty one too. What `set` throws as Error is told with the flag's name.
  void text(const FlagHelp& flag, std::function<void(const std::string&)> set);

  void whole(const FlagHelp& flag, WholeRange range, std::function<void(std::int64_t)> set);
  void real(const FlagHelp& flag, RealRange range, std::function<void(double)> set);

  // A seed: any whole number from 0 to 2^64 - 1.
  void seed(std::uint64_t* value);

  // At most one of these may be given.
  void exclusive(const std::vector<std::string>& names);

  // A flag whose value names presets: they are read by `load`, and hold as if they had stood on the command line before
  // everything else. One gives way to the same flag (of a toggle, to `--toggle=false` too), and to a flag that excludes
  // it. Toggles take true or false, numbers numbers, all others text. Flags named in `refused` (and this one) cannot be
  // preset.
  void presets(const FlagHelp& flag, std::vector<std::string> refused,
               std::function<std::vector<PresetFlag>(const std::string&)> load);

  // Presets of `dependent` give way also where `flag` is given: they go with its value.
  void belongs_to(const std::string& flag, const std::vector<std::string>& dependent);

  // A command that works, and what it is good for.
  void example(const std::string& command, const std::string& meaning);

  // Reads the arguments after the verb and sets the values. False when help was asked for: it is printed then.
  [[nodiscard]] bool parse(const std::vector<std::string>& arguments);

  // Whether the flag stood on the command line; a preset does not count.
  [[nodiscard]] bool given(const std::string& name) const;

  // The presets that hold, in the order of `load`.
  [[nodiscard]] const std::vector<PresetFlag>& held_presets() const;

  // Arguments that are no flags, in order.
  [[nodiscard]] const std::vector<std::string>& positionals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// How messages call the text of a path: "'a.txt'", "standard input".
[[nodiscard]] std::string quoted_path(const std::string& path);

// The same for texts that are read as one: "'a.txt' + 'b.txt'".
[[nodiscard]] std::string joined(const std::vector<std::string>& paths);

// The value of a flag that takes one of a few words. Throws Error{kUsage} naming them.
[[nodiscard]] std::size_t parse_choice(const std::string& value, const std::vector<std::string>& choices);

// The parts of a list with commas between; an empty list has one empty part.
[[nodiscard]] std::vector<std::string> split_at_commas(const std::string& list);

// The value of a flag that takes whole numbers with commas between. Throws Error{kUsage}.
[[nodiscard]] std::vector<std::int64_t> parse_wholes(const std::string& value);

// Takes MODEL off the positional arguments, or what --model said. Throws Error{kUsage} when there is neither.
[[nodiscard]] std::string take_model(const std::string& model_flag, std::vector<std::string>* positionals);

// The same for a verb that takes nothing else. Throws Error{kUsage} when more is left.
[[nodiscard]] std::string take_only_model(const std::string& verb, const std::string& model_flag,
                                          std::vector<std::string> positionals);

// The one TEXT that a verb takes, "-" where there is none. Throws Error{kUsage} when more is left.
[[nodiscard]] std::string take_text(const std::string& verb, const std::vector<std::string>& positionals);

// Throws Error{kUsage}, which tells of --overwrite, where a file stands at the path that `flag` names.
void expect_absent(const std::string& flag, const std::string& path);

// Throws Error{kUsage} where "-" is more than one of the inputs: what is read from standard input is gone.
void expect_one_standard_input(const std::vector<std::string>& inputs);

}  // namespace unroll
