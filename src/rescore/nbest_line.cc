#include "rescore/nbest_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/quote.h"
#include "text/number.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kPause = "-pau-";  // in SRILM's lists

}  // namespace

void NbestLine::refuse(std::size_t at, const std::string& what) const {
  throw Error(ErrorCode::kInput, fmt::format("{}, line {}, column {}: {}", file, number, at + 1, what));
}

double NbestLine::number_of(std::string_view field, std::string_view name) const {
  const std::optional<double> value = parse_number(field);
  if (!value || !std::isfinite(*value)) {
    refuse(place_of(field), fmt::format("{} is {}: expected a number", name, quote(field)));
  }
  check_size(place_of(field), *value, name);
  return *value;
}

void NbestLine::check_size(std::size_t at, double value, std::string_view name) const {
  constexpr double kLargest = 1e30;  // squares and weighted sums of such numbers are finite
  if (std::fabs(value) <= kLargest) return;
  refuse(at, fmt::format("{} is {}: expected a number from -1e30 to 1e30", name, value));
}

std::string_view take_field(std::string_view& rest) noexcept {
  const auto* const first = std::find_if_not(rest.begin(), rest.end(), is_ascii_space);
  const auto* const end = std::find_if(first, rest.end(), is_ascii_space);
  const std::string_view field =
      rest.substr(static_cast<std::size_t>(first - rest.begin()), static_cast<std::size_t>(end - first));
  rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  return field;
}

std::int64_t count_words(std::string_view text) noexcept {
  std::int64_t count = 0;
  while (!take_field(text).empty()) ++count;
  return count;
}

void set_id(const NbestLine& line, std::string_view field, std::string& id, Hypothesis& hypothesis) {
  id = field;
  hypothesis.id_column = static_cast<std::int64_t>(line.place_of(field)) + 1;
}

void set_text(const NbestLine& line, std::string_view field, Hypothesis& hypothesis) {
  hypothesis.text = field;
  hypothesis.text_column = static_cast<std::int64_t>(line.place_of(field)) + 1;
  hypothesis.words = count_words(field);
}

void read_rnnlm(const NbestLine& line, std::string& id, Hypothesis& hypothesis) {
  std::string_view rest = line.bytes;
  set_id(line, take_field(rest), id, hypothesis);
  if (id.empty()) line.refuse(0, "there is no id: a line is an id, a space and the words of a hypothesis");
  set_text(line, trimmed(rest), hypothesis);
}

void read_kaldi(const NbestLine& line, std::string& id, Hypothesis& hypothesis) {
  std::string whole;
  read_rnnlm(line, whole, hypothesis);
  const std::size_t dash = whole.rfind('-');
  const bool numbered = dash != std::string::npos && dash > 0 && dash + 1 < whole.size() &&
                        std::all_of(whole.begin() + static_cast<std::ptrdiff_t>(dash) + 1, whole.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  if (!numbered) {
    line.refuse(static_cast<std::size_t>(hypothesis.id_column) - 1,
                fmt::format("the id {} does not end in a dash and a number, such as utterance-1, by which Kaldi tells "
                            "hypotheses apart (ids that are the same for all of a list: format rnnlm)",
                            quote(whole)));
  }
  id = whole.substr(0, dash);
}

std::string counted_text(const NbestFormat& format, std::string_view text) {
  if (format.dialect != NbestDialect::kSrilm) return std::string(text);
  const auto is_noise = [&](std::string_view word) {
    return word == kPause || std::ranges::find(format.noise, word) != format.noise.end();
  };
  std::string counted;
  bool all = true;
  std::string_view rest = text;
  for (std::string_view word = take_field(rest); !word.empty(); word = take_field(rest)) {
    if (is_noise(word)) {
      all = false;
    } else {
      counted.append(counted.empty() ? "" : " ").append(word);
    }
  }
  return all ? std::string(text) : counted;
}

void read_srilm(const NbestLine& line, const NbestFormat& format, Hypothesis& hypothesis) {
  constexpr std::string_view kExpected = "a line is ascore, lscore, nwords and the words of a hypothesis";
  std::string_view rest = line.bytes;
  const auto field = [&](std::string_view name) {
    const std::string_view found = take_field(rest);
    if (found.empty()) line.refuse(line.bytes.size(), fmt::format("{} is missing: {}", name, kExpected));
    return found;
  };
  hypothesis.score = line.number_of(field("ascore"), "ascore");
  const std::string_view lscore = field("lscore");
  hypothesis.lm_score = line.number_of(lscore, "lscore");
  hypothesis.lm = NumberPlace{.first = line.place_of(lscore), .size = lscore.size()};
  const std::string_view nwords = field("nwords");
  const double count = line.number_of(nwords, "nwords");

  // SRILM's own lists often show the boundaries, which are not words, and pauses, which it does not count.
  std::string_view text = trimmed(rest);
  std::string_view after = text;
  if (take_field(after) == "<s>") text = trimmed(after);
  if (text == "</s>" || (text.ends_with("</s>") && is_ascii_space(text[text.size() - 5]))) {
    text = trimmed(text.substr(0, text.size() - 4));
  }
  set_text(line, text, hypothesis);
  if (count < 0 || count != std::floor(count) || count > static_cast<double>(hypothesis.words)) {
    line.refuse(
        line.place_of(nwords),
        fmt::format("nwords is {}: expected a whole number up to {}, the words that follow", nwords, hypothesis.words));
  }
  hypothesis.words = static_cast<std::int64_t>(count);
  hypothesis.text = counted_text(format, text);
}

}  // namespace unroll
