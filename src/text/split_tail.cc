#include "text/split_tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "text/utf8.h"
#include "text/vocabulary.h"
#include "unroll/error.h"

namespace unroll {
namespace {

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

// The start of the next line, or else of the line that holds byte `cut`. Where both are far from it, behind the next
// white space; in a text of a single line `cut` itself.
std::size_t move_to_line_start(std::string_view text, std::size_t cut) {
  constexpr std::size_t kNone = std::string_view::npos;
  if (cut == 0 || text[cut - 1] == '\n') return cut;
  const auto is_near = [&](std::size_t space) { return text.size() - space - 1 >= (text.size() - cut) / 4; };
  const std::size_t end = text.find('\n', cut);
  const bool has_next = end != kNone && end + 1 < text.size();
  if (has_next && is_near(end)) return end + 1;
  const std::size_t before = text.rfind('\n', cut - 1);
  if (before != kNone && before + 1 >= cut / 2) return before + 1;
  if ((before == kNone && !has_next) || is_ascii_space(text[cut - 1])) return cut;
  const auto space = static_cast<std::size_t>(std::ranges::find_if(text.substr(cut), is_ascii_space) - text.begin());
  return space < text.size() && is_near(space) ? space + 1 : cut;
}

}  // namespace

SplitText split_tail(const CheckedText& text, double share, StatePolicy state) {
  if (!(share >= 0 && share < 1)) {
    throw Error(ErrorCode::kUsage, fmt::format("`text.valid_split` is {}: expected a number from 0 to below 1", share),
                "text.valid_split");
  }
  const std::string_view all = text.view();
  if (share == 0) return {text, text.from(all.size())};
  const bool bytes = text.kind() == TokenizerKind::kByte;
  const std::int64_t n = bytes ? std::ssize(all) : count_code_points(all);
  const std::int64_t count = train_count(n, share);
  std::size_t cut = bytes ? static_cast<std::size_t>(count) : byte_of_character(all, count);
  if (reads_lines(text.kind()) || state == StatePolicy::kReset) cut = move_to_line_start(all, cut);
  return {text.before(cut), text.from(cut)};
}

SplitText split_to_train(const CheckedText& text, double share, StatePolicy state) {
  if (text.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to train on", text.name()));
  }
  const SplitText parts = split_tail(text, share, state);
  if (!parts.train.empty()) return parts;
  throw Error(
      ErrorCode::kInput,
      fmt::format("{}: the part held out for validation leaves nothing to train on; give more text or a smaller "
                  "`text.valid_split`",
                  parts.train.name()));
}

}  // namespace unroll
