#include "cli/flags/dense_flags.h"

#include <string>
#include <vector>

namespace unroll {

void declare_dense_flags(Flags* flags, DenseOptions* options) {
  const auto names = [](std::vector<std::string>* list) {
    return [list](const std::string& value) { *list = split_at_commas(value); };
  };
  flags->heading("Format of numbers");
  flags->text(
      {"--format", "NAME", "csv, tsv: tables; npy: arrays of NumPy; idx: the files of MNIST; .gz of each is unpacked",
       "by the file's name or its first bytes"},
      [options](const std::string& value) { options->format = parse_dense_format(value); });
  flags->text(
      {"--sequence-column", "NAME",
       "each row of a table is a step, and rows with the same value in this column are a sequence; a column may "
       "be given by its number, from 1",
       "each row is a sequence of numbers"},
      [options](const std::string& value) { options->sequence_column = value; });
  flags->text({"--columns", "NAME,...", "the columns of a table that are inputs", "all others"},
              names(&options->columns));
  flags->text(
      {"--target-column", "NAME,...", "the column of a table that has the label, or those of numbers to learn", ""},
      names(&options->target_columns));
  flags->text({"--targets", "FILE,...", "the targets of each array, a file of npy or idx", ""},
              names(&options->target_paths));
  flags->whole({"--step-size", "N", "numbers per step: 1 reads images pixel by pixel",
                "as an array has them; 1 for rows of a table"},
               {1, kLargestSize}, [options](std::int64_t n) { options->step = n; });
}

}  // namespace unroll
