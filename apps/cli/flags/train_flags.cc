#include "cli/flags/train_flags.h"

#include <fmt/core.h>

#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/recipe.h"
#include "cli/flags/regularization_flags.h"
#include "cli/flags/tokenizer_flag.h"
#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// What a recipe cannot say: where this run's files are, and what concerns this run alone.
const std::vector<std::string> kNotInRecipes{"--valid",     "--vocab", "--save", "--save-every", "--resume",
                                             "--overwrite", "--from",  "--log",  "--quiet"};

void add_recipe_flag(Flags* flags, std::string* name) {
  flags->heading("Recipe");
  flags->presets(
      {"--recipe", "NAME",
       "take all settings from a recipe (unroll recipes lists them) or from a file FILE.toml; flags that are "
       "given beside it override it",
       ""},
      kNotInRecipes, [name](const std::string& text) {
        Recipe recipe = find_recipe(text);
        *name = recipe.name;
        return std::move(recipe.flags);
      });
}

// The recipe's name and what it still decides, as flags.
std::string recipe_words(const std::string& name, const Flags& flags) {
  std::string words = name + ":";
  for (const PresetFlag& preset : flags.held_presets()) {
    const bool* const toggle = std::get_if<bool>(&preset.value);
    if (toggle == nullptr) {
      words += std::visit([&](const auto& value) { return fmt::format(" --{} {}", preset.name, value); }, preset.value);
    } else if (*toggle) {
      words += " --" + preset.name;
    }
  }
  return words;
}

void add_text_flags(Flags* flags, TrainOptions* options) {
  flags->heading("Text");
  flags->text(
      {"--tokenizer", "KIND",
       "how text becomes tokens. char: Unicode characters; byte: the bytes of any file; word: words as Unicode "
       "finds them; whitespace: text that is tokenised already, split at white space; FILE.model: sub-words of a "
       "SentencePiece model (unroll tokenize train makes one)",
       std::string(tokenizer_kind_name(options->tokenizer.kind))},
      [options](const std::string& value) { set_tokenizer(value, &options->tokenizer); });
  flags->toggle({"--lowercase", "", "fold words to lower case (word, whitespace)", ""}, &options->tokenizer.lowercase);
  flags->whole({"--vocab-size", "N", "keep the N most frequent tokens; the others are <unk>", "all"}, {2, kLargestSize},
               [options](std::int64_t n) { options->tokenizer.vocab_size = n; });
  flags->whole({"--min-count", "N", "leave out tokens that occur less often than N times",
                std::to_string(options->tokenizer.min_count)},
               {1, kLargestCount}, [options](std::int64_t n) { options->tokenizer.min_count = n; });
  flags->path({"--vocab", "FILE", "take the vocabulary from FILE, one token a line", ""},
              &options->tokenizer.vocab_file);
  flags->path({"--valid", "FILE", "validate on this text", ""}, &options->valid);
  flags->real({"--valid-split", "F",
               "without --valid: hold out this share of the text's end; 0: validate nothing, keep "
               "the last weights",
               fmt::format("{}", options->valid_split)},
              {.least = 0, .most = 1, .with_most = false}, [options](double f) { options->valid_split = f; });
  flags->text({"--state", "POLICY", "carry: the state goes on from line to line; reset: each line starts anew",
               std::string(state_policy_name(options->state))},
              [options](const std::string& value) { options->state = parse_state_policy(value); });
}

void add_network_flags(Flags* flags, TrainOptions* options) {
  flags->heading("Network");
  flags->text({"--cell", "CELL", "rnn-tanh, rnn-relu, lstm, gru, gru-reset-before, min-gru, or min-lstm",
               std::string(cell_name(options->cell))},
              [options](const std::string& value) { options->cell = parse_cell(value); });
  flags->whole({"--layers,--nlayers", "N", "recurrent layers, one above the other", std::to_string(options->layers)},
               {1, 1024}, [options](std::int64_t n) { options->layers = n; });
  flags->whole({"--hidden,--nhid", "N", "units in each recurrent layer", std::to_string(options->hidden)},
               {1, kLargestSize}, [options](std::int64_t n) { options->hidden = n; });
  flags->whole({"--embed,--emsize", "N", "numbers that stand for a token at the input", "as --hidden"},
               {1, kLargestSize}, [options](std::int64_t n) { options->embed = n; });
  flags->toggle({"--tied", "",
                 "the output layer shares the embedding's weights; where --embed is not --hidden, a projection stands "
                 "between",
                 ""},
                &options->tied);
  flags->toggle({"--residual", "", "each layer above the first adds its input to its output", ""}, &options->residual);
  flags->text({"--softmax", "KIND",
               "full; adaptive: frequent words first, rarer ones in ever narrower clusters: much faster where the "
               "vocabulary is large, exact, another model; sampled: the model of full, trained on a sample of the "
               "vocabulary in each step",
               std::string(softmax_name(options->softmax))},
              [options](const std::string& value) { options->softmax = parse_softmax(value); });
  flags->text({"--cutoffs", "N,...", "adaptive: how many of the most frequent words stand before each cluster",
               "from the vocabulary"},
              [options](const std::string& value) { options->cutoffs = parse_wholes(value); });
  flags->whole(
      {"--samples", "N", "sampled: words that each step compares with", "a tenth of the vocabulary, at most 8192"},
      {1, kLargestSize}, [options](std::int64_t n) { options->samples = n; });
  flags->belongs_to("--softmax", {"--cutoffs", "--samples"});
  flags->toggle({"--layer-norm", "", "layer normalisation inside the cells", ""}, &options->layer_norm);
  flags->text({"--init", "HOW", "uniform, or identity (rnn-relu: recurrent weights start as the identity)",
               std::string(init_name(options->init))},
              [options](const std::string& value) { options->init = parse_init(value); });
  flags->real({"--init-range", "X", "weights start uniform between -X and X", "by the sizes of the layers"},
              {.least = 0, .most = std::numeric_limits<double>::infinity(), .with_least = false},
              [options](double x) { options->init_range = x; });
  add_regularization_flags(flags, &options->regularization);
}

void add_file_flags(Flags* flags, TrainCommand* command) {
  TrainOptions* const options = &command->options;
  flags->heading("Files");
  flags->path({"--save", "MODEL", "where the model goes; must be given", ""}, &options->save);
  flags->whole({"--save-every", "N", "save what --resume needs every N steps", "about every 30 s"}, {1, kLargestCount},
               [options](std::int64_t n) { options->save_every = n; });
  flags->toggle(
      {"--resume", "", "go on with an interrupted run, from where it was saved; give the same flags again", ""},
      &options->resume);
  flags->toggle({"--overwrite", "", "replace an existing MODEL", ""}, &options->overwrite);
  flags->exclusive({"--resume", "--overwrite"});
  flags->path({"--from", "MODEL", "start from this model's weights; its network and tokenizer are kept", ""},
              &options->from);
  flags->path({"--log", "FILE",
               "write one JSON object per step: step, tokens, nats_per_token, lr, grad_norm, "
               "tokens_per_s, and valid_nats_per_token where measured; - is standard output",
               ""},
              &command->log);
  flags->toggle({"--quiet", "", "say nothing but errors", ""}, &command->quiet);
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code missing;
  return a == b || std::filesystem::equivalent(a, b, missing);
}

// Writing MODEL or the log must not destroy what the run reads.
void check_paths(const TrainCommand& command) {
  const TrainOptions& options = command.options;
  std::vector<std::string> inputs = options.texts;
  for (const std::string& path : {options.valid, options.tokenizer.vocab_file}) {
    if (!path.empty()) inputs.push_back(path);
  }
  expect_one_standard_input(inputs);
  for (const std::string& input : inputs) {
    if (same_file(input, options.save)) {
      throw Error(ErrorCode::kUsage, fmt::format("--save {} would replace the text that is read", options.save));
    }
    if (!command.log.empty() && input != "-" && same_file(input, command.log)) {
      throw Error(ErrorCode::kUsage, fmt::format("--log {} would replace the text that is read", command.log));
    }
  }
  if (options.save == "-") throw Error(ErrorCode::kUsage, "--save takes the path of a file, not standard output");
  if (!command.log.empty() && (same_file(command.log, options.save) || command.log == options.save + ".resume")) {
    throw Error(ErrorCode::kUsage, fmt::format("--log {} is where the model is saved", command.log));
  }
}

// The network and the tokenizer of --from are as they are.
void check_from(const Flags& flags) {
  if (!flags.given("--from")) return;
  for (const char* flag :
       {"--cell", "--layers", "--hidden", "--embed", "--tied", "--residual", "--cutoffs", "--layer-norm", "--init",
        "--init-range", "--tokenizer", "--lowercase", "--vocab", "--vocab-size", "--min-count"}) {
    if (flags.given(flag)) {
      throw Error(ErrorCode::kUsage, fmt::format("{} is what the model of --from has: leave it out", flag));
    }
  }
}

}  // namespace

bool parse_train_command(const std::vector<std::string>& arguments, TrainCommand* command) {
  Flags flags(
      "unroll train TEXT... --save MODEL.safetensors [flags]",
      "Learns a language model from text files (several are read as one; .gz is unpacked; - is standard input) and "
      "keeps the weights that predict the held-out text best. The same text, flags and seed give the same file, "
      "bit for bit. Ctrl-C saves and stops; --resume goes on as if nothing had happened.");
  std::string recipe;
  add_recipe_flag(&flags, &recipe);
  add_text_flags(&flags, &command->options);
  add_network_flags(&flags, &command->options);
  add_run_flags(&flags, &command->options);
  add_file_flags(&flags, command);
  flags.example("unroll train book.txt --save book.safetensors --minutes 2",
                "A character model in two minutes; nothing else needs to be said.");
  flags.example(
      "unroll train train.txt --valid valid.txt --tokenizer whitespace \\\n"
      "      --layers 2 --dropout 0.5 --save words.safetensors --log words.jsonl",
      "A word model of text that is tokenised already, with a log to plot.");
  flags.example("unroll train book.txt --recipe shakespeare --save book.safetensors",
                "Settings by name; unroll recipes lists the names.");
  flags.example("unroll train letters.txt --from book.safetensors --save letters.safetensors",
                "Adapts a model to another text.");
  if (!flags.parse(arguments)) return false;
  if (flags.given("--valid") && flags.given("--valid-split")) {
    throw Error(ErrorCode::kUsage, "--valid and --valid-split exclude each other: give one of them");
  }
  check_from(flags);
  if (flags.given("--vocab") && command->options.tokenizer.kind == TokenizerKind::kSentencePiece) {
    throw Error(ErrorCode::kUsage, "a SentencePiece model is its own vocabulary: leave out --vocab");
  }
  if (!recipe.empty()) command->recipe = recipe_words(recipe, flags);
  command->options.texts = flags.positionals();
  if (command->options.texts.empty()) {
    throw Error(ErrorCode::kUsage, "which TEXT? Give the path of a text to learn from; unroll train --help explains");
  }
  if (command->options.save.empty()) throw Error(ErrorCode::kUsage, "where to? Give --save MODEL.safetensors");
  check_paths(*command);
  return true;
}

}  // namespace unroll
