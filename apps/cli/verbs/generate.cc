#include <fmt/core.h>

#include <optional>
#include <string>

#include "cli/flags/accounting_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/output.h"
#include "cli/verbs/verbs.h"
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

// One text on standard output. It ends with a newline even when the model did not write one.
void write_sample(const GenerateCommand& command, Generator& generator, Output& out) {
  std::string prompt = command.prompt;
  bool at_line_start = prompt.empty() || prompt.ends_with('\n');
  // The prompt is shown once the model has read it: a prompt that it cannot read leaves standard output empty.
  const auto show = [&](std::string_view piece) {
    out.write(prompt);
    prompt.clear();
    out.write(piece);
    out.flush();
    if (!piece.empty()) at_line_start = piece.ends_with('\n');
    return true;
  };
  generator.write(command.prompt, command.length, show);
  show("");
  if (!at_line_start) out.write("\n");
  out.flush();
}

}  // namespace

int run_generate(const std::vector<std::string>& arguments) {
  std::optional<GenerateCommand> parsed = parse_generate(arguments);
  if (!parsed) return 0;
  GenerateCommand& command = *parsed;
  Generator generator(Model::load(command.model), command.options);
  Output out;
  for (std::int64_t sample = 0; sample < command.count; ++sample) {
    if (sample > 0) out.write("----\n");
    write_sample(command, generator, out);
  }
  return 0;
}

}  // namespace unroll
