#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cli/flags/accounting_flags.h"
#include "cli/flags/adaptation_flags.h"
#include "cli/flags/asked_task.h"
#include "cli/flags/flags.h"
#include "cli/flags/ngram_flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/eval_labels.h"
#include "cli/verbs/eval_numbers.h"
#include "cli/verbs/eval_pairs.h"
#include "cli/verbs/eval_tags.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Nobody needs a progress line for what is over before they read it.
constexpr double kSilentSeconds = 2;

struct EvalCommand {
  std::vector<std::string> models;
  std::vector<std::string> texts;
  EvaluateOptions options;
  NgramFlags ngram;
  PairsCommand pairs;
  bool json = false;
  bool quiet = false;
};

// Pairs are scored by a single, unadapted model, each sentence by itself.
void check_pairs(const Flags& flags, const EvalCommand& command) {
  if (command.models.size() > 1 || !command.texts.empty()) {
    throw Error(ErrorCode::kUsage, "--pairs takes one MODEL and no TEXT");
  }
  if (flags.given("--state") || flags.given("--begin") || flags.given("--exact") ||
      command.options.adaptation != Adaptation{} || flags.given("--ngram")) {
    throw Error(
        ErrorCode::kUsage,
        "--pairs scores each sentence by itself with the model alone: leave --state, --begin, --exact, adaptation "
        "and --ngram out");
  }
  if (flags.given("--unk")) {
    throw Error(ErrorCode::kUsage, "--pairs always scores unknown words: leave --unk out");
  }
}

std::optional<EvalCommand> parse_eval(const std::vector<std::string>& arguments) {
  EvalCommand command;
  Flags flags("unroll eval MODEL... TEXT... [flags]; unroll eval MODEL --pairs FILE|DIR",
              "Measures how well a model predicts a text: the mean loss of its tokens, perplexity, bits per character. "
              "Several texts are read as one; .gz is unpacked; - is standard input. Several models of the same "
              "vocabulary are averaged: what ends in .safetensors or begins like a model file is a model.");
  std::string model;
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &model);
  flags.text({"--task", "NAME",
              "what the model does: language, classify or tag, whose flags --help then lists; models for other tasks "
              "than language have flags of their own",
              "that of the model"},
             [](const std::string&) {});
  flags.text({"--state", "POLICY", "carry: the state is kept from line to line; reset: each line by itself",
              "as the model was trained"},
             [&command](const std::string& value) { command.options.state = parse_state_policy(value); });
  flags.toggle(
      {"--exact", "",
       "with --state carry: read the text as one piece, instead of pieces that are each warmed up on the 256 tokens "
       "before them; slower",
       ""},
      &command.options.exact);
  AccountingFlags accounting;
  accounting.declare_begin(&flags);
  accounting.declare_counting(&flags);
  flags.heading("Minimal pairs, instead of a text");
  flags.path({"--pairs", "FILE|DIR",
              "how often the acceptable sentence is the more probable one: BLiMP's .jsonl, lines of good, tab, bad, or "
              "SyntaxGym's .json suites; or a folder of them",
              ""},
             &command.pairs.path);
  flags.toggle({"--items", "", "also the numbers of each pair", ""}, &command.pairs.items);
  AdaptationFlags adaptation;
  adaptation.declare(&flags);
  command.ngram.declare(&flags);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  flags.example("unroll eval book.safetensors other.txt", "A table for people.");
  flags.example("unroll eval book.safetensors other.txt --json",
                "The same numbers, and all their digits, for programs.");
  flags.example("unroll eval a.safetensors b.safetensors c.safetensors other.txt",
                "Each model alone, and the average of their probabilities.");
  flags.example("unroll eval words.safetensors test.txt --ngram words.arpa --lambda 0.6",
                "The network, the n-grams and their mixture.");
  flags.example("unroll eval book.safetensors --pairs blimp/",
                "Accuracy of each paradigm with confidence intervals, with and without unknown words.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.options.adaptation = adaptation.adaptation(flags);
  command.ngram.check(flags);
  const Accounting counted = accounting.accounting(flags, StatePolicy::kReset);
  command.options.begin = counted.begin;
  command.options.end = counted.end;
  command.options.unknown = counted.unknown;
  command.options.unknown_words = counted.unknown_words;
  command.texts = flags.positionals();
  command.models = {take_model(model, &command.texts)};
  const auto first_text = std::stable_partition(command.texts.begin(), command.texts.end(), is_model_file);
  command.models.insert(command.models.end(), command.texts.begin(), first_text);
  command.texts.erase(command.texts.begin(), first_text);
  if (flags.given("--items") && command.pairs.path.empty()) {
    throw Error(ErrorCode::kUsage, "--items is for --pairs: give both or neither");
  }
  if (!command.pairs.path.empty()) {
    check_pairs(flags, command);
    command.pairs.end = command.options.end;
    command.pairs.json = command.json;
    command.pairs.threads = command.options.threads;
    return command;
  }
  if (command.texts.empty()) throw Error(ErrorCode::kUsage, "which TEXT? Give MODEL and then the text to predict");
  std::vector<std::string> inputs = command.texts;
  inputs.push_back(command.ngram.path());
  expect_one_standard_input(inputs);
  return command;
}

double tokens_per_s(const Evaluation& result) {
  return result.seconds > 0 ? static_cast<double>(result.tokens) / result.seconds : 0;
}

nlohmann::ordered_json as_object(const Evaluation& result) {
  return {{"tokens", result.tokens},
          {"nats_per_token", result.nats_per_token},
          {"perplexity", result.perplexity},
          {"perplexity_without_unknown", result.perplexity_without_unknown},
          {"bits_per_char", result.bits_per_char},
          {"bits_per_byte", result.bits_per_byte},
          {"unknown_tokens", result.unknown_tokens},
          {"characters", result.characters},
          {"bytes", result.bytes},
          {"comparable", result.comparable},
          {"state", state_policy_name(result.state)},
          {"begin", begin_policy_name(result.begin)},
          {"exact", result.exact}};
}

// The precisions of all models, each once.
std::string precision_words(const std::vector<Model>& models) {
  std::string words;
  for (const Model& model : models) {
    const std::string name(precision_name(model.precision()));
    if (words.find(name) == std::string::npos) words += (words.empty() ? "" : ", ") + name;
  }
  return words;
}

// The evaluation of everything that predicts, together.
const Evaluation& together(const AverageEvaluation& all) { return all.ngram ? all.ngram->mix : all.average; }

nlohmann::ordered_json loss_of(const Evaluation& evaluation) {
  return {{"nats_per_token", evaluation.nats_per_token}, {"perplexity", evaluation.perplexity}};
}

// Whether line ends are scored.
bool scores_ends(const EvaluateOptions& options, const Tokenizer& tokenizer) {
  return options.end && tokenizer.boundary() >= 0;
}

std::string as_json(const EvalCommand& command, const std::vector<Model>& models, const AverageEvaluation& result) {
  nlohmann::ordered_json object = as_object(together(result));
  object["precision"] = precision_words(models);
  object["end"] = scores_ends(command.options, models.front().tokenizer());
  object["unknown"] = unknown_policy_name(command.options.unknown);
  if (command.options.unknown == UnknownPolicy::kShare) object["unknown_words"] = command.options.unknown_words;
  put_adaptation(&object, command.options.adaptation);
  if (result.ngram) {
    put_ngram(&object, command.options.ngram);
    object["ngram"].update(loss_of(result.ngram->ngram));
    object["network"] = loss_of(result.average);
  }
  object["tokens_per_s"] = tokens_per_s(together(result));
  if (models.size() > 1) {
    nlohmann::ordered_json& list = object["models"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < models.size(); ++i) {
      nlohmann::ordered_json entry;
      entry["model"] = command.models[i];
      entry.update(loss_of(result.models[i]));
      list.push_back(std::move(entry));
    }
  }
  return json_line(object);
}

std::string state_words(const Evaluation& result) {
  if (result.state == StatePolicy::kReset) return "reset: each line by itself";
  return result.exact ? "carry: one piece (exact)" : "carry: in pieces, each warmed on the 256 tokens before it";
}

std::string counted_words(const EvaluateOptions& options, const Tokenizer& tokenizer) {
  const Accounting accounting{.unknown = options.unknown, .unknown_words = options.unknown_words};
  const bool refused = tokenizer.unknown() < 0 && tokenizer.kind() != TokenizerKind::kByte;
  return fmt::format("line ends {}; unknown tokens {}", scores_ends(options, tokenizer) ? "scored" : "not scored",
                     refused ? "refused" : unknown_words(accounting));
}

std::string as_table(const EvalCommand& command, const std::vector<Model>& models, const AverageEvaluation& all) {
  const Evaluation& result = together(all);
  const std::string_view note =
      result.comparable ? "" : "  (not comparable: the tokenizer loses text, or tokens are unknown or given)";
  std::string text;
  if (models.size() > 1) {
    for (std::size_t i = 0; i < models.size(); ++i) {
      text += fmt::format("model {:<15} {:.4f}  {}\n", i + 1, all.models[i].perplexity, visible(command.models[i]));
    }
    text += fmt::format("average of {} models{}\n", models.size(),
                        all.ngram ? fmt::format(":     {:.4f}", all.average.perplexity) : ":");
  }
  if (all.ngram) {
    if (models.size() == 1) text += fmt::format("network               {:.4f}\n", all.average.perplexity);
    text += fmt::format("n-grams               {:.4f}\n", all.ngram->ngram.perplexity);
    text += fmt::format("mixture of {}:\n", describe(command.options.ngram));
  }
  text += fmt::format("tokens                {}\n", grouped(result.tokens));
  text += fmt::format("unknown tokens        {}\n", grouped(result.unknown_tokens));
  text += fmt::format("nats per token        {:.5f}\n", result.nats_per_token);
  text += fmt::format("perplexity            {:.4f}\n", result.perplexity);
  text += fmt::format("  without unknown     {:.4f}\n", result.perplexity_without_unknown);
  text += fmt::format("bits per character    {:.5f}{}\n", result.bits_per_char, note);
  text += fmt::format("bits per byte         {:.5f}{}\n", result.bits_per_byte, note);
  text += fmt::format("characters, bytes     {}, {}\n", grouped(result.characters), grouped(result.bytes));
  text += fmt::format("state                 {}\n", state_words(result));
  if (result.begin == BeginPolicy::kNone) text += "begin                 none: the first token is given\n";
  text += fmt::format("counted               {}\n", counted_words(command.options, models.front().tokenizer()));
  text += fmt::format("precision             {}\n", precision_words(models));
  if (const std::string words = describe(command.options.adaptation); !words.empty()) {
    text += fmt::format("adaptation            {}\n", words);
  }
  text += fmt::format("speed                 {} tokens/s\n", grouped(static_cast<std::int64_t>(tokens_per_s(result))));
  return text;
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  if (first.model && first.model->config().vocabulary == 0) return evaluate_numbers(arguments, first);
  if (first.task == TaskKind::kClassify) return run_eval_labels(arguments, first);
  if (first.task == TaskKind::kTag) return run_eval_tags(arguments, first);
  std::optional<EvalCommand> parsed = parse_eval(arguments);
  if (!parsed) return 0;
  EvalCommand& command = *parsed;
  std::vector<Model> models;
  for (const std::string& path : command.models) models.push_back(first.load(path));
  Terminal terminal(command.quiet);
  if (!command.pairs.path.empty()) {
    Output out;
    evaluate_pairs(command.pairs, models.front(), terminal, out);
    out.flush();
    return 0;
  }
  command.options.ngram = command.ngram.read(&terminal);
  const std::string text = read_texts(command.texts, text_coding(models.front().tokenizer().kind()));
  const auto start = std::chrono::steady_clock::now();
  command.options.progress = [&](std::int64_t done, std::int64_t total) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < kSilentSeconds || done == 0 || !terminal.live_due()) return;
    const double speed = static_cast<double>(done) / seconds;
    terminal.live(fmt::format("evaluating  {}%  {} tokens/s  {} left", 100 * done / total,
                              grouped(static_cast<std::int64_t>(speed)),
                              people_seconds(static_cast<double>(total - done) / speed)));
  };
  const AverageEvaluation result = evaluate_average(models, {text, text_name(command.texts)}, command.options);
  terminal.keep_live();
  Output out;
  out.write(command.json ? as_json(command, models, result) : as_table(command, models, result));
  out.flush();
  return 0;
}

}  // namespace unroll
