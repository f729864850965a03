#include "draw/shown.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "unroll/character.h"
#include "unroll/character_layout.h"

namespace unroll {
namespace {

constexpr std::string_view kOpenBox = "\xE2\x90\xA3";       // U+2423
constexpr std::string_view kDottedCircle = "\xE2\x97\x8C";  // U+25CC
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";      // U+2026
constexpr std::string_view kDash = "\xE2\x80\x93";          // U+2013

std::string shown_character(const Character& character, std::string_view bytes) {
  if (character.well_formed && character.value == '\n') return "\\n";
  if (character.well_formed && character.value == '\t') return "\\t";
  if (character.well_formed && character.value == '\r') return "\\r";
  if (character.value == ' ') return std::string(kOpenBox);
  if (is_printable(character)) return std::string(bytes);
  std::string text;
  for (const char byte : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return text;
}

// The last `parts` parts of a path.
std::string_view tail_of(std::string_view path, std::size_t parts) {
  std::size_t begin = path.size();
  while (parts-- > 0 && begin > 0) {
    const std::size_t slash = path.rfind('/', begin - 1);
    if (slash == std::string_view::npos) return path;
    begin = slash;
  }
  return begin < path.size() ? path.substr(begin + 1) : path;
}

std::string without_boxes(std::string name) {
  for (std::size_t at = name.find(kOpenBox); at != std::string::npos; at = name.find(kOpenBox, at)) {
    name.replace(at, kOpenBox.size(), " ");
  }
  return name;
}

bool are_distinct(const std::vector<std::string>& paths, std::size_t parts) {
  std::set<std::string_view> tails;
  for (const std::string& path : paths) tails.insert(tail_of(path, parts));
  return tails.size() == std::set<std::string_view>(paths.begin(), paths.end()).size();
}

}  // namespace

std::int64_t columns_of(std::string_view text) noexcept {
  std::int64_t columns = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    columns += character_columns(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string shown_symbol(std::string_view symbol, std::int64_t most) {
  std::string shown;
  std::int64_t columns = 0;
  while (!symbol.empty()) {
    const Character character = first_character(symbol);
    std::string next = shown_character(character, symbol.substr(0, character.bytes));
    if (shown.empty() && character_columns(character) == 0 && is_printable(character)) {
      next.insert(0, kDottedCircle);
    }
    columns += columns_of(next);
    symbol.remove_prefix(character.bytes);
    if (most > 0 && (columns > most || (columns == most && !symbol.empty() && columns_of(symbol) > 0))) {
      return shown.append(kEllipsis);
    }
    shown += next;
  }
  return shown;
}

std::string shown_symbol(const Tokenizer& tokenizer, std::int32_t id, std::int64_t most) {
  return id < 0 ? std::string(kDash) : shown_symbol(tokenizer.symbol(id), most);
}

std::string quoted_symbol(std::string_view symbol) {
  return "\xE2\x80\x9C" + shown_symbol(symbol, 20) + "\xE2\x80\x9D";
}

std::string quoted_symbol(const Tokenizer& tokenizer, std::int32_t id) { return quoted_symbol(tokenizer.symbol(id)); }

std::string percent(double share) {
  const double hundredths = 100 * share;
  if (hundredths == 0) return "0%";
  if (hundredths < 0.01) return "<0.01%";
  if (hundredths >= 99.95) return hundredths >= 99.995 ? "100%" : "99.9%";
  return hundredths >= 9.95 ? fmt::format("{:.0f}%", hundredths) : fmt::format("{:.2g}%", hundredths);
}

std::string share_left(double ratio) { return ratio < 1.005 ? percent(ratio) : fmt::format("\xC3\x97{:.3g}", ratio); }

std::string three_digits(double number) {
  if (number == 0) return "0";
  return fmt::format("{:.3g}", number);
}

std::string within(double most) {
  return most < 999.5 ? fmt::format("\xC2\xB1{:.3g}", most) : fmt::format("\xC2\xB1{:.0e}", most);
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > (number < 0 ? 4U : 3U);) digits.insert(at -= 3, ",");
  return digits;
}

std::string counted(std::int64_t number, std::string_view one) {
  return fmt::format("{} {}{}", with_commas(number), one, number == 1 ? "" : "s");
}

std::string shown_name(std::string_view path, std::int64_t most) {
  return without_boxes(shown_symbol(tail_of(path, 1), most));
}

std::vector<std::string> shown_names(const std::vector<std::string>& paths, std::int64_t most) {
  std::size_t parts = 1;
  while (!are_distinct(paths, parts)) ++parts;
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    const std::string_view tail = tail_of(path, parts);
    const std::int64_t columns = parts == 1 ? most : 0;  // what tells them apart may stand anywhere
    names.push_back(without_boxes(shown_symbol(tail, columns)));
  }
  return names;
}

}  // namespace unroll
