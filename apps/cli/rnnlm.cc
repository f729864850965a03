#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "cli/line_batches.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "unroll/error.h"
#include "unroll/hypothesis_scorer.h"
#include "unroll/nbest.h"
#include "unroll/scorer.h"

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

RnnlmCommand parse(const std::vector<std::string>& arguments) {
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
        throw Error(ErrorCode::kUsage,
                    fmt::format("-debug {}: expected 0 or 1 (unroll score --tokens tells about words)", level));
      }
      command.summary = level == "1";
    } else if (name == "-lm-prob" || name == "-lambda") {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is not taken here: unroll rescore --lambda mixes with the scores that "
                              "lists carry",
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
  RnnlmRun(const RnnlmCommand& command, const Model& model, Output* out)
      : command_(command), model_(model), out_(out) {}

  void run() {
    if (command_.nbest) {
      score_lists();
    } else {
      score_lines();
    }
    if (command_.summary) {
      if (tokens_ == 0) {
        throw Error(ErrorCode::kInput,
                    fmt::format("{} holds no line, so there is no perplexity",
                                command_.test == "-" ? "standard input" : fmt::format("'{}'", command_.test)));
      }
      out_->write(fmt::format("\ntest log probability: {}\n\nPPL net: {}\n", log10_sum_,
                              std::pow(10.0, -log10_sum_ / static_cast<double>(tokens_))));
    }
    out_->flush();
  }

 private:
  void take(double log_prob, std::int64_t tokens, bool print) {
    log10_sum_ += log_prob / std::numbers::ln10;
    tokens_ += tokens;
    if (print) out_->write(fmt::format("{}\n", log_prob / std::numbers::ln10));
  }

  void score_lines() {
    const StatePolicy state = command_.independent ? StatePolicy::kReset : StatePolicy::kCarry;
    Scorer scorer(model_, {.accounting = {.state = state}, .tokens = false, .ranks = false});
    LineBatches batches(command_.test, LineIds::kNumber);
    LineBatch batch;
    while (batches.next(&batch)) {
      try {
        for (const Score& score : scorer.score(batch.lines, batch.first_number)) {
          take(score.log_prob, score.predictions, !command_.summary);
        }
      } catch (const Error& error) {
        throw Error(error.code(), fmt::format("{}, {}", batches.name(), error.what()));
      }
      out_->flush();
    }
  }

  void score_lists() {
    HypothesisScorer scorer(model_);
    Scorer steps(model_, {.tokens = false, .ranks = false});
    State start = steps.initial_state();
    NbestReader reader(command_.test, {.dialect = NbestDialect::kRnnlm});
    bool more = true;
    while (more) {
      std::vector<NbestList> lists(1);
      std::size_t hypotheses = 0;
      // Lists that stand for themselves are scored together; else each waits for the one before.
      while ((more = reader.next(lists.back()))) {
        hypotheses += lists.back().hypotheses.size();
        if (!command_.independent || hypotheses >= kHypothesesAtOnce) break;
        lists.emplace_back();
      }
      if (!more) lists.pop_back();
      score(scorer, start, lists, reader.name());
      if (!command_.independent && more) read(steps, lists.front().hypotheses.front().text, start);
      out_->flush();
    }
  }

  void score(HypothesisScorer& scorer, const State& start, const std::vector<NbestList>& lists,
             const std::string& file) {
    std::vector<std::string> texts;
    std::vector<const Hypothesis*> places;
    for (const NbestList& list : lists) {
      for (const Hypothesis& hypothesis : list.hypotheses) {
        texts.push_back(hypothesis.text);
        places.push_back(&hypothesis);
      }
    }
    const auto name = [&](std::size_t index) {
      return fmt::format("{}, line {}, column {}", file, places[index]->number, places[index]->text_column);
    };
    for (const HypothesisScore& score : scorer.score_after(start, texts, name))
      take(score.log_prob, score.tokens, true);
  }

  // Moves the state past a text and its end.
  void read(Scorer& steps, const std::string& text, State& state) const {
    for (const Token& token : model_.tokenizer().encode_line(text, "")) steps.step(state, token.id);
    steps.step(state, model_.tokenizer().boundary());
  }

  static constexpr std::size_t kHypothesesAtOnce = 4096;

  const RnnlmCommand& command_;
  const Model& model_;
  Output* out_;
  double log10_sum_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace

int run_rnnlm(const std::vector<std::string>& arguments) {
  const RnnlmCommand command = parse(arguments);
  Output out;
  if (command.help) {
    out.write(kHelp);
    out.flush();
    return 0;
  }
  const Model model = Model::load(command.model);
  RnnlmRun(command, model, &out).run();
  return 0;
}

}  // namespace unroll
