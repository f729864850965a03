#include "cli/flags/data_flags.h"

#include <functional>
#include <string>

namespace unroll {
namespace {

std::function<void(const std::string&)> to(std::string* value) {
  return [value](const std::string& given) { *value = given; };
}

void declare_format(Flags* flags, LabelledTextOptions* options, const std::string& fallback) {
  flags->text(
      {"--format", "NAME",
       "label: lines with words like __label__good; tsv, csv: columns; jsonl: a JSON object per line; folders: a "
       "folder per label with a file per text; files: a folder with a file per label and a text per line",
       fallback},
      [options](const std::string& value) { options->format = parse_text_format(value); });
  flags->text({"--text-column", "NAME", "the column or key of the text; a column may be given by its number, from 1",
               options->text_column},
              to(&options->text_column));
}

void declare_label_words(Flags* flags, LabelledTextOptions* options) {
  flags->text({"--label-prefix", "TEXT", "of the format label: how words begin that are labels", options->label_prefix},
              to(&options->label_prefix));
  flags->toggle({"--bare-labels", "", "of the format label: the first word of a line is its label, without prefix", ""},
                &options->bare_labels);
}

void declare_encoding(Flags* flags, LabelledTextOptions* options) {
  flags->text({"--encoding", "NAME", "utf-8, or latin1 (Windows-1252)", "utf-8"},
              [options](const std::string& value) { options->encoding = parse_text_encoding(value); });
}

}  // namespace

void declare_data_flags(Flags* flags, LabelledTextOptions* options) {
  flags->heading("Format of labelled texts");
  declare_format(flags, options, "by the file's name, or label if its first line has one");
  flags->text({"--label-column", "NAME", "the column or key of the label", options->label_column},
              to(&options->label_column));
  flags->text(
      {"--weight-column", "NAME", "the column or key of a weight, which a text counts in training", "all weigh 1"},
      to(&options->weight_column));
  declare_label_words(flags, options);
  flags->toggle({"--multi-label", "", "a text may have any number of labels", ""}, &options->multi_label);
  flags->text({"--label-separator", "SEP", "for --multi-label: what stands between labels in a column", "a comma"},
              to(&options->label_separator));
  declare_encoding(flags, options);
}

void declare_text_flags(Flags* flags, LabelledTextOptions* options) {
  flags->heading("Format of texts, whose labels are not read");
  declare_format(flags, options, "by the file's name, or a text per line");
  declare_label_words(flags, options);
  declare_encoding(flags, options);
}

void declare_task_of_data(Flags* flags) {
  flags->text({"--task", "NAME", "classify: texts with labels; tag: words with tags, in columns or CoNLL-U",
               "classify; tag for .conllu"},
              [](const std::string& value) {
                static_cast<void>(parse_choice(value, {"classify", "tag"}));
              });
}

}  // namespace unroll
