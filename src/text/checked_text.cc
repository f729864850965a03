#include "text/checked_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;
constexpr std::string_view kEos = "<eos>";

// The reason why a tokenizer cannot read a text.
struct Fault {
  std::size_t byte = 0;
  std::string what;
  std::string field = {};  // of options that would have let the tokenizer read it
};

// First byte of the word "<eos>", in any case if `lowercase`, else in lower case only.
std::size_t find_eos(std::string_view text, bool lowercase) {
  const auto same = [lowercase](char found, char wanted) {
    return found == wanted || (lowercase && found >= 'A' && found <= 'Z' && found - 'A' + 'a' == wanted);
  };
  for (std::size_t at = text.find('<'); at != kNowhere; at = text.find('<', at + 1)) {
    const std::size_t end = at + kEos.size();
    if (end > text.size()) return kNowhere;
    const bool is_word = (at == 0 || is_ascii_space(text[at - 1])) && (end == text.size() || is_ascii_space(text[end]));
    if (is_word && std::equal(kEos.begin(), kEos.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                              [&](char wanted, char found) { return same(found, wanted); })) {
      return at;
    }
  }
  return kNowhere;
}

std::optional<Fault> find_fault(TokenizerKind kind, bool lowercase, std::string_view text) {
  if (kind == TokenizerKind::kByte) return std::nullopt;
  if (const std::size_t at = find_invalid_utf8(text); at != kNowhere) {
    return Fault{
        at, fmt::format("0x{:02x} is not UTF-8 there; convert the text to UTF-8", static_cast<unsigned char>(text[at])),
        "tokenizer.kind"};
  }
  if (kind != TokenizerKind::kWhitespace) return std::nullopt;
  if (const std::size_t at = find_eos(text, lowercase); at != kNowhere) {
    return Fault{at, "the word \"<eos>\" stands for the end of a line and cannot be in the text; remove or rename it"};
  }
  return std::nullopt;
}

}  // namespace

CheckedText::CheckedText(TokenizerKind kind, bool lowercase, const NamedText& text) : kind_(kind), text_(text) {
  const std::optional<Fault> fault = find_fault(kind, lowercase, text.text);
  if (!fault) return;
  const auto end = text.text.begin() + static_cast<std::ptrdiff_t>(fault->byte);
  throw Error(ErrorCode::kInput,
              fmt::format("{}: byte {} (line {}): {}", text.name, fault->byte,
                          std::count(text.text.begin(), end, '\n') + 1, fault->what),
              fault->field);
}

std::string CheckedText::place(std::size_t at) const {
  const std::string_view before(text_.text.data() - skipped_, skipped_ + at);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 where there is none
  return fmt::format("{}, line {}, column {}", text_.name, std::count(before.begin(), before.end(), '\n') + 1,
                     column_of(before.substr(line_start), before.size() - line_start));
}

std::int64_t column_of(std::string_view line, std::size_t at) { return count_code_points(line.substr(0, at)) + 1; }

void check_line(TokenizerKind kind, bool lowercase, const NamedText& line) {
  const std::optional<Fault> fault = find_fault(kind, lowercase, line.text);
  if (!fault) return;
  throw Error(ErrorCode::kInput, fmt::format("{}: byte {}: {}", line.name, fault->byte, fault->what), fault->field);
}

}  // namespace unroll
