// Splits the arguments of a verb into flags with their values and the rest. Alone in including CLI11.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// What the parser needs to know about a flag.
struct FlagSyntax {
  std::vector<std::string> names;  // the first is the one that is shown
  bool takes_value = false;
  bool can_be_turned_off = false;  // as --tied=false
  bool repeats = false;            // may be given several times
};

struct SplitArguments {
  bool help = false;                                        // --help or -h was among them; nothing else is set then
  std::vector<std::pair<std::string, std::string>> values;  // name that is shown, value; "true" for a toggle
  std::vector<std::string> turned_off;
  std::vector<std::string> positionals;
};

// Values come in the order in which the flags stand in `flags`. Throws Error{kUsage} for an unknown flag (naming the
// nearest known one), a missing value, a value for a toggle, and a flag that is given twice but does not repeat.
[[nodiscard]] SplitArguments split_arguments(const std::vector<FlagSyntax>& flags,
                                             const std::vector<std::string>& arguments);

// The shown name of the flag one of whose names, shown or not, is nearest to `name`; empty if none is near.
[[nodiscard]] std::string nearest_flag(const std::string& name, const std::vector<FlagSyntax>& flags);

}  // namespace unroll
