#include "cli/verbs/convert_ngram.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/ngram/imitation.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct ConvertNgramCommand {
  std::string model;
  std::string path;
  std::string text;
  ImitationOptions options;
  bool overwrite = false;
  bool quiet = false;
};

std::optional<ConvertNgramCommand> parse_convert_ngram(const std::vector<std::string>& arguments) {
  ConvertNgramCommand command;
  Flags flags("unroll convert MODEL --ngram FILE.arpa [flags]",
              "Writes n-grams that imitate a model of words, as an ARPA file, for decoders that read nothing else. The "
              "network writes text, and for each context in it the n-grams list the mean of what the network predicts "
              "there; n-grams that hardly matter are left out. At the end the perplexity of both is told, on text that "
              "was held out.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.path({"--ngram", "FILE", "where the n-grams go", ""}, &command.path);
  flags.whole({"--order", "N", "words in the longest n-grams", fmt::format("{}", command.options.order)},
              {1, kLargestImitation}, [&command](std::int64_t n) { command.options.order = n; });
  flags.whole(
      {"--tokens", "N", "tokens that the network writes to learn from", fmt::format("{}", command.options.tokens)},
      {1, kLargestCount}, [&command](std::int64_t n) { command.options.tokens = n; });
  flags.path({"--text", "FILE", "learn from the predictions on this text instead", ""}, &command.text);
  flags.exclusive({"--tokens", "--text"});
  flags.real({"--prune", "X", "leave out n-grams that change the perplexity by a smaller share than X; 0: none",
              fmt::format("{}", command.options.prune)},
             {.least = 0, .most = 1}, [&command](double x) { command.options.prune = x; });
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.seed(&command.options.seed);
  flags.exclusive({"--seed", "--text"});
  flags.whole({"--threads,-t", "N", "threads; any number gives the same file", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "say nothing but errors", ""}, &command.quiet);
  flags.example("unroll convert words.safetensors --ngram words.arpa --order 4",
                "4-grams that predict as the network does, as far as three words tell.");
  flags.example("unroll convert words.safetensors --ngram words.arpa --text train.txt",
                "The same on the text that the network was trained on.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.model = take_only_model("convert", command.model, flags.positionals());
  return command;
}

std::string counts_words(const std::vector<std::int64_t>& counts) {
  std::string words;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    words += fmt::format("{}{} {}-grams", i == 0 ? "" : ", ", grouped(counts[i]), i + 1);
  }
  return words;
}

}  // namespace

bool asks_for_ngram(const std::vector<std::string>& arguments) {
  return std::ranges::any_of(
      arguments, [](const std::string& argument) { return argument == "--ngram" || argument.starts_with("--ngram="); });
}

int run_convert_ngram(const std::vector<std::string>& arguments) {
  std::optional<ConvertNgramCommand> parsed = parse_convert_ngram(arguments);
  if (!parsed) return 0;
  ConvertNgramCommand& command = *parsed;
  const Model model = Model::load(command.model);
  expect_output("--ngram", command.path, {command.model, command.text}, command.overwrite);
  Terminal terminal(command.quiet);
  std::string text;
  if (!command.text.empty()) {
    text = read_text(command.text, text_coding(model.tokenizer().kind()));
    command.options.text = NamedText{text, text_name(command.text)};
  }
  command.options.progress = [&](const std::string& what, std::int64_t done, std::int64_t total) {
    if (terminal.live_due()) terminal.live(fmt::format("{}  {}%", what, 100 * done / total));
  };
  const Imitation result = imitate(model, command.options, command.path);
  terminal.line(fmt::format("learned from {} tokens: {}", grouped(result.tokens), counts_words(result.before_pruning)));
  terminal.line(fmt::format("{}: {}; every context sums to 1 within {:.1g}", command.path, counts_words(result.ngrams),
                            result.largest_sum_error));
  if (std::ssize(result.ngrams) < command.options.order) {
    terminal.line(fmt::format("the order is {}: longer n-grams hardly change the perplexity, or the text has none",
                              result.ngrams.size()));
  }
  terminal.line(fmt::format("perplexity on {} tokens that were held out: network {:.2f}, n-grams {:.2f}",
                            grouped(result.held_out), result.network_perplexity, result.ngram_perplexity));
  return 0;
}

}  // namespace unroll
