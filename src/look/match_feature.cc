#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "look/read_bytes.h"
#include "unroll/error.h"
#include "unroll/look/units.h"

namespace unroll {
namespace {

constexpr std::size_t kLongestExpression = 200;
constexpr std::int64_t kMostRepeated = 100;
constexpr std::int64_t kStepsPerByte = 1000;
constexpr std::ptrdiff_t kMostStack = std::ptrdiff_t{1} << 20;

[[noreturn]] void refuse_expression(const std::string& expression, std::string_view why) {
  throw Error(ErrorCode::kUsage,
              fmt::format("\"{}\" is no regular expression that can be searched: {}", expression, why));
}

std::string_view why_refused(std::regex_constants::error_type error) {
  using namespace std::regex_constants;
  if (error == error_paren) return "its ( and ) are not pairs, or a *, + or ? has nothing before it";
  if (error == error_badrepeat) return "a *, +, ? or {} has nothing before it";
  if (error == error_brack) return "a [ has no ]";
  if (error == error_range) return "a range in [] ends before it begins";
  if (error == error_brace) return "a { has no }";
  if (error == error_badbrace) return "what is in {} is no count such as {2} or {1,3}";
  if (error == error_escape) return "a \\ is at its end, or before what it cannot stand before; \\\\ is the character";
  if (error == error_backref) return "it refers to a group that it does not have";
  if (error == error_ctype || error == error_collate) return "a class in [] has no such name; [[:alpha:]] is one";
  return "it is too large";
}

// Expressions may come from strangers, and std::regex tries all ways to match, each a level of recursion: the search
// ends where it takes too long, or too much of the stack.
class SearchBounds {
 public:
  explicit SearchBounds(std::int64_t steps) : steps_(steps), stack_(here()) {}

  struct Exceeded {};

  void take_step() {
    if (--steps_ < 0 || stack_ - here() > kMostStack) throw Exceeded();
  }

 private:
  static const char* here() { return static_cast<const char*>(__builtin_frame_address(0)); }

  std::int64_t steps_;
  const char* stack_;
};

// A byte of the text; whoever reads it takes a step.
class BoundedByte {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  BoundedByte() = default;
  BoundedByte(const char* at, SearchBounds& bounds) : at_(at), bounds_(&bounds) {}

  const char& operator*() const {
    bounds_->take_step();
    return *at_;
  }
  BoundedByte& operator++() {
    ++at_;
    return *this;
  }
  BoundedByte operator++(int) {
    BoundedByte before = *this;
    ++at_;
    return before;
  }
  BoundedByte& operator--() {
    --at_;
    return *this;
  }
  BoundedByte operator--(int) {
    BoundedByte before = *this;
    --at_;
    return before;
  }
  friend bool operator==(const BoundedByte& a, const BoundedByte& b) { return a.at_ == b.at_; }

 private:
  const char* at_ = nullptr;
  SearchBounds* bounds_ = nullptr;
};

// Pieces of text that are searched by themselves: [first, last) of the bytes.
std::vector<std::pair<std::size_t, std::size_t>> searched_lines(std::string_view bytes) {
  constexpr std::size_t kLongest = 1024;
  std::vector<std::pair<std::size_t, std::size_t>> lines;
  for (std::size_t first = 0; first < bytes.size();) {
    const std::size_t newline = std::min(bytes.find('\n', first), bytes.size());
    const std::size_t last = std::min(newline, first + kLongest);
    lines.emplace_back(first, last);
    first = last == newline ? last + 1 : last;
  }
  return lines;
}

// {n} copies what it repeats, and {n} of that copies the copies.
void expect_few_copies(const std::string& expression) {
  std::int64_t copies = 1;
  for (std::size_t at = expression.find('{'); at != std::string::npos; at = expression.find('{', at + 1)) {
    const std::size_t end = std::min(expression.find('}', at), expression.size());
    std::int64_t most = 1;
    for (std::size_t i = at + 1; i < end;) {
      std::int64_t number = 0;
      const auto [rest, error] = std::from_chars(expression.data() + i, expression.data() + end, number);
      if (error == std::errc::result_out_of_range) number = kMostRepeated + 1;
      most = std::max(most, number);
      i = std::max(i + 1, static_cast<std::size_t>(rest - expression.data()));
    }
    copies *= std::min(most, kMostRepeated + 1);
    if (copies > kMostRepeated) {
      refuse_expression(expression, fmt::format("its repetitions {{}} come to more than {}", kMostRepeated));
    }
  }
}

// Whether each byte is part of a match.
std::vector<char> matched_bytes(const std::string& bytes, const std::regex& searched) {
  std::vector<char> matched(bytes.size());
  SearchBounds bounds(kStepsPerByte * (std::ssize(bytes) + kStepsPerByte));
  for (const auto& [first, last] : searched_lines(bytes)) {
    const BoundedByte begin(bytes.data() + first, bounds);
    const BoundedByte end(bytes.data() + last, bounds);
    for (std::regex_iterator<BoundedByte> found(begin, end, searched), none; found != none; ++found) {
      std::fill_n(matched.begin() + static_cast<std::ptrdiff_t>(first) + found->position(), found->length(), '\1');
    }
  }
  return matched;
}

}  // namespace

TextFeature match_feature(const UnrolledText& text, const std::string& expression) {
  if (expression.size() > kLongestExpression) {
    refuse_expression(expression.substr(0, kLongestExpression) + "...",
                      fmt::format("it is longer than {} bytes", kLongestExpression));
  }
  if (expression.empty()) refuse_expression(expression, "it is empty, and matches nothing");
  expect_few_copies(expression);
  const ReadBytes read = read_bytes(text);
  std::vector<char> matched;
  try {
    matched = matched_bytes(read.bytes, std::regex(expression, std::regex::ECMAScript | std::regex::optimize));
  } catch (const std::regex_error& error) {
    refuse_expression(expression, why_refused(error.code()));
  } catch (const SearchBounds::Exceeded&) {
    refuse_expression(expression, "it takes too many steps, as repetitions within repetitions do");
  }
  TextFeature feature{.name = fmt::format("matches {}", expression), .values = {}, .is_claim = true};
  for (const std::size_t end : read.ends) {
    feature.values.push_back(end == 0 ? std::numeric_limits<double>::quiet_NaN()
                                      : static_cast<double>(matched[end - 1]));
  }
  return feature;
}

}  // namespace unroll
