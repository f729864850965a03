#include "text/word_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/quote.h"
#include "text/number.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::int64_t kMostDimensions = std::int64_t{1} << 16;
constexpr std::int64_t kNoVector = -1;

std::string_view without_blanks_at_end(std::string_view line) {
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

// Takes the last field off a line that does not end with a blank.
std::string_view take_last_field(std::string_view& line) {
  const std::size_t first = line.find_last_of(kBlanks) + 1;
  const std::string_view field = line.substr(first);
  line = without_blanks_at_end(line.substr(0, first));
  return field;
}

bool is_whole_number(std::string_view field) {
  return !field.empty() && std::ranges::all_of(field, [](char c) { return c >= '0' && c <= '9'; });
}

// How many numbers a line ends with.
std::int64_t numbers_at_end(std::string_view line) {
  std::int64_t count = 0;
  while (!line.empty() && parse_number(take_last_field(line))) ++count;
  return count;
}

class VectorReader {
 public:
  VectorReader(const std::string& path, std::span<const std::string> words)
      : name_(text_name(path)), lines_(path), exact_(words.size(), kNoVector), folded_(words.size(), kNoVector) {
    for (std::size_t id = 0; id < words.size(); ++id) {
      wanted_[words[id]].exact = static_cast<std::int32_t>(id);
      if (std::string folded = lower_case(words[id]); folded != words[id]) {
        wanted_[std::move(folded)].folded.push_back(static_cast<std::int32_t>(id));
      }
    }
  }

  WordVectors read() {
    std::string line;
    while (lines_.next(line)) {
      ++number_;
      const std::string_view content = without_blanks_at_end(line);
      if (content.empty() || (found_.dimension == 0 && is_head(content))) continue;
      add(content);
    }
    if (found_.in_file == 0) throw Error(ErrorCode::kInput, fmt::format("{} holds no word vectors", name_));
    if (announced_ && *announced_ != found_.in_file) {
      throw Error(ErrorCode::kInput, fmt::format("{} announces {} vectors in its first line and holds {}: it was cut "
                                                 "short, or that line is wrong; it can be left out",
                                                 name_, *announced_, found_.in_file));
    }
    return take_found();
  }

 private:
  // The words of a vocabulary that a word of the file is good for.
  struct Wanted {
    std::int32_t exact = -1;
    std::vector<std::int32_t> folded = {};
    bool seen = false;
  };

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kInput, fmt::format("{}, line {}: {}", name_, number_, what));
  }

  void set_dimension(double dimension) {
    if (!(dimension >= 1 && dimension <= static_cast<double>(kMostDimensions))) {
      refuse(
          fmt::format("vectors of {} numbers: expected 1 to {}, as \"WORD 0.1 -0.2 ...\"", dimension, kMostDimensions));
    }
    found_.dimension = static_cast<std::int64_t>(dimension);
  }

  // Whether the first line is "N D". Sets the dimension either way.
  bool is_head(std::string_view line) {
    std::string_view rest = line;
    const std::string_view last = take_last_field(rest);
    if (is_whole_number(last) && is_whole_number(rest)) {
      announced_ = static_cast<std::int64_t>(std::min(parse_number(rest).value_or(HUGE_VAL), 0x1p62));
      set_dimension(parse_number(last).value_or(HUGE_VAL));
      return true;
    }
    const bool first_is_a_number = parse_number(line.substr(0, line.find_first_of(kBlanks))).has_value();
    const std::int64_t numbers = numbers_at_end(line);
    std::string_view word = line;
    for (std::int64_t i = 0; i < numbers; ++i) take_last_field(word);
    set_dimension(static_cast<double>(word.empty() && first_is_a_number ? numbers - 1 : numbers));
    return false;
  }

  void add(std::string_view line) {
    fields_.clear();
    std::string_view word = line;
    while (!word.empty() && std::ssize(fields_) < found_.dimension) fields_.push_back(take_last_field(word));
    const bool has_empty_word = word.empty() && kBlanks.find(line.front()) != std::string_view::npos;
    std::string_view before = word;
    const bool has_more =
        word.find_first_of(kBlanks) != std::string_view::npos && parse_number(take_last_field(before));
    if (std::ssize(fields_) < found_.dimension || (word.empty() && !has_empty_word) || has_more) {
      refuse(fmt::format("{} numbers after the word: expected {}, as in the lines before",
                         numbers_at_end(word) + std::ssize(fields_) - (word.empty() && !has_empty_word ? 1 : 0),
                         found_.dimension));
    }
    ++found_.in_file;
    const auto wanted = wanted_.find(std::string(word));
    if (wanted != wanted_.end()) keep(wanted->first, wanted->second);
  }

  void keep(const std::string& word, Wanted& wanted) {
    if (wanted.seen) {
      if (wanted.exact >= 0) found_.repeated.push_back(word);
      return;
    }
    wanted.seen = true;
    const std::int64_t row = std::ssize(rows_) / found_.dimension;
    for (auto field = fields_.rbegin(); field != fields_.rend(); ++field) {
      const std::optional<double> number = parse_number(*field);
      const float rounded = number ? static_cast<float>(*number) : 0.0F;
      if (!number || !std::isfinite(rounded)) {
        refuse(fmt::format("{} in the vector of {}: expected a finite number", quote(*field), quote(word)));
      }
      rows_.push_back(rounded);
    }
    if (wanted.exact >= 0) exact_[static_cast<std::size_t>(wanted.exact)] = row;
    for (const std::int32_t id : wanted.folded) folded_[static_cast<std::size_t>(id)] = row;
  }

  WordVectors take_found() {
    for (std::size_t id = 0; id < exact_.size(); ++id) {
      const std::int64_t row = exact_[id] != kNoVector ? exact_[id] : folded_[id];
      if (row == kNoVector) continue;
      if (exact_[id] == kNoVector) ++found_.from_lower_case;
      found_.ids.push_back(static_cast<std::int32_t>(id));
      const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(row * found_.dimension);
      found_.numbers.insert(found_.numbers.end(), first, first + static_cast<std::ptrdiff_t>(found_.dimension));
    }
    return std::move(found_);
  }

  std::string name_;
  LineReader lines_;
  std::int64_t number_ = 0;
  std::optional<std::int64_t> announced_;
  std::unordered_map<std::string, Wanted> wanted_;
  std::vector<std::string_view> fields_;  // numbers of a line, the last one first
  std::vector<float> rows_;
  std::vector<std::int64_t> exact_;   // (words) the row of each word
  std::vector<std::int64_t> folded_;  // that of its lower case
  WordVectors found_;
};

}  // namespace

WordVectors read_word_vectors(const std::string& path, std::span<const std::string> words) {
  return VectorReader(path, words).read();
}

}  // namespace unroll
