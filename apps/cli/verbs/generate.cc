#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cli/flags/accounting_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/output.h"
#include "cli/verbs/verbs.h"
#include "unroll/engine.h"
#include "unroll/error.h"
#include "unroll/generator.h"

namespace unroll {
namespace {

struct GenerateCommand {
  std::string model;
  std::string prompt;
  std::int64_t length = 500;
  std::int64_t count = 1;
  GeneratorOptions options;
};

void add_sampling_flags(Flags& flags, GeneratorOptions& options) {
  flags.heading("Sampling");
  flags.real({"--temperature,--temp", "X",
              "below 1 the text is safer, above 1 more surprising; 0: always the most probable token",
              fmt::format("{}", options.temperature)},
             {.least = 0, .most = 1e6}, [&options](double x) { options.temperature = x; });
  flags.whole({"--top-k", "K", "only the K most probable tokens; 0: all", std::to_string(options.top_k)},
              {0, kLargestSize}, [&options](std::int64_t k) { options.top_k = k; });
  flags.real(
      {"--top-p", "P", "only the most probable tokens that together reach P; 1: all", fmt::format("{}", options.top_p)},
      {.least = 0, .most = 1, .with_least = false}, [&options](double p) { options.top_p = p; });
  flags.real({"--min-p", "P", "only tokens at least P times as probable as the most probable one; 0: all",
              fmt::format("{}", options.min_p)},
             {.least = 0, .most = 1}, [&options](double p) { options.min_p = p; });
  flags.seed(&options.seed);
}

std::optional<GenerateCommand> parse_generate(const std::vector<std::string>& arguments) {
  GenerateCommand command;
  Flags flags(
      "unroll generate MODEL [flags]",
      "Writes text with a model, token by token. The prompt is printed first, then its continuation. A character of "
      "several tokens (bytes, or sub-words that are bytes) is written once it is whole, and left out where the length "
      "ends "
      "within it. The same seed writes the same text.");
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--prompt,-p", "TEXT", "what the text begins with", "the beginning of a line"},
             [&command](const std::string& value) { command.prompt = value; });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the text is to be", ""},
             [&command](const std::string& value) { command.options.label = value; });
  add_begin_flag(&flags, &command.options.begin);
  flags.whole({"--length,-n", "N", "how many tokens to write", std::to_string(command.length)}, {1, kLargestCount},
              [&command](std::int64_t n) { command.length = n; });
  flags.text({"--stop", "TEXT", "end before this would be written", ""},
             [&command](const std::string& value) { command.options.stop = value; });
  flags.whole({"--count", "N", "write N texts, a line of four dashes between them", std::to_string(command.count)},
              {1, kLargestCount}, [&command](std::int64_t n) { command.count = n; });
  add_sampling_flags(flags, command.options);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; more than one helps only with large networks",
               std::to_string(command.options.threads)},
              {1, 1024}, [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  bool quiet = false;
  flags.toggle({"--quiet", "", "accepted as by the other verbs; has no effect", ""}, &quiet);
  flags.example("unroll generate book.safetensors --prompt 'In the ' --temperature 0.8",
                "A text that begins with words.");
  flags.example("unroll generate book.safetensors --count 5 --length 100 --stop $'\\n' --seed 7",
                "Five lines, the same five each time.");
  flags.example("unroll generate names.safetensors --label Russian --count 5", "Five names, each to its end.");
  flags.example("unroll generate book.safetensors --temperature 0 --length 200", "Always the most probable token.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(command.model, &positionals);
  if (!positionals.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("unexpected argument \"{}\": a prompt is given with --prompt", positionals.front()));
  }
  return command;
}

// Prints texts in their order, each as far as it is known. A text ends with a newline even when the model did not write
// one, and a line of dashes comes before the next.
class TextsInOrder {
 public:
  TextsInOrder(const GenerateCommand& command, Output& out) : command_(command), out_(out) {}

  // How many were printed to their end.
  [[nodiscard]] std::int64_t printed() const noexcept { return printed_; }

  // Takes what became of a text. Throws its error once the text before the failure, and all texts before it, are
  // printed.
  void take(const TextEvent& event) {
    Text& text = texts_[event.text];
    text.rest += event.piece;
    text.ended = event.finish.has_value();
    text.error = event.error;
    while (print_first()) {
    }
  }

 private:
  struct Text {
    std::string rest = {};  // that is not printed
    bool ended = false;
    std::optional<Error> error = {};
  };

  // Prints what is known of the first text that is not printed to its end. True if it now is.
  bool print_first() {
    const auto first = texts_.find(printed_ + 1);
    if (first == texts_.end()) return false;
    Text& text = first->second;
    if (text.error && text.rest.empty()) throw Error(*text.error);
    // The prompt is shown once the model has read it: a prompt that it cannot read leaves standard output empty.
    if (!begun_) begin();
    if (!text.rest.empty()) at_line_start_ = text.rest.ends_with('\n');
    out_.write(std::exchange(text.rest, {}));
    if (text.ended && !at_line_start_) out_.write("\n");
    out_.flush();
    if (text.error) throw Error(*text.error);
    if (!text.ended) return false;
    texts_.erase(first);
    ++printed_;
    begun_ = false;
    return true;
  }

  void begin() {
    if (printed_ > 0) out_.write("----\n");
    out_.write(command_.prompt);
    at_line_start_ = command_.prompt.empty() || command_.prompt.ends_with('\n');
    begun_ = true;
  }

  const GenerateCommand& command_;
  Output& out_;
  std::map<std::int64_t, Text> texts_;  // by their numbers in the engine, which count from 1
  std::int64_t printed_ = 0;
  bool begun_ = false;  // the first one that is not printed to its end
  bool at_line_start_ = true;
};

// How many texts are written side by side: those after the first wait in memory until it is printed.
std::int64_t texts_at_once(const GenerateCommand& command) {
  constexpr std::int64_t kMostTexts = 64;
  constexpr std::int64_t kMostSymbols = std::int64_t{1} << 22;
  return std::min(command.count, std::clamp<std::int64_t>(kMostSymbols / command.length, 1, kMostTexts));
}

}  // namespace

int run_generate(const std::vector<std::string>& arguments) {
  std::optional<GenerateCommand> parsed = parse_generate(arguments);
  if (!parsed) return 0;
  GenerateCommand& command = *parsed;
  const std::int64_t at_once = texts_at_once(command);
  Engine engine(Model::load(command.model), {.threads = command.options.threads, .texts = at_once});
  Output out;
  TextsInOrder texts(command, out);
  std::int64_t asked = 0;
  while (texts.printed() < command.count) {
    for (; asked < std::min(command.count, texts.printed() + 2 * at_once); ++asked) {
      engine.add({.prompt = command.prompt,
                  .length = command.length,
                  .options = command.options,
                  .copy = static_cast<std::uint32_t>(asked)});
    }
    for (const TextEvent& event : engine.step()) texts.take(event);
  }
  return 0;
}

}  // namespace unroll
