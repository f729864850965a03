#include "cli/verbs/data_tags.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "cli/flags/asked_task.h"
#include "cli/flags/column_flags.h"
#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/output.h"
#include "cli/streams/tag_table.h"
#include "cli/streams/terminal.h"
#include "json/json_text.h"
#include "unroll/data/tag_report.h"
#include "unroll/error.h"

namespace unroll {
namespace {

bool ends_as_conllu(std::string_view argument) {
  if (argument.ends_with(".gz")) argument.remove_suffix(3);
  return argument.ends_with(".conllu") || argument.ends_with(".conll-u");
}

struct DataTagsCommand {
  std::vector<std::string> files;
  std::string test;  // empty: none
  ColumnOptions columns;
  bool json = false;
  bool quiet = false;
};

std::optional<DataTagsCommand> parse_data_tags(const std::vector<std::string>& arguments) {
  DataTagsCommand command;
  Flags flags("unroll data FILE... [--test FILE] [flags]",
              "Describes tagged words before a network is trained on them: how many there are of each tag, how long "
              "sentences are, which scheme of spans the tags follow, and what seems wrong with them.");
  flags.heading("Flags");
  declare_task_of_data(&flags);
  flags.path({"--test", "FILE", "sentences to test on: tags that training lacks, and sentences that stand in both", ""},
             &command.test);
  flags.toggle({"--json", "", "one JSON object on one line, with every tag", ""}, &command.json);
  flags.toggle({"--quiet", "", "no warnings on standard error", ""}, &command.quiet);
  declare_column_flags(&flags, &command.columns);
  flags.example("unroll data train.conllu --column xpos --test test.conllu", "Tags of a column of CoNLL-U.");
  flags.example("unroll data train.txt --task tag --json | jq .train.scheme", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  if (command.files.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give tagged words, or - to read them");
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.test);
  expect_one_standard_input(inputs);
  return command;
}

}  // namespace

bool are_about_tags(const std::vector<std::string>& arguments) {
  if (const std::optional<TaskKind> asked = asked_task(arguments)) return *asked == TaskKind::kTag;
  std::string_view before;
  for (const std::string& argument : arguments) {
    if (argument == "--format=columns" || argument == "--format=conllu") return true;
    if (before == "--format" && (argument == "columns" || argument == "conllu")) return true;
    if (ends_as_conllu(argument)) return true;
    before = argument;
  }
  return false;
}

int run_data_tags(const std::vector<std::string>& arguments) {
  const std::optional<DataTagsCommand> parsed = parse_data_tags(arguments);
  if (!parsed) return 0;
  const DataTagsCommand& command = *parsed;
  const Terminal terminal(command.quiet);
  const TaggedTexts train = read_tagged_texts(command.files, command.columns);
  std::optional<TaggedTexts> test;
  if (!command.test.empty()) test = read_tagged_texts({command.test}, command.columns);
  const TagReport report = describe_tags(train, test ? &*test : nullptr);
  Output out;
  out.write(command.json ? json_line(tag_json(report)) : tag_table(report));
  out.flush();
  return 0;
}

}  // namespace unroll
