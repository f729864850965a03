#include <fmt/core.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/shards/merged_shards.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

struct MergeCommand {
  std::vector<std::string> files;
  std::string output;  // empty: standard output
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

std::optional<MergeCommand> parse_merge(const std::vector<std::string>& arguments) {
  MergeCommand command;
  Flags flags(
      "unroll merge FILE... [flags]",
      "Joins the files that all shards of a verb wrote with --output, in order: the bytes that one process would "
      "have written. Totals are added from exact sums of each line, in order, so that perplexity, error rates and "
      "accuracies have the bits of one process. It is an error if a shard is missing or given twice, if shards are "
      "of different models, texts or options, and if a file is not what was written.");
  flags.heading("Flags");
  flags.path({"--output", "FILE", "write the joined file here, and the totals to standard output",
              "the joined file to standard output, and the totals to standard error"},
             &command.output);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.toggle({"--json", "", "totals as one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no totals on standard error", ""}, &command.quiet);
  flags.example("unroll merge scores.1 scores.2 scores.3 --output scores.txt",
                "One file of three shards, and its totals.");
  flags.example("unroll merge report.* --json", "What unroll eval --json says of the whole text.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  if (command.files.empty()) {
    throw Error(ErrorCode::kUsage, "which FILEs? Give those that all shards wrote with --output");
  }
  std::vector<std::string> inputs = command.files;
  for (const std::string& file : command.files) inputs.push_back(side_path(file));
  if (!command.output.empty()) expect_output("--output", command.output, inputs, command.overwrite);
  return command;
}

void note_instruction_sets(const MergedShards& shards, Terminal& terminal) {
  std::string sets;
  for (const std::string& set : shards.instruction_sets()) sets += (sets.empty() ? "" : "; ") + set;
  if (shards.instruction_sets().size() < 2) return;
  terminal.line(
      fmt::format("unroll: warning: the shards were computed with different instruction sets ({}), whose last "
                  "bits may differ from those of one process; UNROLL_MAX_ISA makes them alike",
                  sets));
}

void print_lines(const std::string& text, Terminal& terminal) {
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = text.find('\n', first);
    terminal.line(std::string_view(text).substr(first, end - first));
    first = end + 1;
  }
}

}  // namespace

int run_merge(const std::vector<std::string>& arguments) {
  const std::optional<MergeCommand> command = parse_merge(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  const MergedShards shards(command->files);
  note_instruction_sets(shards, terminal);
  const std::unique_ptr<UnitTotals> totals = shards.totals();
  const std::string report = totals->report(command->json);
  Output out;
  if (command->output.empty()) {
    shards.write(*totals, command->json, out);
    out.flush();
    print_lines(report, terminal);
    return 0;
  }
  OutputFile file(command->output);
  Output joined([&file](std::string_view bytes) { file.write(bytes); });
  shards.write(*totals, command->json, joined);
  joined.flush();
  file.finish();
  out.write(report);
  out.flush();
  return 0;
}

}  // namespace unroll
