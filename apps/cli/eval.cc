#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/adaptation_flags.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/quantities.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Nobody needs a progress line for what is over before they read it.
constexpr double kSilentSeconds = 2;

struct EvalCommand {
  std::string model;
  std::vector<std::string> texts;
  EvaluateOptions options;
  bool json = false;
  bool quiet = false;
};

bool parse(const std::vector<std::string>& arguments, EvalCommand* command) {
  Flags flags("unroll eval MODEL TEXT... [flags]",
              "Tells how well a model predicts a text: the mean loss of every token of it, and what follows from that. "
              "Several files are read as one; .gz is unpacked; - is standard input.");
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command->model);
  flags.text({"--state", "POLICY", "carry: the state goes on from line to line; reset: each line by itself",
              "as the model was trained"},
             [command](const std::string& value) {
               command->options.state =
                   parse_choice(value, {"carry", "reset"}) == 0 ? StatePolicy::kCarry : StatePolicy::kReset;
             });
  flags.toggle({"--exact", "",
                "a carried text as one piece, instead of pieces that are each warmed on the 256 tokens before "
                "them; slower",
                ""},
               &command->options.exact);
  AdaptationFlags adaptation;
  adaptation.declare(&flags);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all cores"}, {1, 1024},
              [command](std::int64_t n) { command->options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command->json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command->quiet);
  flags.example("unroll eval book.safetensors other.txt", "A table for people.");
  flags.example("unroll eval book.safetensors other.txt --json",
                "The same numbers, and all their digits, for programs.");
  if (!flags.parse(arguments)) return false;
  command->options.adaptation = adaptation.adaptation(flags);
  command->texts = flags.positionals();
  command->model = take_model(command->model, &command->texts);
  if (command->texts.empty()) throw Error(ErrorCode::kUsage, "which TEXT? Give MODEL and then the text to predict");
  return true;
}

double tokens_per_s(const Evaluation& result) {
  return result.seconds > 0 ? static_cast<double>(result.tokens) / result.seconds : 0;
}

std::string as_json(const Evaluation& result, Precision precision, const Adaptation& adaptation) {
  nlohmann::ordered_json object{{"tokens", result.tokens},
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
                                {"exact", result.exact},
                                {"precision", precision_name(precision)}};
  put_adaptation(&object, adaptation);
  object["tokens_per_s"] = tokens_per_s(result);
  return object.dump() + '\n';
}

std::string state_words(const Evaluation& result) {
  if (result.state == StatePolicy::kReset) return "reset: each line by itself";
  return result.exact ? "carry: one piece (exact)" : "carry: in pieces, each warmed on the 256 tokens before it";
}

std::string as_table(const Evaluation& result, Precision precision, const Adaptation& adaptation) {
  const std::string_view note =
      result.comparable ? "" : "  (not comparable: the tokenizer loses text, or tokens are unknown)";
  std::string text;
  text += fmt::format("tokens                {}\n", grouped(result.tokens));
  text += fmt::format("unknown tokens        {}\n", grouped(result.unknown_tokens));
  text += fmt::format("nats per token        {:.5f}\n", result.nats_per_token);
  text += fmt::format("perplexity            {:.4f}\n", result.perplexity);
  text += fmt::format("  without unknown     {:.4f}\n", result.perplexity_without_unknown);
  text += fmt::format("bits per character    {:.5f}{}\n", result.bits_per_char, note);
  text += fmt::format("bits per byte         {:.5f}{}\n", result.bits_per_byte, note);
  text += fmt::format("characters, bytes     {}, {}\n", grouped(result.characters), grouped(result.bytes));
  text += fmt::format("state                 {}\n", state_words(result));
  text += fmt::format("precision             {}\n", precision_name(precision));
  if (const std::string words = describe(adaptation); !words.empty()) {
    text += fmt::format("adaptation            {}\n", words);
  }
  text += fmt::format("speed                 {} tokens/s\n", grouped(static_cast<std::int64_t>(tokens_per_s(result))));
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " + ") + name;
  return text;
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
  EvalCommand command;
  if (!parse(arguments, &command)) return 0;
  const Model model = Model::load(command.model);
  const std::string text = read_texts(command.texts);
  Terminal terminal(command.quiet);
  const auto start = std::chrono::steady_clock::now();
  command.options.progress = [&](std::int64_t done, std::int64_t total) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < kSilentSeconds || done == 0 || !terminal.live_due()) return;
    const double speed = static_cast<double>(done) / seconds;
    terminal.live(fmt::format("evaluating  {}%  {} tokens/s  {} left", 100 * done / total,
                              grouped(static_cast<std::int64_t>(speed)),
                              people_seconds(static_cast<double>(total - done) / speed)));
  };
  const Evaluation result = evaluate(model, text, joined(command.texts), command.options);
  terminal.keep_live();
  Output out;
  out.write(command.json ? as_json(result, model.precision(), command.options.adaptation)
                         : as_table(result, model.precision(), command.options.adaptation));
  out.flush();
  return 0;
}

}  // namespace unroll
