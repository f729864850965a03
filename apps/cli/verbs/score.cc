#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cli/dialects/dialect.h"
#include "cli/flags/accounting_flags.h"
#include "cli/flags/adaptation_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/ngram_flags.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/score_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/escaped.h"
#include "cli/streams/line_batches.h"
#include "cli/streams/quantities.h"
#include "cli/streams/reference_lines.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/score_objects.h"
#include "cli/verbs/score_words.h"
#include "cli/verbs/verbs.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/error.h"
#include "unroll/score/odd_lines.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

struct ScoreCommand {
  std::string model;
  std::string text;
  ScorerOptions options;
  NgramFlags ngram;
  const Dialect* dialect = &dialects().front();
  LogBase base = LogBase::kE;
  std::optional<LineIds> ids;
  std::string reference;                 // lines among which each has a percentile; empty: none
  double alarm = 1;                      // the largest share that is printed
  std::optional<ObjectOptions> objects;  // empty: lines are texts
  bool header = false;
  bool quiet = false;
  ShardRequest shards;
};

// Flags that finish() turns into fields of the command.
struct ScoreFlags {
  AccountingFlags accounting;
  AdaptationFlags adaptation;
  StatePolicy state = StatePolicy::kReset;
  bool tokens = false;
  bool json = false;
  std::optional<bool> objects;  // empty: by the name of the text
  ObjectOptions object;
};

std::string dialect_names() {
  std::string names;
  for (const Dialect& dialect : dialects()) names += (names.empty() ? "" : ", ") + std::string(dialect.name);
  return names;
}

void add_object_flags(Flags& flags, ScoreFlags& given) {
  flags.heading("JSON lines");
  flags.text({"--input", "NAME",
              "lines: a text on each; jsonl: a JSON object on each, which is printed with log_prob, tokens and "
              "perplexity of its text added",
              "by the file's name: jsonl for .jsonl, .ndjson and .json"},
             [&given](const std::string& value) {
               given.objects = parse_choice(value, {"lines", "jsonl"}) == 1;
             });
  flags.text({"--text-column", "NAME", "the key of the text", given.object.key},
             [&given](const std::string& value) { given.object.key = value; });
  flags.whole({"--max-bad", "N",
               "lines that may be bad: no object, or without a text that the model can read. They are printed with a "
               "field error; one more ends the program with status 1",
               "0"},
              {0, kLargestCount}, [&given](std::int64_t n) { given.object.most_bad = n; });
}

void add_flags(Flags& flags, ScoreFlags& given, ScoreCommand& command) {
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--state", "POLICY", "reset: each line by itself; carry: the state is kept from line to line", "reset"},
             [&given](const std::string& value) { given.state = parse_state_policy(value); });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the lines are given", ""},
             [&command](const std::string& value) { command.options.label = value; });
  given.accounting.declare_begin(&flags);
  given.accounting.declare(&flags);
  flags.text({"--ids", "WHERE", "for --format kaldi. first: each line begins with its id; number: its number is its id",
              "first"},
             [&command](const std::string& value) {
               command.ids = parse_choice(value, {"first", "number"}) == 0 ? LineIds::kFirstField : LineIds::kNumber;
             });
  given.adaptation.declare(&flags);
  command.ngram.declare(&flags);
  add_object_flags(flags, given);
  flags.heading("Odd lines");
  flags.path({"--percentile", "REFERENCE",
              "print before each line the percentage of REFERENCE's lines, corrected for length, that are at least as "
              "improbable: small means odd. REFERENCE is ordinary text that the model was not trained on",
              ""},
             &command.reference);
  flags.real({"--alarm", "A", "with --percentile: print only lines with a percentage up to 100 A", "1: all"},
             {0, 1, false, true}, [&command](double share) { command.alarm = share; });
  flags.heading("Output");
  flags.text({"--format", "NAME", dialect_names() + " (docs/dialects.md shows each)", "plain"},
             [&command](const std::string& value) { command.dialect = &parse_dialect(value); });
  flags.text({"--log-base", "B", "base of the logarithms of plain and tokens: e, 2 or 10", "e"},
             [&command](const std::string& value) {
               constexpr std::array<LogBase, 3> kBases{LogBase::kE, LogBase::k2, LogBase::k10};
               command.base = kBases.at(parse_choice(value, {"e", "2", "10"}));
             });
  flags.toggle({"--tokens", "", "--format tokens: a row per token with log-probability, rank, entropy, token", ""},
               &given.tokens);
  flags.toggle({"--json", "", "--format json: an object per line of text, with all its tokens", ""}, &given.json);
  flags.exclusive({"--format", "--tokens", "--json"});
  flags.toggle(
      {"--header", "",
       "policy and unit as # lines before the output of any format; without it they go to standard error where a "
       "format has no comments",
       ""},
      &command.header);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "lines", &command.shards);
}

// A shard's lines are scored without those before them.
void check_shards(const Flags& flags, ScoreCommand& command) {
  finish_shard_flags(flags, {command.model, command.text, command.reference, command.ngram.path()}, &command.shards);
  if (command.options.accounting.state == StatePolicy::kCarry) {
    refuse_with_shards(command.shards, "--state carry", "each line then depends on all lines before it");
  }
  if (reads_in_order(command.options.adaptation)) {
    refuse_with_shards(command.shards, "--cache and --dynamic", "each line then depends on all lines before it");
  }
}

// A line can be compared with those of the reference where both stand by themselves.
void check_percentile(const ScoreCommand& command) {
  if (command.dialect != &dialects().front()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--percentile has its own columns: leave --format {} out", command.dialect->name));
  }
  if (command.options.accounting.state == StatePolicy::kCarry || reads_in_order(command.options.adaptation)) {
    throw Error(ErrorCode::kUsage,
                "--percentile compares lines that are scored by themselves: leave --state carry, --cache "
                "and --dynamic out");
  }
}

// Objects come out as they are, with three more fields.
void check_objects(const Flags& flags, const ScoreFlags& given, ScoreCommand& command) {
  if (given.objects.value_or(format_of_name(command.text) == TextFormat::kJsonLines)) command.objects = given.object;
  const std::string name = text_name(command.text);
  for (const char* flag : {"--text-column", "--max-bad"}) {
    if (flags.given(flag) && !command.objects) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is for JSON lines, but {} is read as lines of text: give --input jsonl", flag, name));
    }
  }
  for (const char* flag : {"--format", "--tokens", "--json", "--ids", "--percentile"}) {
    if (flags.given(flag) && command.objects) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is read as JSON lines, whose objects get fields of their own: leave {} out, or give "
                              "--input lines",
                              name, flag));
    }
  }
}

void finish(const Flags& flags, const ScoreFlags& given, ScoreCommand& command) {
  if (given.tokens) command.dialect = &parse_dialect("tokens");
  if (given.json) command.dialect = &parse_dialect("json");
  const Dialect& dialect = *command.dialect;
  if (!dialect.unit.empty() && flags.given("--log-base")) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--{} has its own unit ({}): leave --log-base out",
                            given.json ? "json" : fmt::format("format {}", dialect.name), dialect.unit));
  }
  if (!dialect.ids && command.ids) {
    throw Error(ErrorCode::kUsage, "--ids is for --format kaldi: no other format prints ids");
  }
  command.options.accounting = given.accounting.accounting(flags, given.state);
  command.options.adaptation = given.adaptation.adaptation(flags);
  command.ngram.check(flags);
  if (!command.reference.empty()) check_percentile(command);
  if (flags.given("--alarm") && command.reference.empty()) {
    throw Error(ErrorCode::kUsage, "--alarm is for --percentile: give both or neither");
  }
  command.options.tokens = dialect.tokens;
  command.options.ranks = dialect.ranks;
  check_objects(flags, given, command);
}

std::optional<ScoreCommand> parse_score(const std::vector<std::string>& arguments) {
  ScoreCommand command;
  Flags flags(
      "unroll score MODEL [TEXT|-] [flags]",
      "Prints the log-probability of each line of a text under a model; TEXT is a file, a .gz, or standard input. The "
      "same line gets the same bits wherever it stands, and a line that comes through a pipe is answered at once. "
      "Rows are log-probability, number of tokens, text, separated by tabs; lines that begin with # are comments.");
  ScoreFlags given;
  add_flags(flags, given, command);
  flags.example("unroll score book.safetensors sentences.txt", "One row for each sentence.");
  flags.example("echo 'In the beginning' | unroll score book.safetensors --tokens --log-base 2",
                "log2 p of each token: its surprisal in bits, negated.");
  flags.example("unroll score book.safetensors sentences.txt --words",
                "The surprisal of each word, whatever the tokens are; unroll score --words --help says more.");
  flags.example("unroll score book.safetensors sentences.txt --json | jq .log_prob", "For programs.");
  flags.example("unroll score book.safetensors reviews.jsonl --text-column review --max-bad 9",
                "The same objects with log_prob, tokens and perplexity; at most nine bad lines.");
  flags.example("unroll score logs.safetensors today.log --percentile usual.log --alarm 0.001",
                "Lines as odd as one usual line in a thousand.");
  flags.example("unroll score words.safetensors test.txt --ngram words.arpa --lambda 0.6",
                "A mixture: 0.6 of the network, 0.4 of the n-grams in an ARPA file.");
  flags.example("unroll score words.safetensors test.txt --format srilm --unk skip | tail -2",
                "Perplexity as SRILM counts it, without unknown words.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(command.model, &positionals);
  command.text = take_text("score", positionals);
  finish(flags, given, command);
  expect_one_standard_input({command.text, command.reference, command.ngram.path()});
  check_shards(flags, command);
  return command;
}

// Policy and unit, a line each.
std::vector<std::string> header_lines(const ScoreCommand& command, const Model& model) {
  std::vector<std::string> lines{fmt::format("policy: {}; precision {}",
                                             describe(command.options.accounting, model.tokenizer()),
                                             precision_name(model.precision()))};
  if (const std::string words = describe(command.options.adaptation); !words.empty()) {
    lines.push_back(fmt::format("adaptation: {}; over all lines, in order", words));
  }
  if (const std::string words = describe(command.options.ngram); !words.empty()) {
    lines.push_back(fmt::format("n-grams: {}", words));
  }
  const Dialect& dialect = *command.dialect;
  lines.push_back(dialect.unit.empty() ? fmt::format("log base: {}", base_words(command.base))
                                       : std::string(dialect.unit));
  if (command.objects) {
    lines.push_back(fmt::format("fields: {}", kObjectFields));
    return lines;
  }
  const std::string own(command.reference.empty() ? "" : "percentile ");
  if (!dialect.columns.empty()) lines.push_back(fmt::format("columns: {}{}", own, dialect.columns));
  return lines;
}

void expect_words(const Dialect& dialect, const Tokenizer& tokenizer) {
  if (!dialect.of_words || tokens_are_words(tokenizer.kind())) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("--format {} is for models whose tokens are words (tokenizer word or whitespace), but this "
                          "model's tokenizer is {}: give --words, which scores words of any tokenizer",
                          dialect.name, tokenizer_kind_name(tokenizer.kind())));
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos; }

// Scores a text batch by batch and prints it.
class LineScoring {
 public:
  // `reference` may be null. Scores the lines that `out` still needs.
  LineScoring(const ScoreCommand& command, const Model& model, const OddLines* reference, UnitOutput& out)
      : dialect_(*command.dialect),
        reference_(reference),
        alarm_(command.alarm),
        context_{model.tokenizer(), command.options.accounting, command.base},
        out_(out),
        scorer_(model, command.options),
        batches_(command.text, dialect_.ids ? command.ids.value_or(LineIds::kFirstField) : LineIds::kNumber,
                 text_coding(model.tokenizer().kind()), out.units()) {}

  void run() {
    if (!dialect_.title.empty()) out_.text().write(fmt::format("{}\n", dialect_.title));
    out_.end_head();
    while (batches_.next(batch_)) {
      answer();
      out_.flush();
    }
    out_.finish();
  }

  [[nodiscard]] const ScoreTotals& totals() const noexcept { return totals_; }

 private:
  void answer() {
    try {
      print(score(batch_.lines));
    } catch (const Error& error) {
      // The lines before the one that is to blame get their rows all the same.
      if (error.code() == ErrorCode::kInput && error.index()) {
        print(score(std::span(batch_.lines).first(static_cast<std::size_t>(*error.index()))));
        out_.flush();
      }
      if (!error.index() || batch_.ids.empty()) throw;
      throw Error(error.code(), fmt::format("{} (counted after the line's id)", error.what()));
    }
  }

  std::vector<Score> score(std::span<const std::string> lines) {
    return scorer_.score(lines, [this](std::size_t index) {
      return fmt::format("{}, line {}", batches_.name(), batch_.first_number + static_cast<std::int64_t>(index));
    });
  }

  void print(const std::vector<Score>& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      ScoreTotals line;
      if (!dialect_.leaves_out_blank || !is_blank(batch_.lines[i])) {
        line = totals_of_line(context_, scores[i]);
        print_line(i, scores[i]);
      }
      totals_ += line;
      out_.end_unit(sums_of(line));
    }
  }

  void print_line(std::size_t i, const Score& score) {
    const std::int64_t number = batch_.first_number + static_cast<std::int64_t>(i);
    const std::string id = batch_.ids.empty() ? fmt::format("{}", number) : batch_.ids[i];
    if (reference_ != nullptr && !print_percentile(score)) return;
    out_.text().write(dialect_.line(context_, {number, id, batch_.lines[i], score}));
  }

  // False where the line is not odd enough to be printed. A line without tokens is not odd.
  [[nodiscard]] bool print_percentile(const Score& score) const {
    const double share = score.predictions > 0 ? reference_->share(probability(score)) : 1;
    if (share > alarm_) return false;
    out_.text().write(fmt::format("{:.4g}\t", 100 * share));
    return true;
  }

  const Dialect& dialect_;
  const OddLines* reference_;
  double alarm_;
  DialectContext context_;
  UnitOutput& out_;
  Scorer scorer_;
  LineBatches batches_;
  LineBatch batch_;
  ScoreTotals totals_;
};

// Where a format has no comments, the header goes to the terminal.
void write_header(const ScoreCommand& command, const Model& model, UnitOutput& out, Terminal& terminal) {
  for (const std::string& line : header_lines(command, model)) {
    if (command.header || (command.dialect->comments && !command.objects)) {
      out.text().write(fmt::format("# {}\n", visible(line)));
    } else {
      terminal.line(line);
    }
  }
  const std::string note = context_note(command.options.accounting, model.tokenizer());
  if (!note.empty()) terminal.line(note);
}

// A scorer is made before the header is written: it refuses policies that the model cannot follow.
ScoreTotals score_lines(const ScoreCommand& command, const Model& model, UnitOutput& out, Terminal& terminal) {
  std::optional<OddLines> reference;
  if (!command.reference.empty()) reference = read_reference(command.reference, model, command.options, terminal);
  LineScoring scoring(command, model, reference ? &*reference : nullptr, out);
  write_header(command, model, out, terminal);
  scoring.run();
  return scoring.totals();
}

ScoreTotals score_objects(const ScoreCommand& command, const Model& model, UnitOutput& out, Terminal& terminal) {
  ObjectScoring scoring(*command.objects, command.text, model, command.options,
                        {model.tokenizer(), command.options.accounting, command.base}, out);
  write_header(command, model, out, terminal);
  scoring.run();
  if (const std::string note = scoring.note(); !note.empty()) terminal.line(note);
  return scoring.totals();
}

ShardPlan plan_of(const ScoreCommand& command, const Model& model) {
  const SummaryContext context{.end = command.options.accounting.end, .text_name = command.text};
  const TextCoding coding = command.objects ? TextCoding::kUtf8 : text_coding(model.tokenizer().kind());
  return {.verb = "score",
          .parameters = score_parameters(*command.dialect, context),
          .models = {model_hash(model, command.model)},
          .count = [&command, coding] { return count_lines({command.text}, coding); },
          .inputs = {command.text}};
}

}  // namespace

int run_score(const std::vector<std::string>& arguments) {
  if (asks_for_words(arguments)) return run_score_words(arguments);
  std::optional<ScoreCommand> parsed = parse_score(arguments);
  if (!parsed) return 0;
  ScoreCommand& command = *parsed;
  const Model model = Model::load(command.model);
  expect_words(*command.dialect, model.tokenizer());
  Accounting& accounting = command.options.accounting;
  if (!accounting.begin) accounting.begin = model.begin_policy();
  accounting.end = accounting.end && model.tokenizer().boundary() >= 0;
  Terminal terminal(command.quiet);
  UnitOutput out(command.shards, plan_of(command, model), terminal);
  if (out.is_complete()) return 0;
  command.options.tokens = command.options.tokens || out.is_file();
  command.options.ngram = command.ngram.read(&terminal);
  const ScoreTotals totals =
      command.objects ? score_objects(command, model, out, terminal) : score_lines(command, model, out, terminal);
  if (totals.unknown_tokens > 0) {
    terminal.line(fmt::format("{} of {} tokens are unknown to the model; they are {}", grouped(totals.unknown_tokens),
                              grouped(totals.tokens), unknown_words(command.options.accounting)));
  }
  return 0;
}

}  // namespace unroll
