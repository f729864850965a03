#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/data_table.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/data_tags.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/data/data_report.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct DataCommand {
  LabelledTextOptions options;  // with the paths of the texts to train on
  std::string test;             // empty: none
  bool json = false;
  bool quiet = false;
};

std::optional<DataCommand> parse_data(const std::vector<std::string>& arguments) {
  DataCommand command;
  Flags flags(
      "unroll data FILE... [--test FILE] [flags]",
      "Describes labelled texts before a network is trained on them: how many there are of each label, how long "
      "they are, which are empty or repeated, and what seems wrong with them.");
  flags.heading("Flags");
  declare_task_of_data(&flags);
  flags.path({"--test", "FILE", "texts to test on: labels that training lacks, and texts that stand in both", ""},
             &command.test);
  flags.toggle({"--json", "", "one JSON object on one line, with every label", ""}, &command.json);
  flags.toggle({"--quiet", "", "no warnings on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.options);
  flags.example("unroll data reviews.csv --label-column stars", "How many reviews there are of each number of stars.");
  flags.example("unroll data train.txt --test test.txt", "Which texts to test on stand in training too.");
  flags.example("unroll data names/ --json | jq .labels", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.options.paths = flags.positionals();
  if (command.options.paths.empty())
    throw Error(ErrorCode::kUsage, "which FILE? Give labelled texts, or - to read them");
  std::vector<std::string> inputs = command.options.paths;
  inputs.push_back(command.test);
  expect_one_standard_input(inputs);
  return command;
}

}  // namespace

int run_data(const std::vector<std::string>& arguments) {
  if (are_about_tags(arguments)) return run_data_tags(arguments);
  const std::optional<DataCommand> parsed = parse_data(arguments);
  if (!parsed) return 0;
  const DataCommand& command = *parsed;
  const Terminal terminal(command.quiet);
  const LabelledTexts train = read_labelled_texts(command.options);
  std::optional<LabelledTexts> test;
  if (!command.test.empty()) {
    LabelledTextOptions options = command.options;
    options.paths = {command.test};
    test = read_labelled_texts(options);
  }
  const DataReport report = describe_data(train, test ? &*test : nullptr);
  Output out;
  out.write(command.json ? json_line(data_json(report)) : data_table(report));
  out.flush();
  return 0;
}

}  // namespace unroll
