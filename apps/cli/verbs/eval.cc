#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cli/evaluations/eval_report.h"
#include "cli/flags/accounting_flags.h"
#include "cli/flags/adaptation_flags.h"
#include "cli/flags/asked_task.h"
#include "cli/flags/flags.h"
#include "cli/flags/ngram_flags.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/eval_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/eval_labels.h"
#include "cli/verbs/eval_numbers.h"
#include "cli/verbs/eval_pairs.h"
#include "cli/verbs/eval_tags.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/id_cache.h"
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
  ShardRequest shards;
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
  declare_shard_flags(&flags, "lines", &command.shards);
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
    finish_shard_flags(flags, {}, &command.shards);
    refuse_with_shards(command.shards, "--pairs", "pairs are counted by paradigm");
    command.pairs.end = command.options.end;
    command.pairs.json = command.json;
    command.pairs.threads = command.options.threads;
    return command;
  }
  if (command.texts.empty()) throw Error(ErrorCode::kUsage, "which TEXT? Give MODEL and then the text to predict");
  std::vector<std::string> inputs = command.texts;
  inputs.push_back(command.ngram.path());
  expect_one_standard_input(inputs);
  inputs.insert(inputs.end(), command.models.begin(), command.models.end());
  finish_shard_flags(flags, inputs, &command.shards);
  if (reads_in_order(command.options.adaptation)) {
    refuse_with_shards(command.shards, "--cache and --dynamic", "each line then depends on all lines before it");
  }
  refuse_flags_with_shards(flags, command.shards, {"--exact"}, "it is about a state that is carried");
  return command;
}

// The lines of a text, each with its newline; the last may lack one.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

CountedInput count(const std::vector<std::string_view>& lines) {
  CountedInput input;
  for (const std::string_view line : lines) input.add(line);
  return input;
}

// The state is reset, because the request asks for lines by themselves.
void expect_reset(const EvalCommand& command, const std::vector<Model>& models) {
  for (const Model& model : models) {
    if (command.options.state.value_or(model.trained_state_policy()) == StatePolicy::kReset) continue;
    refuse_with_shards(command.shards, "a state that is carried",
                       command.options.state ? "each line then depends on all lines before it"
                                             : "that is how the model was trained; give --state reset");
  }
}

// Lines that are evaluated at once: some 256 KiB, so that a killed run loses little.
std::span<const std::string_view> next_batch(std::span<const std::string_view> lines) {
  constexpr std::size_t kBytesAtOnce = std::size_t{1} << 18;
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < lines.size() && bytes < kBytesAtOnce) bytes += lines[count++].size();
  return lines.first(count);
}

// Evaluates a text line by line: the lines of a shard, or all into a file.
int evaluate_shard(const EvalCommand& command, const std::vector<Model>& models, const std::string& text,
                   Terminal& terminal) {
  expect_reset(command, models);
  const std::vector<std::string_view> lines = lines_of(text);
  ShardPlan plan{.verb = "eval",
                 .parameters = eval_parameters(describe_evaluation(command.models, models, command.options),
                                               kind_of_lines(models, command.options)),
                 .count = [&lines] { return count(lines); },
                 .json = command.json};
  for (std::size_t i = 0; i < models.size(); ++i) plan.models.push_back(model_hash(models[i], command.models[i]));
  UnitOutput out(command.shards, plan, terminal);
  if (out.is_complete()) return 0;
  out.end_head();
  const UnitRange range = out.units();
  for (std::int64_t at = range.first; at < range.last;) {
    const auto rest = std::span(lines).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(range.last - at));
    const std::span<const std::string_view> batch = next_batch(rest);
    const auto name = [&](std::size_t i) {
      return fmt::format("{}, line {}", text_name(command.texts), at + static_cast<std::int64_t>(i) + 1);
    };
    for (const EvaluationSums& line : evaluate_lines(models, batch, command.options, name)) out.end_unit(sums_of(line));
    out.flush();
    at += std::ssize(batch);
    if (terminal.live_due()) {
      terminal.live(fmt::format("evaluating  {}%", 100 * (at - range.first) / (range.last - range.first)));
    }
  }
  out.finish();
  return 0;
}

double tokens_per_s(const Evaluation& result) {
  return result.seconds > 0 ? static_cast<double>(result.tokens) / result.seconds : 0;
}

// Whether the text is an id cache, which is read alone.
bool is_only_cache(const std::vector<std::string>& texts) {
  const auto cached = std::ranges::find_if(texts, is_id_cache);
  if (cached == texts.end()) return false;
  if (texts.size() == 1) return true;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} is an id cache, which is a whole text: evaluate it alone", text_name(*cached)));
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
  const bool cached = is_only_cache(command.texts);
  if (cached && command.shards.reads_twice()) {
    throw Error(ErrorCode::kUsage, "an id cache is evaluated whole: leave --shard and --output out");
  }
  const std::string text = cached ? "" : read_texts(command.texts, text_coding(models.front().tokenizer().kind()));
  if (command.shards.reads_twice()) return evaluate_shard(command, models, text, terminal);
  const auto start = std::chrono::steady_clock::now();
  command.options.progress = [&](std::int64_t done, std::int64_t total) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < kSilentSeconds || done == 0 || !terminal.live_due()) return;
    const double speed = static_cast<double>(done) / seconds;
    terminal.live(fmt::format("evaluating  {}%  {} tokens/s  {} left", 100 * done / total,
                              grouped(static_cast<std::int64_t>(speed)),
                              people_seconds(static_cast<double>(total - done) / speed)));
  };
  const AverageEvaluation result = cached ? evaluate_id_cache(models, command.texts.front(), command.options)
                                          : evaluate_average(models, {text, text_name(command.texts)}, command.options);
  terminal.keep_live();
  Output out;
  const EvalDescription about = describe_evaluation(command.models, models, command.options);
  const double speed = tokens_per_s(together(result));
  out.write(command.json ? eval_json(about, result, speed) : eval_table(about, result, speed));
  out.flush();
  return 0;
}

}  // namespace unroll
