#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/adaptation_flags.h"
#include "cli/flags/asked_task.h"
#include "cli/flags/flags.h"
#include "cli/flags/ngram_flags.h"
#include "cli/flags/shell_quoted.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/tune_answers.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/adapt/tune.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct TuneCommand {
  std::string model;
  std::vector<std::string> texts;
  std::string ngram;
  bool lambda = false;  // asked for
  TuneOptions options;
  bool json = false;
  bool quiet = false;
};

// Sets what is named in a list like "temperature,cache", and nothing else.
void set_what(const std::string& list, TuneCommand& command) {
  TuneOptions& options = command.options;
  options.temperature = options.cache = options.dynamic = false;
  for (const std::string& name : split_at_commas(list)) {
    switch (parse_choice(name, {"temperature", "cache", "dynamic", "lambda"})) {
      case 0:
        options.temperature = true;
        break;
      case 1:
        options.cache = true;
        break;
      case 2:
        options.dynamic = true;
        break;
      default:
        command.lambda = true;
    }
  }
}

std::optional<TuneCommand> parse_tune(const std::vector<std::string>& arguments) {
  TuneCommand command;
  Flags flags("unroll tune MODEL TEXT... [flags]",
              "Finds the settings with which eval and score predict a text best: temperature, neural cache, dynamic "
              "evaluation, and the network's share in a mixture with n-grams. Give a validation text, not the one that "
              "is measured in the end. Prints a table of what was tried; its last line has the flags for eval and "
              "score. The model is not changed. Models that classify texts have other flags: --task classify --help "
              "lists them.");
  flags.heading("Search");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "NAME", "what the model does: language or classify, whose flags --help then lists",
              "that of the model"},
             [](const std::string&) {});
  flags.text(
      {"--what", "LIST", "what to find, separated by commas", "temperature,cache,dynamic, and with --ngram lambda"},
      [&command](const std::string& list) { set_what(list, command); });
  flags.path(
      {"--ngram", "FILE", "an ARPA file, to find lambda: the network's share in the mixture with these n-grams", ""},
      &command.ngram);
  flags.whole({"--tokens", "N", "tokens of the text's beginning that dynamic evaluation is tried on",
               fmt::format("{}", command.options.tokens)},
              {1, kLargestCount}, [&command](std::int64_t n) { command.options.tokens = n; });
  flags.text({"--state", "POLICY", "carry: the state is kept from line to line; reset: each line by itself",
              "as the model was trained"},
             [&command](const std::string& value) { command.options.state = parse_state_policy(value); });
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  flags.example("unroll tune words.safetensors valid.txt", "All three, alone and together.");
  flags.example("unroll tune words.safetensors valid.txt --what cache", "The cache alone: less than a minute.");
  flags.example("unroll tune words.safetensors valid.txt --what lambda --ngram words.arpa",
                "The network's share in a mixture with n-grams.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (flags.given("--what") && command.lambda != flags.given("--ngram")) {
    throw Error(ErrorCode::kUsage, "--what lambda and --ngram FILE go together: give both, or neither");
  }
  command.texts = flags.positionals();
  command.model = take_model(command.model, &command.texts);
  if (command.texts.empty()) throw Error(ErrorCode::kUsage, "which TEXT? Give MODEL and then the text to tune on");
  std::vector<std::string> inputs = command.texts;
  inputs.push_back(command.ngram);
  expect_one_standard_input(inputs);
  return command;
}

std::string words_of(const TuneTrial& trial) {
  std::string words = describe(trial.adaptation);
  if (trial.lambda < 1) words += fmt::format("{}lambda {}", words.empty() ? "" : "; ", trial.lambda);
  return words.empty() ? "plain" : words;
}

std::string flags_of(const TuneCommand& command, const TuneTrial& trial) {
  std::string flags = adaptation_as_flags(trial.adaptation);
  if (trial.lambda < 1) {
    flags +=
        fmt::format("{}--ngram {} --lambda {}", flags.empty() ? "" : " ", shell_quoted(command.ngram), trial.lambda);
  }
  return flags;
}

std::string as_row(const TuneTrial& trial) {
  return fmt::format("{:>12.4f}  {:>10}  {}\n", trial.perplexity, grouped(trial.tokens), words_of(trial));
}

std::string as_table(const TuneCommand& command, const TuneResult& result) {
  std::string text = fmt::format("{:>12}  {:>10}  {}\n", "perplexity", "tokens", "settings") + as_row(result.plain);
  for (const TuneTrial& trial : result.trials) text += as_row(trial);
  if (!result.at_end.empty()) {
    std::string names;
    for (const std::string& name : result.at_end) names += (names.empty() ? "" : ", ") + name;
    text += fmt::format("last that was tried, perhaps not the best: {}\n", names);
  }
  text += "best:\n" + as_row(result.best);
  const std::string flags = flags_of(command, result.best);
  return text + fmt::format("flags: {}\n", flags.empty() ? "none, nothing helps" : flags);
}

nlohmann::ordered_json as_object(const TuneTrial& trial) {
  nlohmann::ordered_json object{
      {"tokens", trial.tokens}, {"nats_per_token", trial.nats_per_token}, {"perplexity", trial.perplexity}};
  put_adaptation(&object, trial.adaptation);
  if (trial.lambda < 1) object["lambda"] = trial.lambda;
  return object;
}

std::string as_json(const TuneCommand& command, const TuneResult& result) {
  nlohmann::ordered_json trials = nlohmann::ordered_json::array();
  for (const TuneTrial& trial : result.trials) trials.push_back(as_object(trial));
  return json_line({{"plain", as_object(result.plain)},
                    {"trials", std::move(trials)},
                    {"best", as_object(result.best)},
                    {"at_end", result.at_end},
                    {"flags", flags_of(command, result.best)}});
}

}  // namespace

int run_tune(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  if (first.task == TaskKind::kClassify) return run_tune_answers(arguments, first);
  if (first.task == TaskKind::kTag || first.task == TaskKind::kRegress) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("tune has nothing to choose for a model of the task {}: it chooses thresholds of models that "
                    "classify texts, and settings of adaptation of language models",
                    task_name(first.task)));
  }
  std::optional<TuneCommand> parsed = parse_tune(arguments);
  if (!parsed) return 0;
  TuneCommand& command = *parsed;
  const Model model = first.load(command.model);
  Terminal terminal(command.quiet);
  command.options.progress = [&](const std::string& what, std::int64_t done, std::int64_t total) {
    if (terminal.live_due()) terminal.live(fmt::format("tuning  {}  {}%", what, 100 * done / total));
  };
  if (!command.ngram.empty()) command.options.ngram = read_ngram(command.ngram, &terminal);
  const std::string text = read_texts(command.texts, text_coding(model.tokenizer().kind()));
  const TuneResult result = tune(model, {text, text_name(command.texts)}, command.options);
  Output out;
  out.write(command.json ? as_json(command, result) : as_table(command, result));
  out.flush();
  return 0;
}

}  // namespace unroll
