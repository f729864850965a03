#include "probe/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "text/checked_text.h"
#include "text/lines.h"
#include "text/reading.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

namespace unroll {

bool reads_lines(const NetworkConfig& config) noexcept {
  return config.outputs == 0 && !config.bidirectional && config.characters == 0;
}

TextReader::TextReader(const Model& model) : model_(model) {}

bool TextReader::reads_words() const noexcept { return model_.task().kind == TaskKind::kTag; }

ReadText TextReader::read(const std::string& text, const std::string& name) {
  ReadText read;
  if (reads_words()) {
    check_line(TokenizerKind::kChar, false, {text, name});
    words_.clear();
    for_each_word(text, [&](std::string_view word) {
      read.rows.push_back({.step = std::ssize(words_), .name = word});
      words_.emplace_back(word);
    });
    read.steps = std::ssize(words_);
    return read;
  }
  encode(text, name);
  read = encoded_text();
  read.rows.reserve(tokens_.size());
  for (std::int64_t i = 0; i < std::ssize(tokens_); ++i) {
    const Token& token = tokens_[static_cast<std::size_t>(i)];
    const std::string_view piece =
        std::string_view(text).substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length));
    read.rows.push_back({.step = step_of(i), .name = piece});
  }
  return read;
}

ReadText TextReader::read(const std::vector<std::string>& words, const std::string& name) {
  ReadText read;
  if (reads_words()) {
    words_ = words;
    read.steps = std::ssize(words);
    for (std::int64_t i = 0; i < read.steps; ++i) {
      read.rows.push_back({.step = i, .name = words[static_cast<std::size_t>(i)]});
    }
    return read;
  }
  std::string text;
  std::vector<std::size_t> ends;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
    ends.push_back(text.size());
  }
  encode(text, name);
  read = encoded_text();
  std::int64_t token = -1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto end = static_cast<std::int64_t>(ends[i]);
    while (token + 1 < std::ssize(tokens_) && tokens_[static_cast<std::size_t>(token + 1)].offset < end) ++token;
    read.rows.push_back({.step = std::max<std::int64_t>(0, step_of(token)), .name = words[i]});
  }
  return read;
}

void TextReader::encode(std::string_view text, const std::string& name) {
  if (reads_as_language() && text.find('\n') != std::string_view::npos) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} has a line end at byte {}: a language model reads one line", name, text.find('\n')));
  }
  text_ = text;
  tokens_ = model_.tokenizer().encode_line({text_, name});
  if (reads_as_language() || std::ssize(tokens_) <= kTextSymbols) return;
  ++cut_;
  tokens_.resize(static_cast<std::size_t>(kTextSymbols));
}

ReadText TextReader::encoded_text() const {
  ReadText read{.steps = std::ssize(tokens_) + 1};
  if (!reads_as_language()) return read;
  read.pooled_from = tokens_.empty() ? 0 : 1;
  read.is_zero = tokens_.empty() && model_.begin_policy() == BeginPolicy::kNone;
  return read;
}

std::int64_t TextReader::step_of(std::int64_t token) const noexcept { return token + (reads_as_language() ? 1 : 0); }

void TextReader::append(Examples& examples, const std::function<void()>& appended) {
  if (reads_words()) return append_words(examples, appended);
  if (examples.count() == 0) texts_encoder_.emplace(model_.tokenizer(), model_.task());
  texts_encoder_->append(text_, tokens_, examples);
  appended();
}

void TextReader::append_words(Examples& examples, const std::function<void()>& appended) {
  const std::size_t parts = (words_.size() + kLongestTagged - 1) / kLongestTagged;
  for (std::size_t i = 0; i < parts; ++i) {
    if (examples.count() == 0) words_encoder_.emplace(model_.tokenizer(), model_.task());
    const std::size_t first = i * words_.size() / parts;
    words_encoder_->append(std::span(words_).subspan(first, (i + 1) * words_.size() / parts - first), examples);
    appended();
  }
}

}  // namespace unroll
