#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/quote.h"
#include "data/text_collector.h"
#include "text/lines.h"
#include "text/utf8.h"

namespace unroll {
namespace {

std::size_t end_of_word(std::string_view line, std::size_t at) noexcept {
  while (at < line.size() && !is_ascii_space(line[at])) ++at;
  return at;
}

std::size_t end_of_blanks(std::string_view line, std::size_t at) noexcept {
  while (at < line.size() && is_ascii_space(line[at])) ++at;
  return at;
}

// Where the first word stands.
struct FirstWord {
  std::size_t begin = 0;
  std::size_t end = 0;
};

FirstWord first_word(std::string_view line) noexcept {
  const std::size_t begin = end_of_blanks(line, 0);
  return {begin, end_of_word(line, begin)};
}

// The line without the words that begin with the prefix and the blanks beside them. Calls visit(begin, end) for each.
template <class Visit>
std::string without_labels(std::string_view line, std::string_view prefix, const Visit& visit) {
  std::string text;
  std::size_t kept = 0;  // the line up to here is in `text`, or is a label
  for (std::size_t label = find_label(line, prefix, 0); label != std::string_view::npos;
       label = find_label(line, prefix, kept)) {
    const std::size_t end = end_of_word(line, label);
    visit(label, end);
    text += line.substr(kept, label - kept);
    while (!text.empty() && is_ascii_space(text.back())) text.pop_back();
    kept = text.empty() ? end_of_blanks(line, end) : end;
  }
  return text += line.substr(kept);
}

// The text of a line whose first word is the label without prefix.
std::string take_bare_label(std::string_view line, std::int64_t number, TextCollector& collector) {
  const FirstWord word = first_word(line);
  collector.labels_in(line.substr(word.begin, word.end - word.begin), number);
  return std::string(line.substr(end_of_blanks(line, word.end)));
}

// The text of another line, whose first byte in the file is `at`.
std::string take_labels(const TextFile& file, std::string_view line, std::int64_t number, std::size_t at,
                        TextCollector& collector) {
  const std::string& prefix = collector.options().label_prefix;
  return without_labels(line, prefix, [&](std::size_t begin, std::size_t end) {
    const std::size_t name = begin + prefix.size();
    if (end == name) file.refuse(at + begin, fmt::format("{} has no label behind it", quote(prefix)));
    collector.label(line.substr(name, end - name), number);
  });
}

}  // namespace

std::size_t find_label(std::string_view line, std::string_view prefix, std::size_t at) noexcept {
  for (at = line.find(prefix, at); at != std::string_view::npos; at = line.find(prefix, at + 1)) {
    if (at == 0 || is_ascii_space(line[at - 1])) return at;
  }
  return at;
}

void read_label_lines(const TextFile& file, TextCollector& collector) {
  const LabelledTextOptions& options = collector.options();
  std::int64_t number = 0;
  for_each_line(file.text(), [&](std::string_view line, std::int64_t at, bool /*whole*/) {
    ++number;
    line = without_carriage_return(line);
    if (options.labels_needed && trimmed(line).empty()) return collector.skip_blank_line();
    collector.add(options.bare_labels ? take_bare_label(line, number, collector)
                                      : take_labels(file, line, number, static_cast<std::size_t>(at), collector),
                  1, number);
  });
}

std::string text_of_line(std::string_view line, const LabelledTextOptions& options) {
  line = without_carriage_return(line);
  if (options.bare_labels) return std::string(line.substr(end_of_blanks(line, first_word(line).end)));
  return without_labels(line, options.label_prefix, [](std::size_t, std::size_t) {});
}

}  // namespace unroll
