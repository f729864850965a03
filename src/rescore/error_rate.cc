#include "unroll/error_rate.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <numeric>
#include <vector>

#include "base/philox.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"

namespace unroll {
namespace {

template <class T>
std::int64_t edit_distance(std::span<const T> a, std::span<const T> b) {
  // Hypotheses differ little from references: what is alike at both ends costs nothing.
  while (!a.empty() && !b.empty() && a.front() == b.front()) a = a.subspan(1), b = b.subspan(1);
  while (!a.empty() && !b.empty() && a.back() == b.back()) a = a.first(a.size() - 1), b = b.first(b.size() - 1);
  std::vector<std::int64_t> row(b.size() + 1);  // from a prefix of a to every prefix of b
  std::iota(row.begin(), row.end(), std::int64_t{0});
  for (const T& symbol : a) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t changed = diagonal + (symbol == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
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
  return sum.of == 0 ? 0 : static_cast<double>(sum.errors) / static_cast<double>(sum.of);
}

// The middle 95% of statistic(utterance drawn, ...) over resamples.
template <class Statistic>
Interval middle_of_resamples(std::size_t size, const BootstrapOptions& options, const Statistic& statistic) {
  if (size == 0) return {};
  std::vector<std::size_t> drawn(size);
  std::vector<double> values;
  for (std::int64_t resample = 0; resample < options.resamples; ++resample) {
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i < size; ++i) {
      if (i % 4 == 0) {
        words = random_words(options.seed, static_cast<std::uint32_t>(resample), RandomPurpose::kBootstrap, 0,
                             static_cast<std::uint32_t>(i / 4), 0);
      }
      drawn[i] = static_cast<std::size_t>(std::uint64_t{words.at(i % 4)} * size >> 32);
    }
    values.push_back(statistic(drawn));
  }
  std::ranges::sort(values);
  const std::size_t outside = values.size() / 40;
  return {.low = values[outside], .high = values[values.size() - 1 - outside]};
}

double rate_of(std::span<const ErrorCount> utterances, const std::vector<std::size_t>& drawn) {
  ErrorCount sum;
  for (const std::size_t i : drawn) {
    sum.errors += utterances[i].errors;
    sum.of += utterances[i].of;
  }
  return rate(sum);
}

}  // namespace

ErrorCount word_errors(std::string_view hypothesis, std::string_view reference) {
  return errors_between(words_of(hypothesis), words_of(reference));
}

ErrorCount character_errors(std::string_view hypothesis, std::string_view reference) {
  return errors_between(characters_of(hypothesis), characters_of(reference));
}

double error_rate(std::span<const ErrorCount> utterances) noexcept {
  ErrorCount sum;
  for (const ErrorCount& one : utterances) {
    sum.errors += one.errors;
    sum.of += one.of;
  }
  return rate(sum);
}

Interval bootstrap_rate(std::span<const ErrorCount> utterances, const BootstrapOptions& options) {
  return middle_of_resamples(utterances.size(), options,
                             [&](const std::vector<std::size_t>& drawn) { return rate_of(utterances, drawn); });
}

Interval bootstrap_difference(std::span<const ErrorCount> a, std::span<const ErrorCount> b,
                              const BootstrapOptions& options) {
  assert(a.size() == b.size());
  return middle_of_resamples(
      a.size(), options, [&](const std::vector<std::size_t>& drawn) { return rate_of(a, drawn) - rate_of(b, drawn); });
}

}  // namespace unroll
