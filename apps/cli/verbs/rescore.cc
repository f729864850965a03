#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/flags/accounting_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/count_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/rescore_report.h"
#include "cli/verbs/scored_lists.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// The output without references.
enum class ListOutput { kInOrder, kReranked, kBest };

struct RescoreCommand {
  std::string model;
  std::vector<std::string> lists;
  NbestFormat format;
  Accounting accounting;
  bool lowercase = false;
  std::string references;  // empty: none
  ReportOptions report;
  ListOutput output = ListOutput::kInOrder;
  int threads = 0;
  bool quiet = false;
  ShardRequest shards;
};

struct RescoreFlags {
  AccountingFlags accounting;
  std::string noise;  // a file; empty: none
  bool tune = false;
  bool split = false;
  bool best = false;
  bool rerank = false;
};

void add_flags(Flags& flags, RescoreFlags& given, RescoreCommand& command) {
  constexpr double kLargestWeight = 1e6;
  flags.heading("Lists");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--format", "NAME", "rnnlm, kaldi, moses, srilm, json, or columns (docs/rescore.md shows each)", ""},
             [&command](const std::string& value) { command.format.dialect = parse_nbest_dialect(value); });
  flags.text(
      {"--columns", "NAMES",
       "--format columns: tab-separated columns are these: id, rank, score, lscore, total, text, - for others", ""},
      [&command](const std::string& value) { command.format.columns = split_at_commas(value); });
  flags.path({"--noise-vocab", "FILE",
              "--format srilm: words that are left out like the pause -pau-, in scores and in errors", ""},
             &given.noise);
  flags.toggle({"--lowercase", "", "the model sees hypotheses in lower case; what is written stays as it is", ""},
               &command.lowercase);
  given.accounting.declare(&flags);
  flags.heading("Combination: score + A LM + B words");
  flags.real({"--lm-weight", "A", "weight of the language model", "1"}, {-kLargestWeight, kLargestWeight},
             [&command](double value) { command.report.given.lm_weight = value; });
  flags.real({"--word-weight", "B", "added for each word; above 0 favours long hypotheses", "0"},
             {-kLargestWeight, kLargestWeight}, [&command](double value) { command.report.given.word_weight = value; });
  flags.real({"--lambda", "L", "LM is L times this model's log-probability and 1 - L times the list's own lscore", "1"},
             {0, 1}, [&command](double value) { command.report.given.lambda = value; });
  flags.heading("Errors");
  flags.path(
      {"--references", "FILE",
       "a line for each list: its id and the right words (moses: the words alone). Prints error rates instead of "
       "lists",
       ""},
      &command.references);
  flags.toggle({"--tune", "", "find the weights with the fewest errors on these lists, and print them as flags", ""},
               &given.tune);
  flags.toggle(
      {"--split", "",
       "report each half of the lists (first and second, in their order) with weights tuned on the other half", ""},
      &given.split);
  flags.text(
      {"--metric", "NAME",
       "what weights are tuned for. wer: word errors; cer: character errors; oracle: how often the chosen hypothesis "
       "does not have the fewest word errors of its list",
       "wer"},
      [&command](const std::string& value) {
        command.report.metric = static_cast<RescoreMetric>(parse_choice(value, {"wer", "cer", "oracle"}));
      });
  flags.toggle({"--json", "", "error rates as one JSON object on one line", ""}, &command.report.json);
  flags.heading("Output");
  flags.toggle({"--best", "", "the best hypothesis of each list: its id and its words (moses: its words)", ""},
               &given.best);
  flags.toggle({"--rerank", "", "the lines of each list from best to worst", ""}, &given.rerank);
  flags.exclusive({"--best", "--rerank", "--references"});
  flags.exclusive({"--tune", "--split", "--lm-weight"});
  flags.exclusive({"--tune", "--split", "--word-weight"});
  flags.exclusive({"--tune", "--split", "--lambda"});
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "lists", &command.shards);
}

// The words of a vocabulary as SRILM reads it: lines that begin with ## are comments.
std::vector<std::string> read_words(const std::string& path) {
  std::vector<std::string> words;
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
    if (line.starts_with("##")) continue;
    std::istringstream words_of_line(line);
    for (std::string word; words_of_line >> word;) words.push_back(word);
  }
  return words;
}

// Flags about errors need references to count errors by.
void check_references(const Flags& flags, const RescoreCommand& command) {
  if (!command.references.empty()) return;
  for (const char* name : {"--tune", "--split", "--metric", "--json"}) {
    if (flags.given(name))
      throw Error(ErrorCode::kUsage, fmt::format("{} is for --references: give both or neither", name));
  }
}

void finish(const Flags& flags, const RescoreFlags& given, RescoreCommand& command) {
  if (flags.given("--columns") && !flags.given("--format")) command.format.dialect = NbestDialect::kColumns;
  if (!flags.given("--format") && !flags.given("--columns")) {
    throw Error(ErrorCode::kUsage,
                "which format do the lists have? Give --format rnnlm, kaldi, moses, srilm or json, or --columns NAMES");
  }
  if (!given.noise.empty()) command.format.noise = read_words(given.noise);
  check(command.format);
  check_references(flags, command);
  if (flags.given("--metric") && !given.tune && !given.split) {
    throw Error(ErrorCode::kUsage, "--metric is for --tune and --split: give one of these");
  }
  command.accounting = given.accounting.accounting(flags, StatePolicy::kReset);
  if (given.tune) command.report.weights = RescoreWeights::kTuned;
  if (given.split) command.report.weights = RescoreWeights::kSplit;
  if (given.rerank) command.output = ListOutput::kReranked;
  if (given.best) command.output = ListOutput::kBest;
  if (!command.references.empty() || command.output == ListOutput::kBest) return;
  const NbestDialect dialect = command.format.dialect;
  const bool has_places = dialect != NbestDialect::kRnnlm && dialect != NbestDialect::kKaldi;
  if (!has_places && command.output == ListOutput::kInOrder) {
    throw Error(ErrorCode::kUsage,
                fmt::format("lists of format {} have no place for scores: give --rerank or --best, or print "
                            "a number for each line with unroll rnnlm -nbest",
                            nbest_dialect_name(dialect)));
  }
  if (dialect == NbestDialect::kSrilm && command.lists.size() > 1) {
    throw Error(
        ErrorCode::kUsage,
        "a list of format srilm is a whole file, so the output of several could not be told apart: rescore one at a "
        "time, or give --best");
  }
}

std::optional<RescoreCommand> parse_rescore(const std::vector<std::string>& arguments) {
  RescoreCommand command;
  Flags flags(
      "unroll rescore MODEL LISTS... [flags]",
      "Scores the hypotheses of N-best lists with a model and chooses by score + A LM + B words. Each line is "
      "printed with the model's log-probability and the total where its format has a place for them, and otherwise "
      "byte for byte. Common prefixes of hypotheses are computed once. With references it reports error rates and "
      "finds the weights.");
  RescoreFlags given;
  add_flags(flags, given, command);
  flags.example("unroll rescore words.safetensors dev.tsv --columns id,rank,score,text --references dev.ref --tune",
                "The weights with the fewest word errors on a development set, as flags.");
  flags.example("unroll rescore words.safetensors test.tsv --columns id,rank,score,text --lm-weight 0.4 --best",
                "The chosen words, a line for each utterance.");
  flags.example("unroll rescore words.safetensors test.nbest --format moses --lm-weight 0.2 --rerank",
                "Lists in their new order, with new totals and one more feature.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.lists = flags.positionals();
  command.model = take_model(command.model, &command.lists);
  if (command.lists.empty())
    throw Error(ErrorCode::kUsage, "which LISTS? Give MODEL and then the files, or - for standard input");
  finish(flags, given, command);
  std::vector<std::string> inputs = command.lists;
  inputs.push_back(command.references);
  inputs.push_back(given.noise);
  expect_one_standard_input(inputs);
  inputs.push_back(command.model);
  finish_shard_flags(flags, inputs, &command.shards);
  refuse_flags_with_shards(flags, command.shards, {"--tune", "--split"}, "weights are tuned on all lists");
  return command;
}

// A list as it is printed.
std::string as_text(const RescoreCommand& command, const ScoredList& scored) {
  const Combination& weights = command.report.given;
  const std::vector<Hypothesis>& hypotheses = scored.list.hypotheses;
  if (command.output == ListOutput::kBest) {
    return best_line(command.format, scored.list, hypotheses[best_of(weights, scored.evidence)]) + "\n";
  }
  std::string text;
  const auto write = [&](std::size_t i, std::optional<std::int64_t> rank) {
    const Evidence& evidence = scored.evidence[i];
    text += rescored_line(hypotheses[i],
                          {.lm = combined_lm(weights, evidence), .total = total(weights, evidence), .rank = rank});
    text += '\n';
  };
  if (command.output == ListOutput::kInOrder) {
    for (std::size_t i = 0; i < hypotheses.size(); ++i) write(i, {});
  } else {
    std::int64_t rank = 1;
    for (const std::size_t i : ranking(weights, scored.evidence)) write(i, rank++);
  }
  return text;
}

void check_lambda(const RescoreCommand& command, const ScoredList& scored) {
  if (command.report.given.lambda == 1 || scored.has_old_lm()) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{}, line {}, column 1: the list has no lscore to mix with, which --lambda {} asks for",
                          scored.file, scored.list.hypotheses.front().number, command.report.given.lambda));
}

ShardPlan plan_of(const RescoreCommand& command, const Model& model, const std::optional<References>& references) {
  return {.verb = references ? "rescore --references" : "rescore",
          .parameters = references ? error_parameters(command.report.given, references->size())
                                   : count_parameters("lists", {"hypotheses", "tokens"}),
          .unit = "lists",
          .models = {model_hash(model, command.model)},
          .count = [&command] { return count_lists(command.lists, command.format); },
          .inputs = command.lists,
          .json = command.report.json};
}

// Rescores the lists that `out` still needs. `references` may be null.
void rescore_lists(const RescoreCommand& command, ScoredLists& lists, const References* references, UnitOutput& out,
                   Terminal& terminal) {
  RescoreReport report(command.report);
  out.end_head();
  std::vector<ScoredList> batch;
  while (lists.next(batch)) {
    for (const ScoredList& scored : batch) {
      check_lambda(command, scored);
      if (references == nullptr) {
        out.text().write(as_text(command, scored));
        out.end_unit({.counts = {std::ssize(scored.list.hypotheses), scored.tokens}});
      } else if (const UnitSums sums = report.add(scored, *references); !report.is_tuned()) {
        out.end_unit(sums);
      }
    }
    out.flush();
  }
  terminal.line(lists.summary());
  if (references != nullptr) terminal.live("weights and intervals");
  if (report.is_tuned()) {
    out.text().write(report.tuned_report());
    out.text().flush();
  } else {
    out.finish();
  }
}

}  // namespace

int run_rescore(const std::vector<std::string>& arguments) {
  std::optional<RescoreCommand> parsed = parse_rescore(arguments);
  if (!parsed) return 0;
  RescoreCommand& command = *parsed;
  const Model model = Model::load(command.model);
  Terminal terminal(command.quiet);
  std::optional<References> references;
  if (!command.references.empty()) references.emplace(command.references, command.format);
  terminal.line(fmt::format("policy: {}; precision {}; {}", describe(command.accounting, model.tokenizer()),
                            precision_name(model.precision()),
                            is_log10(command.format) ? "log base 10" : "log base e (nats)"));
  const std::string note = context_note(command.accounting, model.tokenizer());
  if (!note.empty()) terminal.line(note);
  UnitOutput out(command.shards, plan_of(command, model, references), terminal);
  if (out.is_complete()) return 0;
  HypothesisScorer scorer(model, command.accounting, command.threads);
  ScoredLists lists(scorer, command.lists, command.format, command.lowercase, terminal, out.units());
  rescore_lists(command, lists, references ? &*references : nullptr, out, terminal);
  return 0;
}

}  // namespace unroll
