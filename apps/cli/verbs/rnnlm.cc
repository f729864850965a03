#include <fmt/core.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "cli/streams/line_batches.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/scored_lists.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/nbest/hypothesis_scorer.h"
#include "unroll/nbest/nbest.h"
#include "unroll/scorer.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view kHelp =
    "usage: unroll rnnlm -rnnlm MODEL -test TEXT [-nbest] [-independent] [-debug N]\n\n"
    "Scores text for scripts that call rnnlm (Mikolov et al. 2011). A link to the program that is called rnnlm takes "
    "the\n"
    "same arguments. Numbers are decimal logarithms, the end of each line is scored.\n\n"
    "  -rnnlm MODEL   a model of unroll, not of rnnlm\n"
    "  -test TEXT     a file, a .gz, or - for standard input\n"
    "  -nbest         each line is the id of an utterance and the words of a hypothesis: prints a number for each\n"
    "  -independent   each line from a zero state. Without it a line goes on from the line before, and with -nbest "
    "from\n"
    "                 the first hypothesis of the utterance before\n"
    "  -debug N       0: a number for each line alone; 1, the default: then the sum and the perplexity (without "
    "-nbest\n"
    "                 these alone)\n";

struct RnnlmCommand {
  std::string model;
  std::string test;
  bool nbest = false;
  bool independent = false;
  bool help = false;
  bool summary = true;
};

RnnlmCommand parse_rnnlm(const std::vector<std::string>& arguments) {
  RnnlmCommand command;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == arguments.size()) throw Error(ErrorCode::kUsage, fmt::format("{} needs a value", name));
      return arguments[++i];
    };
    if (name == "-rnnlm") {
      command.model = value();
    } else if (name == "-test") {
      command.test = value();
    } else if (name == "-nbest") {
      command.nbest = true;
    } else if (name == "-independent") {
      command.independent = true;
    } else if (name == "--help" || name == "-h") {
      command.help = true;
    } else if (name == "-debug") {
      const std::string& level = value();
      if (level != "0" && level != "1") {
        throw Error(
            ErrorCode::kUsage,
            fmt::format("-debug {}: expected 0 or 1 (unroll score --tokens prints the score of each token)", level));
      }
      command.summary = level == "1";
    } else if (name == "-lm-prob" || name == "-lambda") {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is not supported: unroll rescore --lambda mixes with the scores in the "
                              "lists",
                              name));
    } else {
      throw Error(ErrorCode::kUsage,
                  fmt::format("unknown argument {}: expected -rnnlm, -test, -nbest, -independent or -debug", name));
    }
  }
  if (command.help) return command;
  if (command.model.empty()) throw Error(ErrorCode::kUsage, "which model? Give -rnnlm MODEL");
  if (command.test.empty()) throw Error(ErrorCode::kUsage, "which text? Give -test TEXT");
  return command;
}

// Scores texts and prints as rnnlm does.
class RnnlmRun {
 public:
  RnnlmRun(const RnnlmCommand& command, const Model& model, Output& out)
      : command_(command), model_(model), out_(out) {}

  void run() {
    if (!command_.nbest) {
      score_lines();
    } else if (command_.independent) {
      score_independent_lists();
    } else {
      score_following_lists();
    }
    if (command_.summary) {
      if (tokens_ == 0) {
        throw Error(ErrorCode::kInput,
                    fmt::format("{} holds no line, so there is no perplexity", text_name(command_.test)));
      }
      out_.write(fmt::format("\ntest log probability: {}\n\nPPL net: {}\n", log10_sum_,
                             std::pow(10.0, -log10_sum_ / static_cast<double>(tokens_))));
    }
    out_.flush();
  }

 private:
  void take(double log_prob, bool print) {
    const double log10_prob = log_prob / std::numbers::ln10;
    log10_sum_ += log10_prob;
    if (print) out_.write(fmt::format("{}\n", log10_prob));
  }

  void score_lines() {
    const StatePolicy state = command_.independent ? StatePolicy::kReset : StatePolicy::kCarry;
    Scorer scorer(model_, {.accounting = {.state = state}, .tokens = false, .ranks = false});
    LineBatches batches(command_.test, LineIds::kNumber, text_coding(model_.tokenizer().kind()));
    LineBatch batch;
    while (batches.next(batch)) {
      const auto name = [&](std::size_t index) {
        return fmt::format("{}, line {}", batches.name(), batch.first_number + static_cast<std::int64_t>(index));
      };
      for (const Score& score : scorer.score(batch.lines, name)) {
        take(score.log_prob, !command_.summary);
        tokens_ += score.predictions;
      }
      out_.flush();
    }
  }

  // Lists that do not depend on each other are scored many at a time.
  void score_independent_lists() {
    HypothesisScorer scorer(model_);
    Terminal terminal(!command_.summary);
    ScoredLists lists(scorer, {command_.test}, kFormat, false, terminal);
    std::vector<ScoredList> batch;
    while (lists.next(batch)) {
      for (const ScoredList& scored : batch) {
        for (const Evidence& evidence : scored.evidence) take(evidence.lm, true);
        tokens_ += scored.tokens;
      }
      out_.flush();
    }
  }

  // Each list starts from a state that the list before leaves.
  void score_following_lists() {
    HypothesisScorer scorer(model_);
    Scorer steps(model_, {.tokens = false, .ranks = false});
    State start = steps.initial_state();
    NbestReader reader(command_.test, kFormat);
    NbestList list;
    while (reader.next(list)) {
      score(scorer, start, list, reader.name());
      read(steps, list.hypotheses.front().text, start);
      out_.flush();
    }
  }

  void score(HypothesisScorer& scorer, const State& start, const NbestList& list, const std::string& file) {
    std::vector<std::string> texts;
    for (const Hypothesis& hypothesis : list.hypotheses) texts.push_back(hypothesis.text);
    const auto name = [&](std::size_t index) {
      const Hypothesis& hypothesis = list.hypotheses[index];
      return fmt::format("{}, line {}, column {}", file, hypothesis.number, hypothesis.text_column);
    };
    for (const HypothesisScore& score : scorer.score_after(start, texts, name)) {
      take(score.log_prob, true);
      tokens_ += score.tokens;
    }
  }

  // Advances the state past a text and its end.
  void read(Scorer& steps, const std::string& text, State& state) const {
    for (const Token& token : model_.tokenizer().encode_line({text, ""})) steps.step(state, token.id);
    steps.step(state, model_.tokenizer().boundary());
  }

  inline static const NbestFormat kFormat = {.dialect = NbestDialect::kRnnlm};

  const RnnlmCommand& command_;
  const Model& model_;
  Output& out_;
  double log10_sum_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace

int run_rnnlm(const std::vector<std::string>& arguments) {
  const RnnlmCommand command = parse_rnnlm(arguments);
  Output out;
  if (command.help) {
    out.write(kHelp);
    out.flush();
    return 0;
  }
  const Model model = Model::load(command.model);
  RnnlmRun(command, model, out).run();
  return 0;
}

}  // namespace unroll
