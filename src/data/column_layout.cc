#include "data/column_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/names.h"
#include "base/quote.h"
#include "data/column_number.h"
#include "text/checked_text.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::array<std::string_view, 10> kConlluNames{"id",    "form", "lemma",  "upos", "xpos",
                                                        "feats", "head", "deprel", "deps", "misc"};
constexpr std::string_view kNew = "new";
constexpr std::string_view kDocumentStart = "-DOCSTART-";

// A column from 0, if it is given by number.
std::optional<std::size_t> numbered_column(std::string_view column) noexcept {
  const std::optional<std::size_t> number = column_number(column);
  return number ? std::optional(*number - 1) : std::nullopt;
}

std::optional<std::size_t> conllu_column(std::string_view column) noexcept {
  const auto* const found = std::ranges::find(kConlluNames, column);
  if (found == kConlluNames.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kConlluNames.begin());
}

void check_column(std::string_view field, const std::string& column, bool may_be_new) {
  if (column.empty() || numbered_column(column) || conllu_column(column) || (may_be_new && column == kNew)) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("`{}` is {}: expected a number from 1{} or a column of CoNLL-U, such as upos or xpos", field,
                          quote(column), may_be_new ? ", new," : ""),
              std::string(field));
}

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool ends_as_conllu(std::string_view path) noexcept {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".conllu") || path.ends_with(".conll-u");
}

bool is_conllu_line(std::string_view line) {
  std::vector<ColumnPlace> columns;
  split_columns(line, true, columns);
  return columns.size() == kConlluNames.size() && conllu_id(columns.front().of(line)) != ConlluId::kNone;
}

bool has_letter(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
}

// Whether lines without tabs are rows of columns: they have as many, and tags that are known.
bool are_rows(const ColumnOptions& options, std::span<const std::string> lines) {
  std::vector<ColumnPlace> columns;
  std::size_t known = 0;
  std::size_t with_letters = 0;
  std::size_t first_size = 0;
  for (const std::string& line : lines) {
    split_columns(line, false, columns);
    if (first_size == 0) first_size = columns.size();
    if (columns.size() != first_size) return false;
    const auto usual = numbered_column(options.usual_tag_column);
    const std::size_t last = columns.size() - 1;
    const std::size_t tag = numbered_column(options.tag_column).value_or(std::min(usual.value_or(last), last));
    if (tag >= columns.size()) continue;
    const std::string_view column = columns[tag].of(line);
    if (std::ranges::find(options.known_tags, column) == options.known_tags.end()) continue;
    ++known;
    with_letters += has_letter(column) ? 1U : 0U;
  }
  return first_size == 1 ? lines.size() > 1 : with_letters > 0 && 2 * known >= lines.size();
}

// A column of a layout whose format and number of columns are known, if options name it.
std::optional<std::size_t> named_column(const ColumnLayout& layout, std::string_view field, const std::string& column,
                                        const std::string& name) {
  if (column.empty()) return std::nullopt;
  if (const auto number = numbered_column(column)) return number;
  if (column == kNew) return layout.columns;
  if (layout.format == ColumnFormat::kConllu) return conllu_column(column);
  throw Error(ErrorCode::kUsage,
              fmt::format("`{}` is {}, a column of CoNLL-U, but {} has columns without names: expected a number from 1",
                          field, column, name),
              std::string(field));
}

// The tag column that a model usually finds its tags in, in files of this format.
std::optional<std::size_t> usual_tag_column(const ColumnLayout& layout, const ColumnOptions& options) noexcept {
  if (layout.format == ColumnFormat::kConllu) return conllu_column(options.usual_tag_column);
  const std::optional<std::size_t> number = numbered_column(options.usual_tag_column);
  return number && !options.tags_needed ? std::min(*number, layout.columns) : number;
}

std::size_t default_tag_column(const ColumnLayout& layout, bool tags_needed) noexcept {
  if (layout.format == ColumnFormat::kConllu) return *conllu_column("upos");
  return layout.columns == 1 && !tags_needed ? 1 : layout.columns - 1;
}

void expect_column(const ColumnLayout& layout, std::size_t column, std::string_view what, const std::string& name,
                   const ColumnLine& line) {
  if (column < layout.columns) return;
  refuse_column(name, line, line.bytes.size(),
                fmt::format("{} column{} between {}, but {} are in column {}", layout.columns,
                            layout.columns == 1 ? "" : "s", layout.tabs ? "tabs" : "blanks", what, column + 1));
}

}  // namespace

void split_columns(std::string_view line, bool tabs, std::vector<ColumnPlace>& columns) {
  columns.clear();
  for (std::size_t at = 0; at <= line.size();) {
    if (!tabs) {
      while (at < line.size() && is_ascii_space(line[at])) ++at;
      if (at == line.size()) break;
    }
    std::size_t end = at;
    while (end < line.size() && !(tabs ? line[end] == '\t' : is_ascii_space(line[end]))) ++end;
    ColumnPlace column{at, end - at};
    while (column.size > 0 && is_ascii_space(line[column.first + column.size - 1])) --column.size;
    while (column.size > 0 && is_ascii_space(line[column.first])) ++column.first, --column.size;
    columns.push_back(column);
    at = end + 1;
  }
}

bool is_blank(std::string_view line) noexcept { return std::ranges::all_of(line, is_ascii_space); }

bool is_document_start(std::string_view line) noexcept {
  return line.starts_with(kDocumentStart) &&
         (line.size() == kDocumentStart.size() || is_ascii_space(line[kDocumentStart.size()]));
}

ConlluId conllu_id(std::string_view column) noexcept {
  if (is_digits(column)) return ConlluId::kWord;
  const std::size_t mark = column.find_first_of("-.");
  if (mark == std::string_view::npos) return ConlluId::kNone;
  const bool numbers = is_digits(column.substr(0, mark)) && is_digits(column.substr(mark + 1));
  return numbers ? ConlluId::kOther : ConlluId::kNone;
}

void check(const ColumnOptions& options) {
  if (options.format) expect_enumerator("format", *options.format, column_format_name(*options.format));
  check_column("word_column", options.word_column, false);
  check_column("tag_column", options.tag_column, !options.tags_needed);
  if (options.format == ColumnFormat::kText && options.tags_needed) {
    throw Error(ErrorCode::kUsage, "`format` is text, whose words have no tags: expected columns or conllu", "format");
  }
  if (options.format == ColumnFormat::kConllu && options.tag_column == kNew) {
    throw Error(ErrorCode::kUsage, "`tag_column` is new, but CoNLL-U has ten columns: expected one of them",
                "tag_column");
  }
}

ColumnFormat find_format(const std::string& path, const ColumnOptions& options, std::span<const std::string> lines,
                         bool after_document_start) {
  if (options.format) return *options.format;
  if (ends_as_conllu(path) || (!lines.empty() && is_conllu_line(lines.front()))) return ColumnFormat::kConllu;
  if (options.tags_needed || after_document_start) return ColumnFormat::kColumns;
  if (lines.empty()) return ColumnFormat::kText;
  const bool tabs = lines.front().find('\t') != std::string::npos;
  return tabs || are_rows(options, lines) ? ColumnFormat::kColumns : ColumnFormat::kText;
}

ColumnLayout layout_of(ColumnFormat format, const ColumnOptions& options, const std::string& name,
                       const ColumnLine& line) {
  ColumnLayout layout{.format = format, .first_line = line.number};
  if (format == ColumnFormat::kText) return layout;
  if (format == ColumnFormat::kConllu) {
    layout.tabs = true;
    layout.columns = kConlluNames.size();
    layout.equal_lines = true;
  } else {
    layout.tabs = line.bytes.find('\t') != std::string_view::npos;
    std::vector<ColumnPlace> columns;
    split_columns(line.bytes, layout.tabs, columns);
    layout.columns = columns.size();
  }
  layout.word = named_column(layout, "word_column", options.word_column, name)
                    .value_or(format == ColumnFormat::kConllu ? *conllu_column("form") : 0);
  auto tag = named_column(layout, "tag_column", options.tag_column, name);
  if (!tag) tag = usual_tag_column(layout, options);
  layout.tag = tag.value_or(default_tag_column(layout, options.tags_needed));
  if (!tag && options.tags_needed && layout.columns == 1) {
    refuse_column(name, line, line.bytes.size(), "1 column: expected a word and its tag, with a tab or blanks between");
  }
  expect_column(layout, layout.word, "words", name, line);
  const bool may_be_new = !options.tags_needed && format != ColumnFormat::kConllu;
  if (layout.tag != layout.columns || !may_be_new) expect_column(layout, layout.tag, "tags", name, line);
  if (layout.word == layout.tag) {
    throw Error(ErrorCode::kUsage, fmt::format("words and tags of {} are both in column {}", name, layout.tag + 1),
                "tag_column");
  }
  layout.equal_lines |= !tag || layout.tag_is_new();
  layout.underscore_is_no_tag =
      format == ColumnFormat::kConllu && (layout.tag == conllu_column("upos") || layout.tag == conllu_column("deprel"));
  return layout;
}

std::string column_title(ColumnFormat format, std::size_t column) {
  return format == ColumnFormat::kConllu ? std::string(kConlluNames.at(column)) : fmt::format("{}", column + 1);
}

void refuse_column(const std::string& name, const ColumnLine& line, std::size_t at, const std::string& what) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}, line {}, column {}: {}", name, line.number, column_of(line.bytes, at), what));
}

}  // namespace unroll
