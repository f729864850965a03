#include "cli/flags/data_flags.h"

#include <string>

namespace unroll {

void declare_data_flags(Flags* flags, LabelledTextOptions* options) {
  const auto text = [](std::string* value) { return [value](const std::string& given) { *value = given; }; };
  flags->heading("Format of labelled texts");
  flags->text(
      {"--format", "NAME",
       "label: lines with words like __label__good; tsv, csv: columns; jsonl: a JSON object per line; folders: a "
       "folder per label with a file per text; files: a folder with a file per label and a text per line",
       "by the file's name, or label if its first line has one"},
      [options](const std::string& value) { options->format = parse_text_format(value); });
  flags->text({"--text-column", "NAME", "the column or key of the text; a column may be given by its number, from 1",
               options->text_column},
              text(&options->text_column));
  flags->text({"--label-column", "NAME", "the column or key of the label", options->label_column},
              text(&options->label_column));
  flags->text(
      {"--weight-column", "NAME", "the column or key of a weight, which a text counts in training", "all weigh 1"},
      text(&options->weight_column));
  flags->text({"--label-prefix", "TEXT", "of the format label: how words begin that are labels", options->label_prefix},
              text(&options->label_prefix));
  flags->toggle({"--bare-labels", "", "of the format label: the first word of a line is its label, without prefix", ""},
                &options->bare_labels);
  flags->toggle({"--multi-label", "", "a text may have any number of labels", ""}, &options->multi_label);
  flags->text({"--label-separator", "SEP", "for --multi-label: what stands between labels in a column", "a comma"},
              text(&options->label_separator));
  flags->text({"--encoding", "NAME", "utf-8, or latin1 (Windows-1252)", "utf-8"},
              [options](const std::string& value) { options->encoding = parse_text_encoding(value); });
}

}  // namespace unroll
