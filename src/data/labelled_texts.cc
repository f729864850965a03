#include "unroll/data/labelled_texts.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "base/names.h"
#include "base/quote.h"
#include "data/label_numbers.h"
#include "data/text_collector.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_format(TextFormat format) noexcept {
  switch (format) {
    case TextFormat::kLabel:
      return "label";
    case TextFormat::kTsv:
      return "tsv";
    case TextFormat::kCsv:
      return "csv";
    case TextFormat::kJsonLines:
      return "jsonl";
    case TextFormat::kFolders:
      return "folders";
    case TextFormat::kFiles:
      return "files";
  }
  return {};
}

constexpr std::string_view name_of_encoding(TextEncoding encoding) noexcept {
  switch (encoding) {
    case TextEncoding::kUtf8:
      return "utf-8";
    case TextEncoding::kLatin1:
      return "latin1";
  }
  return {};
}

constexpr std::array<std::pair<std::string_view, TextFormat>, 6> kFormatsByEnd{{{".tsv", TextFormat::kTsv},
                                                                                {".tab", TextFormat::kTsv},
                                                                                {".csv", TextFormat::kCsv},
                                                                                {".jsonl", TextFormat::kJsonLines},
                                                                                {".ndjson", TextFormat::kJsonLines},
                                                                                {".json", TextFormat::kJsonLines}}};

// "reviews.CSV.gz": ".csv".
std::string end_of_name(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  std::string end = name.extension().string();
  for (char& c : end) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return end;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return path != "-" && std::filesystem::is_directory(path, ignored);
}

TextFormat format_of_folder(const std::string& path, const std::optional<TextFormat>& asked) {
  if (asked == TextFormat::kFolders || asked == TextFormat::kFiles) return *asked;
  if (asked) {
    throw Error(ErrorCode::kInput, fmt::format("{} is a folder: the format {} reads files (`format`)", text_name(path),
                                               text_format_name(*asked)));
  }
  bool texts_only = true;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_directory(ignored)) return TextFormat::kFolders;
    texts_only = texts_only && end_of_name(name) == ".txt";
  }
  if (texts_only) return TextFormat::kFiles;
  throw Error(ErrorCode::kInput,
              fmt::format("the folder {} holds neither folders, one per label, nor only files that end in .txt: the "
                          "format files reads a folder with a file per label, whatever their names (`format`)",
                          text_name(path)),
              "format");
}

bool first_line_has_label(std::string_view text, std::string_view prefix) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  return find_label(text.substr(0, text.find('\n')), prefix, 0) != std::string_view::npos;
}

TextFormat format_of_file(const TextFile& file, const LabelledTextOptions& options) {
  if (options.format) {
    if (*options.format != TextFormat::kFolders && *options.format != TextFormat::kFiles) return *options.format;
    throw Error(ErrorCode::kInput, fmt::format("{} is not a folder, which the format {} reads (`format`)",
                                               text_name(file.path()), text_format_name(*options.format)));
  }
  if (const std::optional<TextFormat> named = format_of_name(file.path())) return *named;
  if (options.bare_labels || !options.labels_needed || trimmed(file.text()).empty() ||
      first_line_has_label(file.text(), options.label_prefix)) {
    return TextFormat::kLabel;
  }
  throw Error(ErrorCode::kInput,
              fmt::format("{}: the format is not recognised: the name does not end in .tsv, .csv or .jsonl, and the "
                          "first line has no word that begins with {}; name it (`format`), or say that the first word "
                          "of a line is its label (`bare_labels`)",
                          text_name(file.path()), quote(options.label_prefix)),
              "format");
}

void read_path(const std::string& path, TextCollector& collector) {
  const LabelledTextOptions& options = collector.options();
  if (is_folder(path)) {
    if (format_of_folder(path, options.format) == TextFormat::kFolders) return read_label_folders(path, collector);
    return read_label_files(path, collector);
  }
  const TextFile file(path, options.encoding);
  collector.begin_file(path);
  switch (const TextFormat format = format_of_file(file, options)) {
    case TextFormat::kTsv:
    case TextFormat::kCsv:
      return read_table(file, format, collector);
    case TextFormat::kJsonLines:
      return read_json_lines(file, collector);
    case TextFormat::kLabel:
    case TextFormat::kFolders:
    case TextFormat::kFiles:
      return read_label_lines(file, collector);
  }
}

}  // namespace

std::string_view text_format_name(TextFormat format) noexcept { return name_of_format(format); }
TextFormat parse_text_format(std::string_view name) { return parse_name<TextFormat, name_of_format>("format", name); }

std::string_view text_encoding_name(TextEncoding encoding) noexcept { return name_of_encoding(encoding); }
TextEncoding parse_text_encoding(std::string_view name) {
  return parse_name<TextEncoding, name_of_encoding>("encoding", name);
}

void check(const LabelledTextOptions& options) {
  if (options.format) expect_enumerator("format", *options.format, text_format_name(*options.format));
  expect_enumerator("encoding", options.encoding, text_encoding_name(options.encoding));
  if (options.paths.empty()) throw Error(ErrorCode::kUsage, "`paths` is empty: expected at least one file", "paths");
  using Field = std::pair<const char*, const std::string&>;
  const std::array<Field, 3> columns{Field{"text_column", options.text_column},
                                     {"label_column", options.label_column},
                                     {"weight_column", options.weight_column}};
  for (const auto& [field, value] : {Field{"label_prefix", options.label_prefix},
                                     {"label_separator", options.label_separator},
                                     columns[0],
                                     columns[1]}) {
    if (value.empty() && &value == &options.label_column && !options.labels_needed) continue;
    if (value.empty()) throw Error(ErrorCode::kUsage, fmt::format("`{}` is empty", field), field);
  }
  if (std::ranges::any_of(options.label_prefix, is_ascii_space)) {
    throw Error(ErrorCode::kUsage, "`label_prefix` holds white space: expected the beginning of a word",
                "label_prefix");
  }
  for (const auto& [one, other] : {std::pair(0, 1), {0, 2}, {1, 2}}) {
    const auto& [field, value] = columns.at(static_cast<std::size_t>(other));
    const auto& [field_before, value_before] = columns.at(static_cast<std::size_t>(one));
    if (value != value_before || value.empty()) continue;
    throw Error(ErrorCode::kUsage, fmt::format("`{}` and `{}` are both {}", field_before, field, quote(value)), field);
  }
}

std::optional<TextFormat> format_of_name(const std::string& path) {
  const std::string end = end_of_name(path);
  for (const auto& [known, format] : kFormatsByEnd) {
    if (end == known) return format;
  }
  return std::nullopt;
}

std::string LabelledTexts::place(std::size_t text) const {
  const LabelledText& one = texts.at(text);
  const std::string& path = files.at(static_cast<std::size_t>(one.file));
  return one.line == 0 ? text_name(path) : line_place(path, one.line);
}

LabelledTexts read_labelled_texts(const LabelledTextOptions& options) {
  check(options);
  TextCollector collector(options);
  for (const std::string& path : options.paths) {
    const std::size_t before = collector.texts();
    read_path(path, collector);
    if (options.labels_needed && collector.texts() == before) {
      throw Error(ErrorCode::kInput, fmt::format("{} holds no texts", text_name(path)));
    }
  }
  LabelledTexts texts = collector.finish();
  if (options.labels_needed && texts.labels.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no text has a label", text_name(options.paths)));
  }
  return texts;
}

void renumber_labels(LabelledTexts& texts, std::span<const std::string> labels) {
  LabelNumbers known = label_numbers(texts.labels, labels);
  for (LabelledText& text : texts.texts) {
    for (std::int32_t& label : text.labels) label = known.numbers[static_cast<std::size_t>(label)];
    std::ranges::sort(text.labels);
  }
  texts.labels = std::move(known.labels);
}

}  // namespace unroll
