#include <fmt/core.h>

#include <array>
#include <span>
#include <string>
#include <utility>

#include "cli/adaptation_flags.h"
#include "cli/flags.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/quantities.h"
#include "cli/score_text.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "unroll/error.h"
#include "unroll/scorer.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Enough lines to fill the processor, few enough that a long file prints as it goes.
constexpr std::size_t kBatchLines = 512;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;

struct ScoreCommand {
  std::string model;
  std::string text = "-";
  ScorerOptions options;
  ScoreFormat format;
  bool quiet = false;
};

void add_flags(Flags* flags, AdaptationFlags* adaptation, ScoreCommand* command) {
  flags->heading("Text");
  flags->path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command->model);
  flags->text({"--state", "POLICY", "reset: each line by itself; carry: a line goes on from the line before", "reset"},
              [command](const std::string& value) { command->options.state = parse_state(value); });
  flags->toggle({"--no-end", "", "leave out the end of the line, which is otherwise scored like a token", ""},
                &command->format.no_end);
  adaptation->declare(flags);
  flags->heading("Output");
  flags->text({"--log-base", "B", "base of the logarithms: e, 2 or 10", "e"}, [command](const std::string& value) {
    constexpr std::array<LogBase, 3> kBases{LogBase::kE, LogBase::k2, LogBase::k10};
    command->format.base = kBases.at(parse_choice(value, {"e", "2", "10"}));
  });
  flags->toggle({"--tokens", "", "one row per token: log-probability, rank, entropy of the prediction, token", ""},
                &command->format.tokens);
  flags->toggle({"--json", "", "one JSON object per line of text, with all its tokens; always in nats", ""},
                &command->format.json);
  flags->heading("Run");
  flags->whole({"--threads,-t", "N", "threads; any number gives the same result", "all cores"}, {1, 1024},
               [command](std::int64_t n) { command->options.threads = static_cast<int>(n); });
  flags->toggle({"--quiet", "", "no notes on standard error", ""}, &command->quiet);
}

bool parse(const std::vector<std::string>& arguments, ScoreCommand* command) {
  Flags flags(
      "unroll score MODEL [TEXT|-] [flags]",
      "Gives each line of a text its log-probability under a model; TEXT is a file, a .gz, or standard input. The "
      "same line gets the same bits wherever it stands, and a line that comes through a pipe is answered at once. "
      "Rows are log-probability, number of tokens, text, separated by tabs; lines that begin with # explain.");
  AdaptationFlags adaptation;
  add_flags(&flags, &adaptation, command);
  flags.example("unroll score book.safetensors sentences.txt", "One row for each sentence.");
  flags.example("echo 'In the beginning' | unroll score book.safetensors --tokens --log-base 2",
                "The surprise of each token, in bits (and negative).");
  flags.example("unroll score book.safetensors sentences.txt --json | jq .log_prob", "For programs.");
  if (!flags.parse(arguments)) return false;
  std::vector<std::string> positionals = flags.positionals();
  command->model = take_model(command->model, &positionals);
  if (positionals.size() > 1) {
    throw Error(ErrorCode::kUsage, fmt::format("unexpected argument \"{}\": score takes one TEXT", positionals[1]));
  }
  if (!positionals.empty()) command->text = positionals.front();
  if (command->format.json && flags.given("--log-base")) {
    throw Error(ErrorCode::kUsage, "--json is always in nats: leave --log-base out");
  }
  command->options.adaptation = adaptation.adaptation(flags);
  command->options.end = !command->format.no_end;
  command->options.tokens = command->format.tokens || command->format.json;
  return true;
}

// Lines that have arrived are scored together; a pipe that pauses gets what it has sent answered.
class LineScoring {
 public:
  LineScoring(const ScoreCommand& command, const Model& model)
      : format_(command.format), scorer_(model, command.options), reader_(command.text) {}

  void run(Output* out) {
    while (gather()) {
      answer(out);
      out->flush();
    }
  }

  [[nodiscard]] std::int64_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::int64_t unknown_tokens() const noexcept { return unknown_tokens_; }

 private:
  bool gather() {
    lines_.clear();
    std::size_t bytes = 0;
    while (!ended_ && lines_.size() < kBatchLines && bytes < kBatchBytes && (lines_.empty() || reader_.ready())) {
      std::string line;
      ended_ = !reader_.next(line);
      if (ended_) break;
      bytes += line.size();
      lines_.push_back(std::move(line));
    }
    return !lines_.empty();
  }

  void answer(Output* out) {
    std::vector<Score> scores;
    try {
      scores = scorer_.score(lines_, next_line_);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInput) throw;
      // One line cannot be scored. Those before it get their rows all the same, however they were batched.
      for (const std::string& line : lines_) {
        print(out, scorer_.score(std::span(&line, 1), next_line_).front(), line);
        out->flush();
      }
      throw;
    }
    for (std::size_t i = 0; i < scores.size(); ++i) print(out, scores[i], lines_[i]);
  }

  void print(Output* out, const Score& score, const std::string& line) {
    out->write(format_score(format_, score, line));
    tokens_ += score.predictions;
    unknown_tokens_ += score.unknown_tokens;
    ++next_line_;
  }

  ScoreFormat format_;
  Scorer scorer_;
  LineReader reader_;
  std::vector<std::string> lines_;
  std::int64_t next_line_ = 1;
  std::int64_t tokens_ = 0;
  std::int64_t unknown_tokens_ = 0;
  bool ended_ = false;
};

}  // namespace

int run_score(const std::vector<std::string>& arguments) {
  ScoreCommand command;
  if (!parse(arguments, &command)) return 0;
  const Model model = Model::load(command.model);
  LineScoring scoring(command, model);
  Output out;
  out.write(format_header(command.format, command.options, model));
  scoring.run(&out);
  out.flush();
  if (scoring.unknown_tokens() > 0) {
    Terminal(command.quiet)
        .line(fmt::format("{} of {} tokens are unknown to the model; they are scored as <unk>",
                          grouped(scoring.unknown_tokens()), grouped(scoring.tokens())));
  }
  return 0;
}

}  // namespace unroll
