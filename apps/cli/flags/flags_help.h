// The layout of a verb's help.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"

namespace unroll {

// Everything that a verb's help shows.
struct HelpPage {
  struct Entry {
    std::size_t heading = 0;  // index into headings
    FlagHelp flag;
  };
  std::string usage;
  std::string purpose;
  std::vector<std::string> headings;
  std::vector<Entry> flags;
  std::vector<std::pair<std::string, std::string>> examples;  // command, meaning

  // The names that the help shows, "--help" too.
  [[nodiscard]] std::vector<std::string> shown_names() const;
};

// The page as text of at most 80 columns: usage, purpose, flags under their headings with defaults, examples.
[[nodiscard]] std::string format_help(const HelpPage& page);

}  // namespace unroll
