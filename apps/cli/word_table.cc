#include "cli/word_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cli/escaped.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/quantities.h"
#include "cli/terminal.h"
#include "unroll/error.h"
#include "unroll/text.h"
#include "unroll/word_scorer.h"

namespace unroll {
namespace {

constexpr std::string_view kMissing = "NA";

struct WordsCommand {
  std::string model;
  std::string text = "-";
  WordScorerOptions options;
  bool words = false;
  bool no_end = false;
  bool quiet = false;
};

bool parse(const std::vector<std::string>& arguments, WordsCommand* command) {
  WordScorerOptions& options = command->options;
  Flags flags(
      "unroll score MODEL [TEXT|-] --words [flags]",
      "Gives each word of a text its surprisal, whatever the model's tokens are: characters, bytes, sub-words, "
      "words. That a word ends is part of its probability, so that all words after a context sum to 1. Rows are "
      "word, sentence, place, length, surprisal, entropy before the word, entropy reduction, in bits.");
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command->model);
  flags.toggle({"--words", "", "a table of words (other forms: unroll score --help)", ""}, &command->words);
  flags.text({"--state", "POLICY", "reset: each line by itself; carry: a line goes on from the line before", "reset"},
             [&options](const std::string& value) { options.state = parse_state(value); });
  flags.toggle({"--no-end", "", "leave out the end of the line, which otherwise has a row too", ""}, &command->no_end);
  flags.real({"--temperature", "X", "divides the logits: above 1 less certain, below 1 more", "1"}, {1e-3, 1e3},
             [&options](double x) { options.temperature = x; });
  flags.heading("What could have stood there");
  flags.whole({"--top", "N", "the N most probable words in each place, and the word's rank among all", "0"}, {0, 1000},
              [&options](std::int64_t n) { options.top = n; });
  flags.whole({"--budget", "N",
               "where tokens are not words: beginnings of words that are gone into for each word. More is slower, and "
               "narrows the entropy's bounds",
               "256"},
              {1, 1 << 20}, [&options](std::int64_t n) { options.budget = n; });
  flags.whole({"--longest", "N", "words of more tokens than this count as one for each beginning", "16"}, {1, 1 << 10},
              [&options](std::int64_t n) { options.longest = n; });
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all cores"}, {1, 1024},
              [&options](std::int64_t n) { options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command->quiet);
  flags.example("unroll score book.safetensors sentences.txt --words > words.txt",
                "A table for R: read.table(\"words.txt\", header=TRUE, quote=\"\").");
  flags.example("echo 'the cat sat' | unroll score book.safetensors --words --top 5",
                "What the model expected instead.");
  if (!flags.parse(arguments)) return false;
  std::vector<std::string> positionals = flags.positionals();
  command->model = take_model(command->model, &positionals);
  if (positionals.size() > 1) {
    throw Error(ErrorCode::kUsage, fmt::format("unexpected argument \"{}\": score takes one TEXT", positionals[1]));
  }
  if (!positionals.empty()) command->text = positionals.front();
  options.end = !command->no_end;
  return true;
}

// Adding zero turns a negative zero into a plain one.
double bits(double nats) { return nats / std::numbers::ln2 + 0.0; }

std::string header(const WordsCommand& command, const Model& model, bool exact) {
  const WordScorerOptions& options = command.options;
  const Tokenizer& tokenizer = model.tokenizer();
  const std::string boundary = escaped(tokenizer.symbol(tokenizer.boundary()));
  std::string text = fmt::format(
      "# policy: state {}; begin {} (read, not scored); end {}; unknown {}; tokenizer {}; temperature {}; precision "
      "{}\n",
      state_policy_name(options.state), boundary, options.end ? boundary + " (scored)" : std::string("not scored"),
      tokenizer.unknown() < 0 ? "none" : "scored as <unk>", tokenizer_kind_name(tokenizer.kind()), options.temperature,
      precision_name(model.precision()));
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
  text += "word sentid sentpos wlen surp entropy entred";
  if (!exact) text += " entropyhi";
  if (options.top > 0) text += " rank";
  for (std::int64_t i = 1; i <= options.top; ++i) text += fmt::format(" word{} p{}", i, i);
  return text + '\n';
}

// A word as it stands between blanks.
std::string as_field(const std::string& word) {
  std::string text;
  for (const char byte : escaped(word)) {
    if (byte == ' ') {
      text += "\\s";
    } else {
      text += byte;
    }
  }
  return text;
}

std::int64_t characters(const std::string& word) {
  return std::ranges::count_if(word, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
}

std::string rows(const std::vector<WordScore>& words, std::int64_t sentence, bool exact, std::int64_t top) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const WordScore& word = words[i];
    const double fall = i == 0 ? 0 : words[i - 1].entropy.lower - word.entropy.lower;
    text += fmt::format("{} {} {} {} {} {} {}", as_field(word.text), sentence, i, characters(word.text),
                        bits(-word.log_prob), bits(word.entropy.lower), bits(std::max(0.0, fall)));
    if (!exact) text += fmt::format(" {}", bits(word.entropy.upper));
    if (top > 0) text += word.rank ? fmt::format(" {}", *word.rank) : fmt::format(" {}", kMissing);
    for (std::size_t n = 0; n < static_cast<std::size_t>(top); ++n) {
      text += n < word.top.size() ? fmt::format(" {} {}", as_field(word.top[n].text), std::exp(word.top[n].log_prob))
                                  : fmt::format(" {} {}", kMissing, kMissing);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

bool asks_for_words(const std::vector<std::string>& arguments) {
  return std::ranges::find(arguments, "--words") != arguments.end();
}

int run_score_words(const std::vector<std::string>& arguments) {
  WordsCommand command;
  if (!parse(arguments, &command)) return 0;
  const Model model = Model::load(command.model);
  WordScorer scorer(model, command.options);
  LineReader reader(command.text);
  Terminal terminal(command.quiet);
  Output out;
  out.write(header(command, model, scorer.tokens_are_words()));
  std::int64_t lines = 0;
  std::int64_t symbols = 0;
  std::int64_t unknown = 0;
  for (std::string line; reader.next(line); ++lines) {
    const std::vector<WordScore> words = scorer.score(line, lines + 1);
    for (const WordScore& word : words) {
      symbols += word.predictions;
      unknown += word.unknown_symbols;
    }
    out.write(rows(words, lines, scorer.tokens_are_words(), command.options.top));
    if (!reader.ready()) out.flush();
    if (terminal.live_due()) terminal.live(fmt::format("{} lines, {} tokens", grouped(lines + 1), grouped(symbols)));
  }
  out.flush();
  if (unknown > 0) {
    terminal.line(fmt::format("{} of {} tokens are unknown to the model; they are scored as <unk>", grouped(unknown),
                              grouped(symbols)));
  }
  return 0;
}

}  // namespace unroll
