#include "cli/verbs/draw_curves.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "draw/picture_json.h"
#include "draw/pictures/curves.h"
#include "draw/run_log.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

struct DrawCurvesCommand {
  std::vector<std::string> logs;
  std::string save;
  bool overwrite = false;
  bool json = false;
};

std::optional<DrawCurvesCommand> parse_draw_curves(const std::vector<std::string>& arguments) {
  DrawCurvesCommand command;
  Flags flags(
      "unroll draw curves LOG... --save FILE [flags]",
      "Draws training runs from what unroll train --log wrote, next to each other: training loss, held-out loss "
      "and accuracy, learning rate, gradient norm, speed, by step; as SVG, or their numbers as CSV. A run may "
      "still be going on.");
  flags.heading("Flags");
  flags.path({"--save", "FILE", "the picture, where FILE ends in .svg; its numbers, where it ends in .csv", ""},
             &command.save);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.toggle({"--json", "", "print picture and numbers as one JSON object on one line", ""}, &command.json);
  flags.example("unroll draw curves book.jsonl --save book.svg", "One run.");
  flags.example("unroll draw curves small.jsonl large.jsonl --save both.svg", "Two runs compared.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.logs = flags.positionals();
  if (command.logs.empty()) throw Error(ErrorCode::kUsage, "which LOG? Give what unroll train --log wrote");
  if (command.save.empty() && command.json) return command;
  if (!command.save.ends_with(".svg") && !command.save.ends_with(".csv")) {
    throw Error(ErrorCode::kUsage, "expected --save FILE with a name that ends in .svg or .csv, or --json");
  }
  expect_output("--save", command.save, command.logs, command.overwrite);
  return command;
}

}  // namespace

int run_draw_curves(const std::vector<std::string>& arguments) {
  const std::optional<DrawCurvesCommand> command = parse_draw_curves(arguments);
  if (!command) return 0;
  std::vector<LoggedRun> logs;
  for (const std::string& path : command->logs) logs.push_back(read_run_log(path));
  std::vector<NamedRun> runs;
  for (const LoggedRun& log : logs) runs.push_back({.name = log.name, .curves = &log.curves});
  const Picture picture = curves_picture(runs, true);
  if (!command->save.empty()) {
    OutputFile file(command->save);
    file.write(command->save.ends_with(".csv") ? picture_csv(picture.table) : picture.svg);
    file.finish();
  }
  Output out;
  nlohmann::ordered_json told{{"picture", "curves"}};
  told.update(picture_json(picture));
  out.write(command->json ? json_line(told) : visible(picture.sentence) + "\n");
  out.flush();
  return 0;
}

}  // namespace unroll
