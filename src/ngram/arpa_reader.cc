#include "ngram/arpa_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "text/number.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr double kLeastLog = -1e6;
constexpr double kMostLog = 99;            // of a back-off weight
constexpr float kRoundedAboveOne = 0.01F;  // logarithm of a probability: IRSTLM writes such

// A part of a line between blanks.
struct Field {
  std::string_view text;
  std::size_t column = 1;
};

// An n-gram as read.
struct Entry {
  std::uint32_t context = 0;  // its node
  std::uint32_t word = 0;
  float log_prob = 0;
  float log_backoff = 0;
  std::int64_t line = 0;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class ArpaReader {
 public:
  explicit ArpaReader(const std::string& path) : path_(path), lines_(path) {}

  ArpaFile read() {
    read_counts();
    for (std::size_t order = 1; order <= counts_.size(); ++order) read_section(order);
    expect_header("\\end\\");
    return std::move(file_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kFormat, fmt::format("n-grams '{}', line {}: {}", path_, number_, what));
  }
  [[noreturn]] void refuse(const Field& field, const std::string& what) const {
    throw Error(ErrorCode::kFormat,
                fmt::format("n-grams '{}', line {}, column {}: {}", path_, number_, field.column, what));
  }

  // Reads the next line, without surrounding blanks and trailing carriage returns. Returns false at the end of the
  // file.
  bool next_line() {
    ended_ = !lines_.next(line_);
    if (ended_) return false;
    ++number_;
    while (!line_.empty() && (is_blank(line_.back()) || line_.back() == '\r')) line_.pop_back();
    indent_ = std::min(line_.find_first_not_of(" \t"), line_.size());
    line_.erase(0, indent_);
    return true;
  }

  // Reads the next line that is not empty.
  bool next_filled_line() {
    while (next_line()) {
      if (!line_.empty()) return true;
    }
    return false;
  }

  void split_line() {
    fields_.clear();
    for (std::size_t at = 0; at < line_.size();) {
      if (is_blank(line_[at])) {
        ++at;
        continue;
      }
      const std::size_t end = std::min(line_.find_first_of(" \t", at), line_.size());
      fields_.push_back({std::string_view(line_).substr(at, end - at), indent_ + at + 1});
      at = end;
    }
  }

  // Throws unless the current line, the last one read that is not empty, is this header.
  void expect_header(std::string_view header) const {
    if (ended_) refuse(fmt::format("the file ends here, {} is missing: it was cut short", header));
    if (line_ != header) refuse(fmt::format("expected {}, found {}", header, quote(line_)));
  }

  // IRSTLM names files of its own in their first line. Their numbers are not those of an ARPA file: interpolated ones
  // (iARPA) are to be added up along the contexts, quantized ones (qARPA) index a table.
  void refuse_irstlm() {
    split_line();
    if (fields_.empty()) return;
    const std::string_view name = fields_.front().text;
    if (name != "iARPA" && name != "qARPA") return;
    refuse(
        fmt::format("this is {}, a format of IRSTLM whose numbers are not back-off probabilities: convert it with "
                    "compile-lm --text=yes",
                    name));
  }

  // Reads up to the first header of n-grams.
  void read_counts() {
    if (next_filled_line()) refuse_irstlm();
    while (line_ != "\\data\\") {
      if (!next_line()) {
        refuse("no line \\data\\ up to here: not an ARPA file (convert a binary model to ARPA first)");
      }
    }
    while (next_filled_line() && line_.front() != '\\') read_count();
    if (counts_.empty()) refuse("\\data\\ lists no counts: expected \"ngram 1=\" and a number");
  }

  // "ngram 2=265", with blanks anywhere between.
  void read_count() {
    std::string text;
    for (const char c : line_) {
      if (!is_blank(c)) text += c;
    }
    const std::string start = fmt::format("ngram{}=", counts_.size() + 1);
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const bool begins = text.starts_with(start);
    const auto [stop, error] = std::from_chars(text.data() + (begins ? start.size() : 0), end, count);
    if (!begins || error != std::errc() || stop != end || count < 0 || count >= kNoNode) {
      refuse(fmt::format("expected \"ngram {}=\" and a number of n-grams up to {}, found {}", counts_.size() + 1,
                         kNoNode - 1, quote(line_)));
    }
    counts_.push_back(count);
  }

  void read_section(std::size_t order) {
    expect_header(fmt::format("\\{}-grams:", order));
    const std::int64_t header = number_;
    entries_.clear();
    while (next_filled_line() && line_.front() != '\\') {
      if (std::ssize(entries_) == counts_[order - 1]) {
        refuse(fmt::format("more {}-grams than the {} that \\data\\ lists", order, counts_[order - 1]));
      }
      read_entry(order);
    }
    if (ended_) refuse(fmt::format("the file ends within the {}-grams: it was cut short", order));
    if (std::ssize(entries_) != counts_[order - 1]) {
      refuse(fmt::format("the {}-grams that begin in line {} are {}, but \\data\\ lists {}", order, header,
                         entries_.size(), counts_[order - 1]));
    }
    if (order == 1 && entries_.empty()) refuse("there are no 1-grams");
    take_entries(order);
  }

  void read_entry(std::size_t order) {
    split_line();
    const bool has_backoff = fields_.size() == order + 2;
    if (fields_.size() != order + 1 && !has_backoff) {
      refuse(fmt::format("{} field{}: expected log10 p, {} word{} and perhaps a back-off weight", fields_.size(),
                         fields_.size() == 1 ? "" : "s", order, order == 1 ? "" : "s"));
    }
    Entry entry{.line = number_};
    entry.log_prob = log_prob(fields_.front());
    if (has_backoff) entry.log_backoff = number(fields_.back());
    const std::span<const Field> words = std::span<const Field>(fields_).subspan(1, order);
    if (order == 1) {
      entry.word = new_word(words.front());
    } else {
      entry.context = context_of(words.first(order - 1));
      entry.word = known_word(words.back());
    }
    entries_.push_back(entry);
  }

  [[nodiscard]] float number(const Field& field) const {
    const std::optional<double> value = parse_number(field.text);
    if (!value || std::isnan(*value)) refuse(field, fmt::format("expected a number, found {}", quote(field.text)));
    const bool is_zero = *value == -std::numeric_limits<double>::infinity();
    if (!is_zero && (*value < kLeastLog || *value > kMostLog)) {
      refuse(field,
             fmt::format("{} is out of range: expected a log10 of {} to {}, or -inf", *value, kLeastLog, kMostLog));
    }
    return static_cast<float>(*value);
  }

  [[nodiscard]] float log_prob(const Field& field) const {
    const float value = number(field);
    if (value > kRoundedAboveOne) {
      refuse(field, fmt::format("{} is not the log10 of a probability: expected at most 0", value));
    }
    return std::min(value, 0.0F);
  }

  std::uint32_t new_word(const Field& field) {
    const auto next = static_cast<std::uint32_t>(file_.table.words.size());
    const auto [place, is_new] = file_.numbers.emplace(field.text, next);
    if (!is_new) {
      refuse(field, fmt::format("the word {} is already in line {}", quote(field.text), entries_[place->second].line));
    }
    file_.table.words.emplace_back(field.text);
    return next;
  }

  [[nodiscard]] std::uint32_t known_word(const Field& field) const {
    const auto place = file_.numbers.find(field.text);
    if (place == file_.numbers.end()) {
      refuse(field, fmt::format("the word {} is not among the 1-grams", quote(field.text)));
    }
    return place->second;
  }

  // The node of these words. Neighbouring lines often share them.
  [[nodiscard]] std::uint32_t context_of(std::span<const Field> words) {
    context_.clear();
    for (const Field& field : words) context_.push_back(known_word(field));
    if (context_ == last_context_) return last_node_;
    std::uint32_t node = context_.front();
    for (std::size_t length = 1; length < context_.size(); ++length) {
      node = file_.table.find(length, node, context_[length]);
      if (node == kNoNode) {
        refuse(words[length], fmt::format("the context of this n-gram is not among the {}-grams", words.size()));
      }
    }
    last_context_ = context_;
    last_node_ = node;
    return node;
  }

  // Moves the entries of an order into the table.
  void take_entries(std::size_t order) {
    const auto place = [](const Entry& entry) { return std::tuple(entry.context, entry.word, entry.line); };
    std::ranges::sort(entries_, {}, place);
    NgramLevel level;
    level.words.reserve(entries_.size());
    level.log_probs.reserve(entries_.size());
    const bool highest = order == counts_.size();
    if (!highest) level.log_backoffs.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      if (i > 0 && entry.context == entries_[i - 1].context && entry.word == entries_[i - 1].word) {
        number_ = entry.line;
        refuse(fmt::format("this {}-gram is already in line {}", order, entries_[i - 1].line));
      }
      level.words.push_back(entry.word);
      level.log_probs.push_back(entry.log_prob);
      if (!highest) level.log_backoffs.push_back(entry.log_backoff);
    }
    if (order > 1) set_extent(file_.table.levels.back());
    file_.table.levels.push_back(std::move(level));
    last_context_.clear();
  }

  void set_extent(NgramLevel& level) const {
    level.extent.assign(level.words.size() + 1, 0);
    for (const Entry& entry : entries_) ++level.extent[entry.context + 1];
    for (std::size_t i = 1; i < level.extent.size(); ++i) level.extent[i] += level.extent[i - 1];
  }

  std::string path_;
  LineReader lines_;
  std::string line_;
  std::size_t indent_ = 0;  // blanks before line_
  std::int64_t number_ = 0;
  bool ended_ = false;
  std::vector<std::int64_t> counts_;  // of n-grams, by order
  std::vector<Field> fields_;         // of line_
  std::vector<Entry> entries_;        // of the current order
  std::vector<std::uint32_t> context_;
  std::vector<std::uint32_t> last_context_;
  std::uint32_t last_node_ = 0;
  ArpaFile file_;
};

}  // namespace

ArpaFile read_arpa(const std::string& path) { return ArpaReader(path).read(); }

}  // namespace unroll
