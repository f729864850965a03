#include "cli/verbs/eval_tags.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/evaluations/tag_evaluation.h"
#include "cli/flags/column_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/tag_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

constexpr double kUnseenSeconds = 2;  // nobody needs a progress line for what is over before they read it

struct EvalTagsCommand {
  std::string model;
  std::vector<std::string> files;
  ColumnOptions columns;
  TagEvaluationOptions options;
  bool json = false;
  bool quiet = false;
  ShardRequest shards;
};

std::optional<EvalTagsCommand> parse_eval_tags(const std::vector<std::string>& arguments) {
  EvalTagsCommand command;
  Flags flags(
      "unroll eval MODEL FILE... [flags]",
      "Measures how well a model tags words, whose right tags are in a column of FILE: accuracy, and precision, "
      "recall and F1 of each tag, or of spans where tags mark some.");
  bool strict = false;
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "NAME", "tag; for --help", "that of the model"}, [](const std::string&) {});
  declare_column_flags(&flags, &command.columns);
  flags.heading("Run");
  flags.toggle({"--strict", "",
                "count only spans that their scheme marks in full, as seqeval's strict mode does; else all that "
                "conlleval counts",
                ""},
               &strict);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "sentences", &command.shards);
  flags.example("unroll eval chunks.safetensors test.txt", "A table for people.");
  flags.example("unroll eval pos.safetensors test.conllu --column xpos --json | jq .accuracy", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  command.model = take_model(command.model, &command.files);
  command.options.rule = strict ? SpanRule::kStrict : SpanRule::kConlleval;
  if (command.files.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give MODEL and then tagged words");
  expect_one_standard_input(command.files);
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.model);
  finish_shard_flags(flags, inputs, &command.shards);
  return command;
}

// The tags that sentences or answers may have: those of the model and of the texts, and each type with every letter of
// a scheme, because answers are converted.
std::vector<std::string> possible_tags(const TagBasis& basis, const TaggedTexts& texts) {
  std::set<std::string> tags(basis.labels.begin(), basis.labels.end());
  tags.insert(texts.tags.begin(), texts.tags.end());
  if (basis.scheme == TagScheme::kNone) return {tags.begin(), tags.end()};
  const std::set<std::string> given = tags;
  for (const std::string& tag : given) {
    const std::string_view type = tag_parts(tag).type;
    for (const char letter : std::string_view("BIESLU")) {
      tags.insert(type.empty() ? std::string(1, letter) : fmt::format("{}-{}", letter, type));
    }
  }
  tags.insert("O");
  return {tags.begin(), tags.end()};
}

CountedInput count_tagged(const TaggedTexts& texts) {
  CountedInput input;
  for (const TaggedSentence& sentence : texts.sentences) {
    std::string bytes;
    for (std::size_t i = 0; i < sentence.words.size(); ++i) {
      bytes += sentence.words[i] + '\t' + texts.tags[static_cast<std::size_t>(sentence.tags[i])] + '\n';
    }
    input.add(bytes);
  }
  return input;
}

// Tags the sentences of a shard, or all of them into a file.
int evaluate_shard(const EvalTagsCommand& command, const Model& model, const TaggedTexts& texts, Terminal& terminal) {
  constexpr std::int64_t kSentencesAtOnce = 1024;
  const TagBasis basis = basis_of(model, texts, command.options.rule);
  const TagTable table(possible_tags(basis, texts));
  const ShardPlan plan{.verb = "eval tag",
                       .parameters = tag_parameters(basis, table),
                       .unit = "sentences",
                       .models = {model_hash(model, command.model)},
                       .count = [&texts] { return count_tagged(texts); },
                       .json = command.json};
  UnitOutput out(command.shards, plan, terminal);
  if (out.is_complete()) return 0;
  out.end_head();
  for (std::int64_t at = out.units().first; at < out.units().last;) {
    const std::int64_t end = std::min(at + kSentencesAtOnce, out.units().last);
    const SentenceRange range{static_cast<std::size_t>(at), static_cast<std::size_t>(end)};
    for (const ComparedTags& one : compare_tags(model, basis, texts, range, command.options.threads)) {
      out.end_unit(table.sums_of(one));
    }
    out.flush();
    at = end;
  }
  out.finish();
  return 0;
}

}  // namespace

int run_eval_tags(const std::vector<std::string>& arguments, const FirstModel& first) {
  std::optional<EvalTagsCommand> parsed = parse_eval_tags(arguments);
  if (!parsed) return 0;
  EvalTagsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const Model model = first.load(command.model);
  command.columns.usual_tag_column = model.task().column;
  const TaggedTexts texts = read_tagged_texts(command.files, command.columns);
  if (command.shards.reads_twice()) return evaluate_shard(command, model, texts, terminal);
  const auto start = std::chrono::steady_clock::now();
  command.options.progress = [&](std::int64_t done, std::int64_t total) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < kUnseenSeconds || !terminal.live_due()) return;
    terminal.live(fmt::format("evaluating  {}%", 100 * done / total));
  };
  const TagEvaluation result = evaluate_tags(model, texts, command.options);
  terminal.keep_live();
  Output out;
  out.write(command.json ? tag_evaluation_json(command.options.rule, result)
                         : tag_evaluation_table(command.options.rule, result));
  out.flush();
  return 0;
}

}  // namespace unroll
