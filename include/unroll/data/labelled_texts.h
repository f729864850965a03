// Texts with labels, as people have them in files: label-first lines, tables, JSON lines, folders.
//
//   LabelledTexts reviews = read_labelled_texts({.paths = {"reviews.csv"}, .label_column = "stars"});
//   expect_trainable(reviews);
//   for (const LabelledText& text : reviews.texts) use(text.text, reviews.labels[text.labels.front()]);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// How texts and labels stand in a file.
//
// Lines end in LF or CR LF; a file without LF may end its lines in CR. White space around a label does not belong to
// it. A label is never empty and holds no line end.
enum class TextFormat {
  // A text per line. Words of the line that begin with the prefix are its labels, wherever they stand, as in fastText:
  // "__label__good __label__long what a film". They and the blanks between them and the text are no part of the text.
  // With `bare_labels`, the first word is the label: "1 what a film".
  kLabel,
  // Columns between tabs, a text on one line. Quotes are characters like others, but in a field that begins and ends
  // with one and has only doubled ones between: that is quoted, as spreadsheets write it.
  kTsv,
  // Columns between commas (RFC 4180): a field in double quotes may hold commas, line ends, and quotes that are
  // doubled. A quote within a field that does not begin with one is a character like others.
  kCsv,
  // An object per line: {"text": "what a film", "label": "good"}. A label is a string, a number or true or false, whose
  // JSON is its name; null, or a list of labels.
  kJsonLines,
  // A folder that holds a folder per label, which holds a file per text. A folder's name is the label.
  kFolders,
  // A folder that holds a file per label, with a text per line. The file's name without extension is the label.
  kFiles,
};

// "label", "tsv", "csv", "jsonl", "folders", "files".
[[nodiscard]] std::string_view text_format_name(TextFormat format) noexcept;

// The format with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] TextFormat parse_text_format(std::string_view name);

// What the bytes of a file are.
enum class TextEncoding {
  kUtf8,
  kLatin1,  // Windows-1252, which is ISO 8859-1 where that has printable characters (as browsers read "latin1")
};

// "utf-8", "latin1".
[[nodiscard]] std::string_view text_encoding_name(TextEncoding encoding) noexcept;
[[nodiscard]] TextEncoding parse_text_encoding(std::string_view name);

struct LabelledTextOptions {
  std::vector<std::string> paths = {};  // files, plain or gzip; folders; "-" is standard input

  // Unset: a folder is kFolders if it has folders, and kFiles if it has files that end in .txt alone; a file that ends
  // in .tsv or .tab, .csv, .jsonl, .ndjson or .json is what its name says; any other is kLabel, if `bare_labels` or the
  // first line that is not blank has a label, or no labels are needed. An end of .gz does not count.
  std::optional<TextFormat> format = {};
  TextEncoding encoding = TextEncoding::kUtf8;

  std::string label_prefix = "__label__";  // of kLabel
  bool bare_labels = false;                // of kLabel: the first word of a line is its label, without prefix

  // Columns of a table, keys of JSON lines. A column may be given by its number, from 1. Unless all columns that are
  // needed are given by number, the first row of a table names the columns.
  std::string text_column = "text";
  std::string label_column = "label";
  std::string weight_column = {};  // empty: every weight is 1

  // Whether a text has exactly one label, or any number, also none. Then the labels of a column are separated.
  bool multi_label = false;
  std::string label_separator = ",";

  // Whether labels must be there. If not, texts without one have none, a table need not have a label column, and blank
  // lines of kLabel (and of a table with one column) are empty texts; else blank lines are skipped. An empty
  // `label_column` then means that labels in columns are not read.
  bool labels_needed = true;
};

// Throws Error{kUsage} naming the field: an empty prefix, separator or column, a column given twice, no path.
void check(const LabelledTextOptions& options);

struct LabelledText {
  std::string text;                       // UTF-8; with line ends within it only from kCsv, kJsonLines, kFolders
  std::vector<std::int32_t> labels = {};  // places in LabelledTexts::labels, ascending
  double weight = 1;                      // finite, at least 0
  std::int32_t file = 0;                  // place in LabelledTexts::files
  std::int64_t line = 0;                  // on which it begins, from 1; 0: the text is the whole file
};

struct LabelledTexts {
  std::vector<LabelledText> texts = {};  // in the order of the files
  std::vector<std::string> labels = {};  // each once, by value if all are whole numbers, else by their bytes
  std::vector<std::string> files = {};   // paths; for kFolders, that of each text
  std::int64_t blank_lines = 0;          // that were skipped
  bool multi_label = false;

  // What messages call the place of a text: "'reviews.csv', line 3".
  [[nodiscard]] std::string place(std::size_t text) const;
};

// Reads the texts of all paths, one file after another, in linear time. Hidden files in folders are skipped, others
// come in the order of their names.
//
// Throws Error{kUsage} as check(), Error{kFile} as read_text() (unroll/text.h), and Error{kInput}, naming file, line
// and column where there are some: a format that cannot be recognised; bytes that are not UTF-8; a text without label
// or with two of them; a label that is empty or holds a line end; a column that does not exist, with those that do;
// rows of different length; a quote that never closes; lines that are not JSON objects, or lack a key; a weight that
// is not a number of at least 0; files without any text, or without any label.
[[nodiscard]] LabelledTexts read_labelled_texts(const LabelledTextOptions& options);

// The format that the end of a file's name says, with or without .gz: kTsv, kCsv, kJsonLines, or none of these.
[[nodiscard]] std::optional<TextFormat> format_of_name(const std::string& path);

// The text of one line of kLabel, without its labels, as read_labelled_texts() reads it. Any line has one: a prefix
// without a label behind it is left out too.
[[nodiscard]] std::string text_of_line(std::string_view line, const LabelledTextOptions& options);

// Throws Error{kInput} if a classifier cannot be trained on the texts: fewer than two labels (with multi_label: one
// that every text has); more than 10,000 labels,
// or more than ten and more than half as many as texts ("51,105 labels in 60,000 texts: is this the right column?");
// no weight above 0.
void expect_trainable(const LabelledTexts& texts);

// Makes texts.labels begin with `labels`, all of them and in their order; labels of the texts that are not among them
// come after these. So a file to test on uses the places of the labels of a model.
void renumber_labels(LabelledTexts& texts, std::span<const std::string> labels);

// Throws Error{kInput} naming the place of the first text with a label that is not among `labels`, those of a model.
void expect_known_labels(const LabelledTexts& texts, std::span<const std::string> labels);

}  // namespace unroll
