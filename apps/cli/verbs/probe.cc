#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/asked_task.h"
#include "cli/flags/column_flags.h"
#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/label_report.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/data_tags.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/data/columns.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/error.h"
#include "unroll/probe/probe.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct ProbeCommand {
  std::string model;
  std::vector<std::string> files;
  std::string valid;  // empty: a part is held out
  LabelledTextOptions texts;
  ColumnOptions columns;
  ProbeOptions options;
  bool of_words = false;
  bool json = false;
  bool quiet = false;

  // Rows of numbers instead of a model.
  [[nodiscard]] bool of_rows() const noexcept { return model.ends_with(".npy"); }
};

void declare_probe(Flags& flags, ProbeCommand& command) {
  flags.heading("Probes");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "NAME", "classify: texts with labels; tag: words with tags, in columns or CoNLL-U",
              "tag for taggers and .conllu, else classify"},
             [](const std::string& value) {
               static_cast<void>(parse_choice(value, {"classify", "tag"}));
             });
  flags.path({"--valid", "FILE", "what probes are tested on", "a part of the other FILEs"}, &command.valid);
  flags.real(
      {"--valid-split", "SHARE",
       "the share that is held out to test on, without --valid, and of the rest to choose the strength of L2", "0.1"},
      {0, 1, false, false}, [&command](double share) { command.options.valid_split = share; });
  flags.toggle({"--control", "",
                "also probe for random labels, one for each distinct word or text: what a probe learns by memory; "
                "selectivity is by how much it is better at its task",
                ""},
               &command.options.control);
  if (!command.of_words) {
    flags.text({"--readout", "NAME", "how the rows of a text become one: last, mean, max or concat", "mean"},
               [&command](const std::string& value) { command.options.readout = parse_readout(value); });
  }
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the texts are given", ""},
             [&command](const std::string& value) { command.options.label = value; });
  flags.heading("Run");
  flags.seed(&command.options.seed);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
}

// A model of any task is probed for any: what the model is must not be taken for what is asked.
std::vector<std::string> without_task(const std::vector<std::string>& arguments) {
  std::vector<std::string> others;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--task") {
      ++i;
    } else if (!arguments[i].starts_with("--task=")) {
      others.push_back(arguments[i]);
    }
  }
  return others;
}

std::optional<ProbeCommand> parse_probe(const std::vector<std::string>& arguments, const FirstModel& first) {
  ProbeCommand command;
  command.of_words = are_about_tags(arguments) || (!asked_task(arguments) && first.task == TaskKind::kTag);
  Flags flags(
      "unroll probe MODEL FILE... [flags]; unroll probe ROWS.npy LABELS [flags]",
      "Tells what a linear model can read off the states of each layer of a network: fits a logistic regression to the "
      "states of labelled texts or tagged words, and prints its accuracy on others, next to that of the most frequent "
      "label. FILE is what train --task classify or tag reads. The states of other programs are probed as an array of "
      "NumPy, with a label for each row on the lines of LABELS (of a line with tabs, in its last column).");
  declare_probe(flags, command);
  command.of_words ? declare_column_flags(&flags, &command.columns) : declare_data_flags(&flags, &command.texts);
  flags.example("unroll probe book.safetensors reviews.txt", "Where a language model knows what a review says.");
  flags.example("unroll probe book.safetensors train.conllu --valid test.conllu --control",
                "Parts of speech, and what of that is memory.");
  flags.example("unroll probe states.npy labels.txt --json | jq .layers", "The states of another program.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  command.model = take_model(command.model, &command.files);
  if (command.files.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give MODEL and then texts with labels");
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.valid);
  expect_one_standard_input(inputs);
  if (command.of_rows() && (command.files.size() > 1 || !command.valid.empty())) {
    throw Error(ErrorCode::kUsage, "rows of numbers come with one file of labels, and a part of them is held out");
  }
  return command;
}

// The label of each row: that of each line, but of one that names columns.
std::vector<std::string> read_labels(const std::string& path, std::int64_t rows) {
  LineReader reader(path);
  std::vector<std::string> labels;
  bool is_table = false;
  for (std::string line; reader.next(line);) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t tab = line.rfind('\t');
    if (labels.empty()) is_table = tab != std::string::npos;
    if (tab != std::string::npos) line.erase(0, tab + 1);
    if (line.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}, line {}: no label: expected one for each row", text_name(path), labels.size() + 1));
    }
    labels.push_back(std::move(line));
  }
  if (is_table && std::ssize(labels) == rows + 1) labels.erase(labels.begin());
  return labels;
}

ProbeReport probe_for(const ProbeCommand& command, const FirstModel& first) {
  if (command.of_rows()) {
    const FloatMatrix rows = read_float_matrix(command.model);
    return probe_rows(rows, read_labels(command.files.front(), rows.rows), command.options);
  }
  const Model model = first.load(command.model);
  if (command.of_words) {
    const TaggedTexts texts = read_tagged_texts(command.files, command.columns);
    if (command.valid.empty()) return probe_words(model, texts, nullptr, command.options);
    const TaggedTexts valid = read_tagged_texts({command.valid}, command.columns);
    return probe_words(model, texts, &valid, command.options);
  }
  LabelledTextOptions options = command.texts;
  options.paths = command.files;
  const LabelledTexts texts = read_labelled_texts(options);
  if (command.valid.empty()) return probe_texts(model, texts, nullptr, command.options);
  options.paths = {command.valid};
  const LabelledTexts valid = read_labelled_texts(options);
  return probe_texts(model, texts, &valid, command.options);
}

std::string wilson_words(const Proportion& proportion) {
  return interval_words(Interval{proportion.low(), proportion.high()});
}

std::string table_of(const ProbeReport& report, bool of_rows) {
  const bool controlled = report.layers.front().control.has_value();
  std::string text = fmt::format("{:<9} {:>8} {:>7} {:>9}  {:<18} {:>9}{}\n", of_rows ? "" : "layer", "numbers", "L2",
                                 "accuracy", "95% interval", "nats", controlled ? "   control  selectivity" : "");
  for (const LayerProbe& layer : report.layers) {
    const std::string name = of_rows ? "rows" : fmt::format("{}", layer.layer);
    text += fmt::format("{:<9} {:>8} {:>7} {:>9.4f}  {:<18} {:>9.4f}", name, layer.columns, layer.l2,
                        layer.accuracy.share(), wilson_words(layer.accuracy), layer.nats);
    if (controlled) text += fmt::format(" {:>9.4f}    {:>9.4f}", layer.control->share(), *layer.selectivity());
    text += '\n';
  }
  return text + fmt::format("{:<9} {:>8} {:>7} {:>9.4f}  {:<18}  {}\n", "majority", "", "",
                            report.majority_accuracy.share(), wilson_words(report.majority_accuracy),
                            escaped(report.majority));
}

nlohmann::ordered_json json_of(const Proportion& proportion) {
  return {{"hits", proportion.hits},
          {"of", proportion.of},
          {"share", proportion.share()},
          {"low", proportion.low()},
          {"high", proportion.high()}};
}

nlohmann::ordered_json json_of(const ProbeReport& report) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerProbe& layer : report.layers) {
    layers.push_back({{"layer", layer.layer},
                      {"numbers", layer.columns},
                      {"l2", layer.l2},
                      {"accuracy", json_of(layer.accuracy)},
                      {"nats", layer.nats},
                      {"train_loss", layer.train_loss},
                      {"converged", layer.converged}});
    if (!layer.control) continue;
    layers.back()["control"] = json_of(*layer.control);
    layers.back()["selectivity"] = *layer.selectivity();
  }
  return {{"layers", std::move(layers)},
          {"majority", {{"label", report.majority}, {"accuracy", json_of(report.majority_accuracy)}}},
          {"train", report.train},
          {"chosen_on", report.chosen_on},
          {"test", report.test},
          {"unknown", report.unknown},
          {"cut_texts", report.cut_texts},
          {"labels", report.labels}};
}

std::vector<std::string> notes_on(const ProbeReport& report) {
  std::vector<std::string> notes;
  notes.push_back(fmt::format("fitted to {} rows; L2 chosen on {}, tested on {}", grouped(report.train),
                              grouped(report.chosen_on), grouped(report.test)));
  if (report.unknown > 0) {
    notes.push_back(fmt::format("the labels of {} rows to test on do not occur in training: they are never right",
                                grouped(report.unknown)));
  }
  if (report.cut_texts > 0) {
    notes.push_back(fmt::format("{} text{} longer than 4,096 tokens, of which the first were read",
                                grouped(report.cut_texts), report.cut_texts == 1 ? " is" : "s are"));
  }
  const bool all_converged = std::ranges::all_of(report.layers, &LayerProbe::converged);
  if (!all_converged) notes.emplace_back("some probes were stopped before the minimum of their loss");
  return notes;
}

}  // namespace

int run_probe(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(without_task(arguments));
  std::optional<ProbeCommand> parsed = parse_probe(arguments, first);
  if (!parsed) return 0;
  ProbeCommand& command = *parsed;
  Terminal terminal(command.quiet);
  command.options.progress = [&](std::int64_t done, std::int64_t all) {
    if (terminal.live_due()) terminal.live(fmt::format("probing layer {} of {}", done, all - 1));
  };
  const ProbeReport report = probe_for(command, first);
  terminal.keep_live();
  for (const std::string& note : notes_on(report)) terminal.line(note);
  Output out;
  out.write(command.json ? json_line(json_of(report)) : table_of(report, command.of_rows()));
  out.flush();
  return 0;
}

}  // namespace unroll
