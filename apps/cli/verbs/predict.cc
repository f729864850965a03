#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags/asked_task.h"
#include "cli/flags/dense_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/label/predictor.h"

namespace unroll {
namespace {

struct PredictCommand {
  std::string model;
  DenseOptions data;
  int threads = 0;
  bool all = false;
  bool json = false;
  bool quiet = false;
};

std::optional<PredictCommand> parse_predict(const std::vector<std::string>& arguments) {
  PredictCommand command;
  Flags flags(
      "unroll predict MODEL FILE... [flags]",
      "Answers sequences of numbers under a model that was trained on such: a line for each sequence, or for each step "
      "where the model answers steps, in order. A line has the numbers that the model predicts, between tabs, or the "
      "label and its probability. Files are read as in training; targets in them are not needed, and no inputs.");
  std::string model;
  flags.heading("Answers");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &model);
  flags.toggle({"--all", "", "every label with its probability, the most probable one first", ""}, &command.all);
  flags.toggle(
      {"--json", "", "a JSON object per answer: sequence and step, and numbers or label and probabilities", ""},
      &command.json);
  flags.exclusive({"--all", "--json"});
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_dense_flags(&flags, &command.data);
  flags.example("unroll predict sales.safetensors shops.csv --sequence-column shop", "The numbers of each shop.");
  flags.example("unroll predict digits.safetensors t10k-images-idx3-ubyte.gz --json | jq .label", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(model, &positionals);
  if (positionals.empty()) {
    throw Error(ErrorCode::kUsage, "which FILE? Give the path of sequences of numbers; unroll predict --help explains");
  }
  expect_one_standard_input(positionals);
  command.data.paths = positionals;
  return command;
}

// Labels by falling probability; of equal ones the first first.
std::vector<std::size_t> ranked(std::span<const double> probabilities) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t k) { return probabilities[k]; });
  return order;
}

class AnswerWriter {
 public:
  AnswerWriter(const PredictCommand& command, const Predictions& answers, Output& out)
      : command_(command), answers_(answers), out_(out) {}

  // Writes answer `i`: of a sequence, and of its step where steps have one, both from 1.
  void write(std::size_t i, std::size_t sequence, std::int64_t step) {
    out_.write(command_.json ? json_line(as_object(i, sequence, step)) : as_row(i));
  }

 private:
  [[nodiscard]] bool are_labels() const { return !answers_.label_of.empty(); }
  [[nodiscard]] std::size_t label(std::size_t i) const { return static_cast<std::size_t>(answers_.label_of[i]); }

  [[nodiscard]] std::string as_row(std::size_t i) const {
    const std::span<const double> values = answers_.answer(i);
    std::string row;
    const auto add = [&](const std::string& field) { row += (row.empty() ? "" : "\t") + field; };
    const auto add_label = [&](std::size_t k) {
      add(escaped(answers_.names[k]));
      add(fmt::format("{:.9g}", values[k]));
    };
    if (!are_labels()) {
      for (const double value : values) add(fmt::format("{:.9g}", value));
    } else if (command_.all) {
      for (const std::size_t k : ranked(values)) add_label(k);
    } else {
      add_label(label(i));
    }
    return row + '\n';
  }

  [[nodiscard]] nlohmann::ordered_json as_object(std::size_t i, std::size_t sequence, std::int64_t step) const {
    const std::span<const double> values = answers_.answer(i);
    nlohmann::ordered_json object;
    object["sequence"] = sequence;
    if (answers_.per_step) object["step"] = step;
    nlohmann::ordered_json named;
    for (std::size_t k = 0; k < values.size(); ++k) named[answers_.names[k]] = values[k];
    if (are_labels()) {
      object["label"] = answers_.names[label(i)];
      object["probability"] = values[label(i)];
    }
    object[are_labels() ? "probabilities" : "numbers"] = std::move(named);
    return object;
  }

  const PredictCommand& command_;
  const Predictions& answers_;
  Output& out_;
};

void write_answers(const PredictCommand& command, const DenseData& data, const Predictions& answers, Output& out) {
  AnswerWriter writer(command, answers, out);
  std::size_t next = 0;
  for (std::size_t i = 0; i < data.sequences(); ++i) {
    const std::int64_t steps = answers.per_step ? data.length(i) : 1;
    for (std::int64_t step = 1; step <= steps; ++step) writer.write(next++, i + 1, step);
  }
}

}  // namespace

int run_predict(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  const std::optional<PredictCommand> command = parse_predict(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  Predictor predictor(first.load(command->model), command->threads);
  DenseOptions reading = predictor.reading(command->data);
  reading.target = DenseTarget::kNone;
  const DenseData data = read_dense(reading);
  const Predictions answers = predictor.predict(data, [&](std::int64_t done, std::int64_t total) {
    if (terminal.live_due()) terminal.live(fmt::format("predicting  {}%", 100 * done / total));
  });
  if (answers.label_of.empty() && answers.names.size() > 1) {
    std::string names;
    for (const std::string& name : answers.names) names += (names.empty() ? "" : ", ") + name;
    terminal.line("columns  " + names);
  }
  Output out;
  write_answers(*command, data, answers, out);
  out.flush();
  return 0;
}

}  // namespace unroll
