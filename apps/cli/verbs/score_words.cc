#include "cli/verbs/score_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/dialects/word_row.h"
#include "cli/flags/accounting_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/log_base.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/count_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/escaped.h"
#include "cli/streams/line_batches.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "unroll/error.h"
#include "unroll/score/word_scorer.h"

namespace unroll {
namespace {

constexpr std::string_view kMissing = "NA";

struct WordsCommand {
  std::string model;
  std::string text;
  WordScorerOptions options;
  bool words = false;
  bool no_end = false;
  bool quiet = false;
  ShardRequest shards;
};

std::optional<WordsCommand> parse_score_words(const std::vector<std::string>& arguments) {
  WordsCommand command;
  WordScorerOptions& options = command.options;
  Flags flags(
      "unroll score MODEL [TEXT|-] --words [flags]",
      "Prints the surprisal of each word of a text, whatever the model's tokens are: characters, bytes, sub-words, "
      "words. The end of a word is part of its probability, so that all words after a context sum to 1. Rows are "
      "word, sentence, position, length, surprisal, entropy before the word, entropy reduction, in bits.");
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.toggle({"--words", "", "a table of words (other forms: unroll score --help)", ""}, &command.words);
  flags.text({"--state", "POLICY", "reset: each line by itself; carry: the state is kept from line to line", "reset"},
             [&options](const std::string& value) { options.state = parse_state_policy(value); });
  flags.toggle({"--no-end", "", "leave out the row of the end of the line", ""}, &command.no_end);
  flags.real({"--temperature", "X", "divides the logits: above 1 less certain, below 1 more", "1"}, {1e-3, 1e3},
             [&options](double x) { options.temperature = x; });
  flags.heading("Alternatives");
  flags.whole({"--top", "N", "the N most probable words at each position, and the word's rank among all", "0"},
              {0, 1000}, [&options](std::int64_t n) { options.top = n; });
  flags.whole(
      {"--budget", "N",
       "where tokens are not words: prefixes of words that are expanded for each word. More is slower and narrows "
       "the bounds of the entropy",
       "256"},
      {1, 1 << 20}, [&options](std::int64_t n) { options.budget = n; });
  flags.whole({"--longest", "N", "words of more than N tokens with the same first N tokens count as one", "16"},
              {1, 1 << 10}, [&options](std::int64_t n) { options.longest = n; });
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&options](std::int64_t n) { options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "lines", &command.shards);
  flags.example("unroll score book.safetensors sentences.txt --words > words.txt",
                "A table for R: read.table(\"words.txt\", header=TRUE, skip=2, quote=\"\", comment.char=\"\").");
  flags.example("echo 'the cat sat' | unroll score book.safetensors --words --top 5",
                "What the model expected instead.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(command.model, &positionals);
  command.text = take_text("score", positionals);
  options.end = !command.no_end;
  finish_shard_flags(flags, {command.model, command.text}, &command.shards);
  if (options.state == StatePolicy::kCarry) {
    refuse_with_shards(command.shards, "--state carry", "each line then depends on all lines before it");
  }
  return command;
}

std::string header(const WordsCommand& command, const Model& model, bool exact) {
  const WordScorerOptions& options = command.options;
  const Tokenizer& tokenizer = model.tokenizer();
  std::string text =
      fmt::format("# policy: {}; tokenizer {}; temperature {}; precision {}\n",
                  describe(Accounting{.state = options.state, .end = options.end}, tokenizer),
                  tokenizer_kind_name(tokenizer.kind()), options.temperature, precision_name(model.precision()));
  text +=
      "# surp: -log2 p of the word and of its end (bits); entropy: of what can stand there, before it is read "
      "(bits); entred: max(0, what the entropy fell by since the word before)\n";
  if (!exact) {
    text += fmt::format(
        "# entropy is a lower bound and entropyhi an upper one, from {} beginnings of words, at most {} tokens long; "
        "entred is of the lower bounds\n",
        options.budget, options.longest);
  }
  if (options.top > 0) text += "# rank, alternatives with their probabilities: NA where that search did not decide\n";
  text += kWordColumns;
  if (!exact) text += " entropyhi";
  if (options.top > 0) text += " rank";
  for (std::int64_t i = 1; i <= options.top; ++i) text += fmt::format(" word{} p{}", i, i);
  return text + '\n';
}

std::string rows(const std::vector<WordScore>& words, std::int64_t sentence, bool exact, std::int64_t top) {
  std::string text;
  WordRow row{.word = {}, .sentence = sentence};
  for (const WordScore& word : words) {
    row.word = word.text;
    row.log_prob = word.log_prob;
    row.entropy = word.entropy.lower;
    text += word_row(row);
    if (!exact) text += fmt::format(" {}", in_base(word.entropy.upper, LogBase::k2));
    if (top > 0) text += word.rank ? fmt::format(" {}", *word.rank) : fmt::format(" {}", kMissing);
    for (std::size_t n = 0; n < static_cast<std::size_t>(top); ++n) {
      text += n < word.top.size()
                  ? fmt::format(" {} {}", escaped_field(word.top[n].text), std::exp(word.top[n].log_prob))
                  : fmt::format(" {} {}", kMissing, kMissing);
    }
    text += '\n';
    row.entropy_before = word.entropy.lower;
    ++row.position;
  }
  return text;
}

ShardPlan plan_of_words(const WordsCommand& command, const Model& model) {
  return {.verb = "score --words",
          .parameters = count_parameters("lines", {"tokens", "unknown tokens"}),
          .models = {model_hash(model, command.model)},
          .count = [&command,
                    coding = text_coding(model.tokenizer().kind())] { return count_lines({command.text}, coding); },
          .inputs = {command.text}};
}

}  // namespace

bool asks_for_words(const std::vector<std::string>& arguments) {
  return std::ranges::find(arguments, "--words") != arguments.end();
}

int run_score_words(const std::vector<std::string>& arguments) {
  std::optional<WordsCommand> parsed = parse_score_words(arguments);
  if (!parsed) return 0;
  WordsCommand& command = *parsed;
  const Model model = Model::load(command.model);
  Terminal terminal(command.quiet);
  UnitOutput out(command.shards, plan_of_words(command, model), terminal);
  if (out.is_complete()) return 0;
  WordScorer scorer(model, command.options);
  LineBatches batches(command.text, LineIds::kNumber, text_coding(model.tokenizer().kind()), out.units());
  LineBatch batch;
  out.text().write(header(command, model, scorer.tokens_are_words()));
  out.end_head();
  std::int64_t lines = out.units().first;
  std::int64_t symbols = 0;
  std::int64_t unknown = 0;
  const auto score_line = [&](const std::string& line, std::int64_t number) {
    try {
      return scorer.score(line, number);
    } catch (const Error& error) {
      out.flush();  // the lines before keep their rows
      throw Error(error.code(), fmt::format("{}, {}", batches.name(), error.what()));
    }
  };
  while (batches.next(batch)) {
    for (const std::string& line : batch.lines) {
      const std::vector<WordScore> words = score_line(line, lines + 1);
      UnitSums sums{.counts = {0, 0}};
      for (const WordScore& word : words) {
        sums.counts[0] += word.predictions;
        sums.counts[1] += word.unknown_symbols;
      }
      symbols += sums.counts[0];
      unknown += sums.counts[1];
      out.text().write(rows(words, lines, scorer.tokens_are_words(), command.options.top));
      out.end_unit(sums);
      ++lines;
      if (terminal.live_due()) terminal.live(fmt::format("{} lines, {} tokens", grouped(lines), grouped(symbols)));
    }
    out.flush();
  }
  out.finish();
  if (unknown > 0) {
    terminal.line(fmt::format("{} of {} tokens are unknown to the model; they are scored as <unk>", grouped(unknown),
                              grouped(symbols)));
  }
  return 0;
}

}  // namespace unroll
