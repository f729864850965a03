#include "cli/flags/flags_help.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace unroll {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kHelpColumn = 24;

// Words of `text` in lines; all but the first begin with `indent` spaces.
std::string wrapped(std::string_view text, std::size_t column, std::size_t indent) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + length > kColumns) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += text.substr(0, length);
    column += length;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return result;
}

std::string format_flag(const FlagHelp& flag) {
  std::string line = "  " + flag.names.substr(0, flag.names.find(','));
  const bool is_joined = flag.placeholder.starts_with("[=");
  if (!flag.placeholder.empty()) line += (is_joined ? "" : " ") + flag.placeholder;
  line += std::string(line.size() + 2 <= kHelpColumn ? kHelpColumn - line.size() : 2, ' ');
  std::string help = flag.help;
  if (!flag.fallback.empty()) help += fmt::format(" [{}]", flag.fallback);
  // A name that is longer than its column pushes only the first line of its help to the right.
  const std::size_t column = line.size();
  if (column == kHelpColumn) return line + wrapped(help, kHelpColumn, kHelpColumn) + '\n';
  return line + '\n' + std::string(kHelpColumn, ' ') + wrapped(help, kHelpColumn, kHelpColumn) + '\n';
}

}  // namespace

std::vector<std::string> HelpPage::shown_names() const {
  std::vector<std::string> names{"--help"};
  for (const Entry& entry : flags) names.push_back(entry.flag.names.substr(0, entry.flag.names.find(',')));
  return names;
}

std::string format_help(const HelpPage& page) {
  std::string text = fmt::format("usage: {}\n\n{}\n", page.usage, wrapped(page.purpose, 0, 0));
  for (std::size_t heading = 0; heading < page.headings.size(); ++heading) {
    text += fmt::format("\n{}\n", page.headings[heading]);
    for (const HelpPage::Entry& entry : page.flags) {
      if (entry.heading == heading) text += format_flag(entry.flag);
    }
  }
  text += "\nExamples\n";
  for (const auto& [command, meaning] : page.examples) {
    text += fmt::format("  {}\n      {}\n", command, wrapped(meaning, 6, 6));
  }
  return text;
}

}  // namespace unroll
