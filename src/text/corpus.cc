#include "text/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "text/utf8.h"
#include "text/vocabulary.h"
#include "unroll/error.h"
#include "unroll/text.h"

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

// floor(n (1 - share)) for the decimal number that `share` was written as: its rounding error must not move the cut.
std::int64_t train_count(std::int64_t n, double share) {
  const double size = static_cast<double>(n);
  return std::min(n, static_cast<std::int64_t>(std::floor(size * (1 - share) + size * 1e-15)));
}

// The first byte of character number `count`.
std::size_t byte_of_character(std::string_view text, std::int64_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    if (count == 0) break;
    --count;
  }
  return at;
}

std::size_t move_to_line_start(std::string_view text, std::size_t cut) {
  if (cut > 0 && text[cut - 1] == '\n') return cut;
  const std::size_t next = text.find('\n', cut);
  if (next != kNowhere && next + 1 < text.size()) return next + 1;
  const std::size_t before = cut == 0 ? kNowhere : text.rfind('\n', cut - 1);
  return before == kNowhere ? cut : before + 1;
}

}  // namespace

void check_text(TokenizerKind kind, bool lowercase, std::string_view text, std::string_view name) {
  const std::optional<Fault> fault = find_fault(kind, lowercase, text);
  if (!fault) return;
  const auto lines_before = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(fault->byte), '\n');
  throw Error(ErrorCode::kInput,
              fmt::format("{}: byte {} (line {}): {}", name, fault->byte, lines_before + 1, fault->what), fault->field);
}

void check_line(TokenizerKind kind, bool lowercase, std::string_view line, std::string_view name) {
  const std::optional<Fault> fault = find_fault(kind, lowercase, line);
  if (!fault) return;
  throw Error(ErrorCode::kInput, fmt::format("{}: byte {}: {}", name, fault->byte, fault->what), fault->field);
}

void append_text(std::string& texts, std::string text) {
  if (texts.empty()) {
    texts = std::move(text);
    return;
  }
  if (texts.back() != '\n') texts += '\n';
  texts += text;
}

std::string read_corpus(const std::vector<std::string>& paths, TokenizerKind kind, bool lowercase) {
  std::string texts;
  for (const std::string& path : paths) {
    std::string text = read_text(path);
    check_text(kind, lowercase, text, path == "-" ? "standard input" : fmt::format("'{}'", path));
    append_text(texts, std::move(text));
  }
  return texts;
}

SplitText split_tail(std::string_view text, double share, TokenizerKind kind, StatePolicy state) {
  if (!(share >= 0 && share < 1)) {
    throw Error(ErrorCode::kUsage, fmt::format("`text.valid_split` is {}: expected a number from 0 to below 1", share),
                "text.valid_split");
  }
  if (share == 0) return {text, {}};
  const bool bytes = kind == TokenizerKind::kByte;
  const std::int64_t n = bytes ? static_cast<std::int64_t>(text.size()) : count_code_points(text);
  const std::int64_t count = train_count(n, share);
  std::size_t cut = bytes ? static_cast<std::size_t>(count) : byte_of_character(text, count);
  if (reads_lines(kind) || state == StatePolicy::kReset) cut = move_to_line_start(text, cut);
  return {text.substr(0, cut), text.substr(cut)};
}

}  // namespace unroll
