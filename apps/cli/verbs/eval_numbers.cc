#include "cli/verbs/eval_numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/flags/dense_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "draw/shown.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/judge/classification.h"
#include "unroll/label/predictor.h"

namespace unroll {
namespace {

struct EvalNumbersCommand {
  std::string model;
  DenseOptions data;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

std::optional<EvalNumbersCommand> parse_eval_numbers(const std::vector<std::string>& arguments) {
  EvalNumbersCommand command;
  Flags flags("unroll eval MODEL FILE... [flags]",
              "Measures how near the answers of a model of sequences of numbers are to the targets in a file: squared "
              "and absolute error and R2 of numbers, accuracy and F1 of labels.");
  std::string model;
  flags.heading("Evaluation");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &model);
  flags.text({"--task", "NAME", "what the model does: it has to be that of the model", "that of the model"},
             [](const std::string&) {});
  flags.toggle({"--json", "", "one JSON object", ""}, &command.json);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_dense_flags(&flags, &command.data);
  flags.example("unroll eval digits.safetensors t10k-images-idx3-ubyte.gz --targets t10k-labels-idx1-ubyte.gz",
                "The accuracy on MNIST's test set.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(model, &positionals);
  if (positionals.empty()) {
    throw Error(ErrorCode::kUsage, "which FILE? Give the path of sequences of numbers with their targets");
  }
  expect_one_standard_input(positionals);
  command.data.paths = positionals;
  return command;
}

// Throws where the model does not know a label.
std::vector<std::int32_t> known_labels(const Predictions& answers, const DenseData& data) {
  std::vector<std::int32_t> right = right_labels(answers, data);
  const auto unknown = std::ranges::find(right, -1);
  if (unknown != right.end()) {
    const auto at = static_cast<std::size_t>(unknown - right.begin());
    throw Error(ErrorCode::kInput, fmt::format("target {}: the model does not know the label \"{}\"", at + 1,
                                               data.labels[static_cast<std::size_t>(data.label_of[at])]));
  }
  return right;
}

double nats_per_answer(const Predictions& answers, const std::vector<std::int32_t>& right) {
  double sum = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    const double p = answers.answer(i)[static_cast<std::size_t>(right[i])];
    sum -= std::log(std::max(p, std::numeric_limits<double>::min()));
  }
  return sum / static_cast<double>(right.size());
}

std::string optional_number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "–"; }

nlohmann::ordered_json optional_json(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

std::string numbers_table(const Predictions& answers, const std::vector<Regression>& figures) {
  std::size_t widest = 6;
  for (const std::string& name : answers.names) widest = std::max(widest, name.size());
  std::string table = fmt::format("{:<{}}  {:>12}  {:>12}  {:>8}\n", "target", widest, "mse", "mae", "R2");
  for (std::size_t k = 0; k < figures.size(); ++k) {
    table += fmt::format("{:<{}}  {:>12.6g}  {:>12.6g}  {:>8}\n", visible(answers.names[k]), widest, figures[k].mse,
                         figures[k].mae, optional_number(figures[k].r_squared));
  }
  return table;
}

void put_numbers(const Predictions& answers, const std::vector<Regression>& figures, nlohmann::ordered_json& json) {
  for (std::size_t k = 0; k < figures.size(); ++k) {
    json["targets"].push_back({{"name", answers.names[k]},
                               {"mse", figures[k].mse},
                               {"mae", figures[k].mae},
                               {"r_squared", optional_json(figures[k].r_squared)}});
  }
}

std::string labels_table(const Predictions& answers, const Classification& figures, double nats) {
  std::string table = fmt::format("accuracy   {:.2f}%  ({} of {})\n", 100 * figures.exact.share(),
                                  grouped(figures.exact.hits), grouped(figures.exact.of));
  table += fmt::format("loss       {:.4f} nats per answer\n", nats);
  table += fmt::format("macro F1   {}\n\n", optional_number(figures.macro.f1));
  std::size_t widest = 5;
  for (const std::string& name : answers.names) widest = std::max(widest, name.size());
  table += fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", "label", widest, "precision", "recall", "F1", "support");
  for (std::size_t k = 0; k < figures.labels.size(); ++k) {
    const HitCounts& counts = figures.labels[k];
    table += fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", visible(answers.names[k]), widest,
                         optional_number(counts.precision()), optional_number(counts.recall()),
                         optional_number(counts.f1()), grouped(counts.support));
  }
  return table;
}

void put_labels(const Predictions& answers, const Classification& figures, double nats, nlohmann::ordered_json& json) {
  json["accuracy"] = figures.exact.share();
  json["macro_f1"] = optional_json(figures.macro.f1);
  json["nats_per_answer"] = nats;
  for (std::size_t k = 0; k < figures.labels.size(); ++k) {
    const HitCounts& counts = figures.labels[k];
    json["labels"].push_back({{"label", answers.names[k]},
                              {"precision", optional_json(counts.precision())},
                              {"recall", optional_json(counts.recall())},
                              {"f1", optional_json(counts.f1())},
                              {"support", counts.support}});
  }
}

}  // namespace

int evaluate_numbers(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<EvalNumbersCommand> command = parse_eval_numbers(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  Predictor predictor(first.load(command->model), command->threads);
  DenseOptions reading = predictor.reading(command->data);
  reading.targets_needed = true;
  const DenseData data = read_dense(reading);
  const Predictions answers = predictor.predict(data, [&](std::int64_t done, std::int64_t total) {
    if (terminal.live_due()) terminal.live(fmt::format("evaluating  {}%", 100 * done / total));
  });
  nlohmann::ordered_json json = {{"model", command->model}, {"sequences", data.sequences()}, {"steps", data.steps()}};
  std::string table =
      fmt::format("data       {}, {}\n", counted(static_cast<std::int64_t>(data.sequences()), "sequence"),
                  counted(data.steps(), "step"));
  if (answers.label_of.empty()) {
    const std::vector<Regression> figures = judge_predictions(answers, data);
    table += numbers_table(answers, figures);
    put_numbers(answers, figures, json);
  } else {
    const std::vector<std::int32_t> right = known_labels(answers, data);
    const Classification figures = judge_labels(right, answers.label_of, std::ssize(answers.names));
    const double nats = nats_per_answer(answers, right);
    table += labels_table(answers, figures, nats);
    put_labels(answers, figures, nats, json);
    for (const std::string& note : notes_on(figures, answers.names)) terminal.line(note);
  }
  Output out;
  out.write(command->json ? json_line(json) : table);
  out.flush();
  return 0;
}

}  // namespace unroll
