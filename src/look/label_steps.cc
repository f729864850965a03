#include "look/label_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "label/chains.h"
#include "label/encoding.h"
#include "label/text_windows.h"
#include "text/lines.h"
#include "unroll/error.h"
#include "unroll/task.h"

namespace unroll {
namespace {

// A line as the network reads it.
struct ReadLine {
  std::vector<Token> tokens = {};       // of a classifier
  std::vector<std::string> words = {};  // of a tagger
  std::string_view text = {};

  [[nodiscard]] std::int64_t steps() const { return words.empty() ? std::ssize(tokens) + 1 : std::ssize(words); }
};

std::vector<std::string> words_of_line(std::string_view line) {
  std::vector<std::string> words;
  for_each_word(line, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

ReadLine read_line(const Model& model, std::string_view line, const std::string& name) {
  if (model.task().kind == TaskKind::kTag) return {.words = words_of_line(line), .text = line};
  ReadLine read{.tokens = model.tokenizer().encode_line({line, name}), .text = line};
  if (std::ssize(read.tokens) > kTextSymbols) read.tokens.resize(static_cast<std::size_t>(kTextSymbols));
  return read;
}

// Adds lines to examples and to the steps.
class LineSink {
 public:
  LineSink(const Model& model, std::int64_t most_steps)
      : model_(model),
        left_(most_steps),
        texts_(model.tokenizer(), model.task()),
        words_(model.tokenizer(), model.task()) {}

  void add(ReadLine line) {
    if (line.steps() > left_ && !steps_.texts.empty()) left_ = 0;
    const std::int64_t cut = std::max<std::int64_t>(0, line.steps() - left_);
    steps_.unread += std::min(cut, line.steps());
    if (left_ == 0) return;
    (line.words.empty() ? cut_tokens(line, cut) : line.words.resize(line.words.size() - static_cast<std::size_t>(cut)));
    left_ -= line.steps();
    steps_.texts.push_back({.first = std::ssize(steps_.read), .steps = line.steps()});
    line.words.empty() ? add_tokens(line) : add_words(line);
  }

  [[nodiscard]] const Examples& examples() const noexcept { return examples_; }
  [[nodiscard]] LabelSteps take() { return std::move(steps_); }

 private:
  // The boundary is always read.
  static void cut_tokens(ReadLine& line, std::int64_t cut) {
    line.tokens.resize(line.tokens.size() - std::min(line.tokens.size(), static_cast<std::size_t>(cut)));
  }

  void add_tokens(const ReadLine& line) {
    texts_.append(line.text, line.tokens, examples_);
    std::size_t before = 0;
    for (const Token& token : line.tokens) {
      const auto first = static_cast<std::size_t>(token.offset);
      const std::size_t end = first + static_cast<std::size_t>(token.length);
      steps_.read.emplace_back(line.text.substr(first, end - first));
      steps_.bytes.emplace_back(line.text.substr(before, end - before));
      before = end;
    }
    steps_.read.emplace_back(model_.tokenizer().symbol(model_.tokenizer().boundary()));
    steps_.bytes.emplace_back("\n");
  }

  void add_words(const ReadLine& line) {
    words_.append(line.words, examples_);
    const bool is_first_line = steps_.read.empty();
    for (const std::string& word : line.words) {
      const bool begins = &word == &line.words.front();
      steps_.read.push_back(word);
      steps_.bytes.push_back(fmt::format("{}{}", !begins ? " " : is_first_line ? "" : "\n", word));
    }
  }

  const Model& model_;
  std::int64_t left_;
  TextEncoder texts_;
  WordEncoder words_;
  Examples examples_;
  LabelSteps steps_;
};

}  // namespace

LabelSteps read_label_steps(const Model& model, const NamedText& text, const UnrolledTextOptions& options,
                            Window& window) {
  LineSink sink(model, options.most_steps);
  std::string_view rest = text.text;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = options.one_text ? rest.size() : std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t\r\v\f\n") == std::string_view::npos) continue;
    sink.add(read_line(model, line, options.one_text ? text.name : fmt::format("{}, line {}", text.name, number)));
  }
  if (sink.examples().count() == 0) throw Error(ErrorCode::kInput, text.name + ": it has no text: every line is empty");
  std::vector<std::size_t> all(sink.examples().count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  make_text_window(model.config(), sink.examples(), all, 1, {}, window);
  LabelSteps steps = sink.take();
  for (const WindowText& one : window.texts) {
    for_each_entry(window, one, [&](std::size_t entry) { steps.rows.push_back(static_cast<std::int64_t>(entry)); });
  }
  return steps;
}

}  // namespace unroll
