#include <fmt/core.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/report/sections.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "draw/picture_style.h"
#include "unroll/error.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

struct ReportCommand {
  std::vector<std::string> paths;
  ReportText text;
  std::string save;
  std::string title;
  bool overwrite = false;
  bool quiet = false;
};

std::optional<ReportCommand> parse_report(const std::vector<std::string>& arguments) {
  ReportCommand command;
  Flags flags(
      "unroll report RUN|MODEL... --save FILE.html [--text FILE] [flags]",
      "Writes what is known of training runs and models into one page for browsers and paper, which needs no "
      "other file and no network: curves of runs compared, settings side by side, samples; with a text the lines "
      "that surprise, the flow of gradients, and which label is taken for which. RUN is a training log (train "
      "--log) or a folder of logs and models; six runs and models at most.");
  flags.heading("Flags");
  flags.path({"--save", "FILE", "the page to write; required", ""}, &command.save);
  flags.path({"--text", "FILE",
              "a held-out text for language models; for classifiers and taggers one with labels or tags", ""},
             &command.text.path);
  flags.text({"--title", "TEXT", "the heading of the page", "the names of what it is about"},
             [&command](const std::string& title) { command.title = title; });
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.text.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.text.labelled);
  flags.example("unroll report book.jsonl book.safetensors --text test.txt --save report.html",
                "A run with its log and its model.");
  flags.example("unroll report runs/ --save report.html", "All runs of a folder compared.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.paths = flags.positionals();
  if (command.paths.empty())
    throw Error(ErrorCode::kUsage, "which RUN or MODEL? Give a training log, a model or a folder");
  if (command.save.empty()) throw Error(ErrorCode::kUsage, "where to? Give --save FILE.html");
  if (!command.save.ends_with(".html")) {
    throw Error(ErrorCode::kUsage, fmt::format("--save is '{}': expected a name that ends in .html", command.save));
  }
  if (command.text.path == "-") throw Error(ErrorCode::kUsage, "--text takes the path of a file, not standard input");
  std::vector<std::string> inputs = subject_files(command.paths);
  if (!command.text.path.empty()) inputs.push_back(command.text.path);
  expect_output("--save", command.save, inputs, command.overwrite);
  return command;
}

std::string title_of(const ReportCommand& command, const std::vector<Subject>& subjects) {
  if (!command.title.empty()) return command.title;
  std::string title;
  for (const Subject& subject : subjects) title += (title.empty() ? "" : ", ") + subject.name;
  return title;
}

std::string page_of(const ReportCommand& command, const std::vector<Subject>& subjects, Terminal& terminal) {
  Html body;
  body.open("main");
  body.put("h1", title_of(command, subjects));
  write_overview(body, subjects);
  write_curves(body, subjects);
  write_settings(body, subjects);
  write_samples(body, subjects);
  if (!command.text.path.empty()) {
    write_lines(body, subjects, command.text);
    write_gradients(body, subjects, command.text);
    write_answers(body, subjects, command.text, terminal);
  }
  body.close();
  Html title;
  title.put("title", title_of(command, subjects));
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"generator\" content=\"unroll\">\n{}\n<style>{}{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      title.text(), report_style(), picture_style(), body.text());
}

}  // namespace

int run_report(const std::vector<std::string>& arguments) {
  const std::optional<ReportCommand> parsed = parse_report(arguments);
  if (!parsed) return 0;
  Terminal terminal(parsed->quiet);
  const std::vector<Subject> subjects = read_subjects(parsed->paths);
  OutputFile file(parsed->save);
  file.write(page_of(*parsed, subjects, terminal));
  file.finish();
  terminal.line(fmt::format("report   {}", parsed->save));
  return 0;
}

}  // namespace unroll
