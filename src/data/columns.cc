#include "unroll/data/columns.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/names.h"
#include "base/quote.h"
#include "data/column_layout.h"
#include "data/text_file.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view format_name(ColumnFormat format) noexcept {
  switch (format) {
    case ColumnFormat::kColumns:
      return "columns";
    case ColumnFormat::kConllu:
      return "conllu";
    case ColumnFormat::kText:
      return "text";
  }
  return {};
}

struct WaitingLine {
  std::string bytes;
  bool whole = false;  // a line end follows

  [[nodiscard]] std::string_view text() const noexcept { return without_carriage_return(bytes); }
};

}  // namespace

std::string_view column_format_name(ColumnFormat format) noexcept { return format_name(format); }

ColumnFormat parse_column_format(std::string_view name) {
  return parse_name<ColumnFormat, format_name>("format of columns", name);
}

struct ColumnReader::Impl {
  Impl(const std::string& its_path, const ColumnOptions& its_options)
      : path(its_path), name(text_name(its_path)), options((check(its_options), its_options)), reader(its_path) {}

  bool next(ColumnSentence& sentence) {
    if (failure) throw Error(*failure);
    try {
      if (!layout) find_layout();
      return read_sentence(sentence);
    } catch (const Error& error) {
      failure = error;
      throw;
    }
  }

  bool ready() {
    while (!holds_sentence()) {
      if (ended) return true;
      if (!reader.ready()) return false;
      wait_for_line();
    }
    return true;
  }

 private:
  friend class ColumnReader;

  // Reads a line that next() has not come to yet; false at the end.
  bool wait_for_line() {
    WaitingLine line;
    ended = !reader.next(line.bytes);
    if (ended) return false;
    line.whole = reader.line_was_whole();
    waiting.push_back(std::move(line));
    return true;
  }

  // Whether a whole sentence waits: a blank line after one that is not, or any line of text.
  bool holds_sentence() {
    if (layout && layout->format == ColumnFormat::kText) return !waiting.empty();
    for (; searched < waiting.size(); ++searched) {
      const bool blank = is_blank(waiting[searched].bytes);
      if (blank && words_wait) return true;
      words_wait |= !blank && !waiting[searched].bytes.starts_with('#');
    }
    return false;
  }

  // Reads the lines that the layout depends on. Where all are comments, the first of these decides.
  void find_layout() {
    std::vector<std::string> lines;
    std::optional<std::size_t> first;
    bool after_start = false;
    const std::size_t wanted = options.format || path == "-" ? 1 : kLinesToLookAt;
    for (std::size_t i = 0; lines.size() < wanted && (i < waiting.size() || wait_for_line()); ++i) {
      const std::string_view text = waiting[i].text();
      if (is_blank(text) && !lines.empty()) break;
      if (is_blank(text) || text.starts_with('#')) continue;
      if (options.format != ColumnFormat::kText && is_document_start(text)) {
        after_start = true;
        continue;
      }
      if (!first) first = i;
      lines.emplace_back(text);
    }
    if (!first) {
      const auto comment = std::ranges::find_if(waiting, [](const auto& line) { return line.bytes.starts_with('#'); });
      if (comment == waiting.end()) {
        layout = ColumnLayout{.format = find_format(path, options, {}, after_start)};
        return;
      }
      first = static_cast<std::size_t>(comment - waiting.begin());
      lines.emplace_back(comment->text());
    }
    const ColumnLine line{.bytes = lines.front(), .number = static_cast<std::int64_t>(*first) + 1};
    layout = layout_of(find_format(path, options, lines, after_start), options, name, line);
  }

  bool read_sentence(ColumnSentence& sentence) {
    sentence = ColumnSentence{.format = layout->format};
    if (layout->tag_is_new()) sentence.separator = layout->tabs ? "\t" : " ";
    while (!waiting.empty() || wait_for_line()) {
      if (number == 0 && reader.had_byte_order_mark()) sentence.bytes = "\xEF\xBB\xBF";
      if (begins_document(waiting.front())) {
        if (!sentence.words.empty()) return true;
        sentence.after_boundary = true;
      }
      const WaitingLine line = std::move(waiting.front());
      waiting.pop_front();
      searched = 0;
      words_wait = false;
      ++number;
      const bool done = read_line({line.text(), number}, sentence);
      sentence.bytes += line.bytes;
      if (line.whole) sentence.bytes += '\n';
      if (done) return true;
    }
    return !sentence.bytes.empty();
  }

  [[nodiscard]] bool begins_document(const WaitingLine& line) const noexcept {
    return layout->format == ColumnFormat::kColumns && is_document_start(line.text());
  }

  // Takes a line into the sentence, whose bytes end before it; returns whether the sentence is complete.
  bool read_line(const ColumnLine& line, ColumnSentence& sentence) {
    if (layout->format == ColumnFormat::kText) {
      read_words(line, sentence);
      return true;
    }
    if (is_blank(line.bytes)) return !sentence.words.empty();
    if (layout->format == ColumnFormat::kColumns && is_document_start(line.bytes)) return false;
    split_columns(line.bytes, layout->tabs, columns);
    if (!is_comment(line.bytes, sentence) && has_word(line)) read_row(line, sentence);
    return false;
  }

  [[nodiscard]] bool is_comment(std::string_view line, const ColumnSentence& sentence) const noexcept {
    if (!line.starts_with('#')) return false;
    return layout->format == ColumnFormat::kConllu || (sentence.words.empty() && columns.size() != layout->columns);
  }

  void read_words(const ColumnLine& line, ColumnSentence& sentence) {
    split_columns(line.bytes, false, columns);
    for (const ColumnPlace& column : columns) sentence.words.push_back(checked(line, column, "word"));
    if (!columns.empty()) sentence.line = line.number;
  }

  // Whether the row of a file has a word; the other rows of CoNLL-U are ranges and empty nodes.
  bool has_word(const ColumnLine& line) const {
    expect_columns(line);
    if (layout->format != ColumnFormat::kConllu) return true;
    const ConlluId id = conllu_id(columns.front().of(line.bytes));
    if (id != ConlluId::kNone) return id == ConlluId::kWord;
    refuse_column(name, line, 0,
                  fmt::format("the id is {}: expected a number, a range such as 1-2, or an empty node such as 1.1",
                              quote(columns.front().of(line.bytes))));
  }

  void expect_columns(const ColumnLine& line) const {
    const std::size_t most = std::max(layout->word, layout->tag);
    if (layout->equal_lines ? columns.size() == layout->columns : columns.size() > most) return;
    const bool more = columns.size() > layout->columns;
    const std::size_t at = more ? columns[layout->columns].first : line.bytes.size();
    const std::string expected = layout->format == ColumnFormat::kConllu ? "10 of CoNLL-U"
                                 : layout->equal_lines
                                     ? fmt::format("{}, as in line {}", layout->columns, layout->first_line)
                                     : fmt::format("at least {}", most + 1);
    refuse_column(name, line, at,
                  fmt::format("{} column{} between {}: expected {}", columns.size(), columns.size() == 1 ? "" : "s",
                              layout->tabs ? "tabs" : "blanks", expected));
  }

  void read_row(const ColumnLine& line, ColumnSentence& sentence) {
    sentence.words.push_back(checked(line, columns[layout->word], "word"));
    if (sentence.line == 0) sentence.line = line.number;
    const ColumnPlace end{columns.back().first + columns.back().size, 0};
    const ColumnPlace tag = layout->tag_is_new() ? end : columns[layout->tag];
    if (options.tags_needed) sentence.tags.push_back(checked_tag(line, tag));
    sentence.places.push_back({sentence.bytes.size() + tag.first, tag.size});
  }

  std::string checked_tag(const ColumnLine& line, const ColumnPlace& column) const {
    std::string tag = checked(line, column, "tag");
    if (tag != "_" || !layout->underscore_is_no_tag) return tag;
    refuse_column(name, line, column.first,
                  fmt::format("the word has no tag in column {}: expected a tag, not \"_\"", tag_title()));
  }

  std::string checked(const ColumnLine& line, const ColumnPlace& column, std::string_view what) const {
    const std::string_view text = column.of(line.bytes);
    if (text.empty()) refuse_column(name, line, column.first, fmt::format("the {} is empty", what));
    const std::size_t fault = find_invalid_utf8(text);
    if (fault == std::string_view::npos) return std::string(text);
    refuse_column(name, line, column.first + fault, fmt::format("the {} is not UTF-8", what));
  }

  [[nodiscard]] std::string tag_title() const { return column_title(layout->format, layout->tag); }

  std::string path;
  std::string name;
  ColumnOptions options;
  LineReader reader;
  std::optional<ColumnLayout> layout;  // once lines are read
  std::deque<WaitingLine> waiting;     // lines that are read, but belong to no sentence yet
  std::size_t searched = 0;            // how many of them holds_sentence() has seen
  bool words_wait = false;             // one of those is not blank
  bool ended = false;
  std::int64_t number = 0;           // of the line that was taken last
  std::vector<ColumnPlace> columns;  // of that line
  std::optional<Error> failure;      // what further calls are refused with
};

ColumnReader::ColumnReader(const std::string& path, const ColumnOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {}
ColumnReader::~ColumnReader() = default;
ColumnReader::ColumnReader(ColumnReader&&) noexcept = default;
ColumnReader& ColumnReader::operator=(ColumnReader&&) noexcept = default;
bool ColumnReader::next(ColumnSentence& sentence) { return impl_->next(sentence); }
bool ColumnReader::ready() { return impl_->ready(); }
const std::string& ColumnReader::name() const noexcept { return impl_->name; }
ColumnFormat ColumnReader::format() const noexcept {
  return impl_->layout ? impl_->layout->format : ColumnFormat::kColumns;
}
std::string ColumnReader::tag_column() const { return impl_->layout ? impl_->tag_title() : ""; }

std::string with_tags(const ColumnSentence& sentence, std::span<const std::string> tags) {
  if (tags.size() != sentence.words.size()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} tags for a sentence of {} words", tags.size(), sentence.words.size()));
  }
  std::string written;
  if (sentence.format == ColumnFormat::kText) {
    for (std::size_t i = 0; i < tags.size(); ++i)
      written.append(sentence.words[i]).append("\t").append(tags[i]) += '\n';
    return written += '\n';
  }
  std::size_t done = 0;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const TagPlace& place = sentence.places[i];
    written.append(sentence.bytes, done, place.first - done).append(sentence.separator).append(tags[i]);
    done = place.first + place.size;
  }
  return written.append(sentence.bytes, done);
}

std::int64_t line_of(const ColumnSentence& sentence, std::size_t word) {
  if (sentence.format == ColumnFormat::kText) return sentence.line;
  const auto first = sentence.bytes.begin() + static_cast<std::ptrdiff_t>(sentence.places.at(0).first);
  const auto last = sentence.bytes.begin() + static_cast<std::ptrdiff_t>(sentence.places.at(word).first);
  return sentence.line + std::count(first, last, '\n');
}

}  // namespace unroll
