#include "cli/flags/column_flags.h"

#include <string>

namespace unroll {

void declare_column_flags(Flags* flags, ColumnOptions* options) {
  flags->heading("Format of tagged words");
  flags->text(
      {"--format", "NAME",
       "columns: a word per line, a blank line after each sentence; conllu: CoNLL-U; text: a sentence per line, "
       "without tags",
       "by the file's name and first lines"},
      [options](const std::string& value) { options->format = parse_column_format(value); });
  flags->text({"--word-column", "COLUMN", "the column of words: a number from 1, or a name of CoNLL-U", "form, or 1"},
              [options](const std::string& value) { options->word_column = value; });
  flags->text({"--column,--tag-column", "COLUMN",
               "the column of tags: a number from 1, or a name of CoNLL-U such as upos or xpos", "upos, or the last"},
              [options](const std::string& value) { options->tag_column = value; });
}

}  // namespace unroll
