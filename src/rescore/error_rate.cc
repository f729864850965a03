#include "unroll/nbest/error_rate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <vector>

#include "judge/resampling.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Symbols as small numbers; those that `a` lacks are all its count of different ones.
template <class T>
class SymbolNumbers {
 public:
  explicit SymbolNumbers(std::span<const T> a) : symbols_(a.begin(), a.end()) {
    std::ranges::sort(symbols_);
    symbols_.erase(std::unique(symbols_.begin(), symbols_.end()), symbols_.end());
  }

  [[nodiscard]] std::size_t size() const { return symbols_.size(); }
  [[nodiscard]] std::vector<std::size_t> of(std::span<const T> text) const {
    std::vector<std::size_t> numbers;
    for (const T& symbol : text) {
      const auto found = std::ranges::lower_bound(symbols_, symbol);
      const bool known = found != symbols_.end() && *found == symbol;
      numbers.push_back(known ? static_cast<std::size_t>(found - symbols_.begin()) : size());
    }
    return numbers;
  }

 private:
  std::vector<T> symbols_;
};

// In the table of distances between beginnings of a and b neighbours differ by 1 at most. 64 rows of it, symbols of a,
// are computed at once from what differs, a column for each symbol of b. (Myers 1999)
class DistanceRows {
 public:
  explicit DistanceRows(std::uint64_t last) : last_(last) {}

  // Goes on by a column. `equal` has the bits of rows whose symbol is the column's, `above` is by how much the column
  // before it is less in the row above these; returns the same of the last of these rows.
  int next(std::uint64_t equal, int above) {
    const std::uint64_t vertical = equal | less_;
    if (above < 0) equal |= 1;
    const std::uint64_t horizontal = (((equal & more_) + more_) ^ more_) | equal;
    std::uint64_t up = less_ | ~(horizontal | more_);
    std::uint64_t down = more_ & horizontal;
    const int change = ((up & last_) != 0 ? 1 : 0) - ((down & last_) != 0 ? 1 : 0);
    up = up << 1 | (above > 0 ? 1U : 0U);
    down = down << 1 | (above < 0 ? 1U : 0U);
    more_ = down | ~(vertical | up);
    less_ = up & vertical;
    return change;
  }

 private:
  std::uint64_t last_;                      // the bit of the last row
  std::uint64_t more_ = ~std::uint64_t{0};  // rows that are 1 more than the row above
  std::uint64_t less_ = 0;
};

template <class T>
std::int64_t edit_distance(std::span<const T> a, std::span<const T> b) {
  // Hypotheses differ little from references: what is alike at both ends costs nothing.
  while (!a.empty() && !b.empty() && a.front() == b.front()) a = a.subspan(1), b = b.subspan(1);
  while (!a.empty() && !b.empty() && a.back() == b.back()) a = a.first(a.size() - 1), b = b.first(b.size() - 1);
  const SymbolNumbers<T> numbers(a);
  const std::vector<std::size_t> rows = numbers.of(a);
  const std::vector<std::size_t> columns = numbers.of(b);
  std::vector<std::int8_t> changes(b.size(), 1);  // from column to column, in the row above
  std::vector<std::uint64_t> equal(numbers.size() + 1);
  for (std::size_t first = 0; first < rows.size(); first += 64) {
    const std::size_t count = std::min<std::size_t>(64, rows.size() - first);
    std::uint64_t bit = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bit = std::uint64_t{1} << i;
      equal[rows[first + i]] |= bit;
    }
    DistanceRows block(bit);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      changes[j] = static_cast<std::int8_t>(block.next(equal[columns[j]], changes[j]));
    }
    for (std::size_t i = 0; i < count; ++i) equal[rows[first + i]] = 0;
  }
  return std::accumulate(changes.begin(), changes.end(), std::ssize(a));
}

template <class T>
ErrorCount errors_between(const std::vector<T>& hypothesis, const std::vector<T>& reference) {
  return {.errors = edit_distance<T>(hypothesis, reference), .of = std::ssize(reference)};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::string_view word = take_field(text); !word.empty(); word = take_field(text)) words.push_back(word);
  return words;
}

std::vector<char32_t> characters_of(std::string_view text) {
  constexpr char32_t kBytes = 0x110000;  // beyond Unicode
  std::vector<char32_t> characters;
  for (std::string_view word : words_of(text)) {
    if (!characters.empty()) characters.push_back(U' ');
    while (!word.empty()) {
      const CodePoint next = decode_utf8(word);
      characters.push_back(next.length > 0 ? next.value : kBytes + static_cast<unsigned char>(word.front()));
      word.remove_prefix(std::max<std::size_t>(1, next.length));
    }
  }
  return characters;
}

double rate(const ErrorCount& sum) noexcept {
  if (sum.errors == 0) return 0;  // of nothing, too
  return static_cast<double>(sum.errors) / static_cast<double>(sum.of);
}

double difference(const ErrorCount& a, const ErrorCount& b) noexcept {
  if (a.of == 0 && b.of == 0) return rate({.errors = a.errors - b.errors, .of = 0});  // not infinity - infinity
  return rate(a) - rate(b);
}

// The middle 95% of statistic(utterances drawn) over resamples; 0 to 0 of nothing.
template <class Statistic>
Interval middle_of_resamples(std::size_t size, const BootstrapOptions& options, const Statistic& statistic) {
  const auto values_of = [&](std::span<const std::size_t> drawn, std::span<std::optional<double>> values) {
    values.front() = statistic(drawn);
  };
  return middles_of_resamples(size, options, 1, values_of).front().value_or(Interval{});
}

ErrorCount sum_of(std::span<const ErrorCount> utterances, std::span<const std::size_t> drawn) {
  ErrorCount sum;
  for (const std::size_t i : drawn) {
    sum.errors += utterances[i].errors;
    sum.of += utterances[i].of;
  }
  return sum;
}

}  // namespace

ErrorCount word_errors(std::string_view hypothesis, std::string_view reference) {
  return errors_between(words_of(hypothesis), words_of(reference));
}

ErrorCount character_errors(std::string_view hypothesis, std::string_view reference) {
  return errors_between(characters_of(hypothesis), characters_of(reference));
}

ErrorCount sum_of(std::span<const ErrorCount> utterances) noexcept {
  ErrorCount sum;
  for (const ErrorCount& one : utterances) {
    sum.errors += one.errors;
    sum.of += one.of;
  }
  return sum;
}

double error_rate(std::span<const ErrorCount> utterances) noexcept { return rate(sum_of(utterances)); }

Interval bootstrap_rate(std::span<const ErrorCount> utterances, const BootstrapOptions& options) {
  return middle_of_resamples(utterances.size(), options,
                             [&](std::span<const std::size_t> drawn) { return rate(sum_of(utterances, drawn)); });
}

Interval bootstrap_difference(std::span<const ErrorCount> a, std::span<const ErrorCount> b,
                              const BootstrapOptions& options) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("a difference of {} and {} utterances: expected the same ones of both",
                                               a.size(), b.size()));
  }
  return middle_of_resamples(a.size(), options, [&](std::span<const std::size_t> drawn) {
    return difference(sum_of(a, drawn), sum_of(b, drawn));
  });
}

}  // namespace unroll
