#include "cli/verbs/tokenize_ids.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "cli/flags/flags.h"
#include "cli/flags/option_flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/tokenizer_flag.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "unroll/error.h"
#include "unroll/id_cache.h"
#include "unroll/model.h"
#include "unroll/train_options.h"

namespace unroll {
namespace {

struct TokenizeIdsCommand {
  TrainOptions options;   // of which text and tokenizer are read
  std::string tokenizer;  // as it was given
  std::string save;
  bool overwrite = false;
  bool quiet = false;
};

// The flags of train that decide which ids a text has.
void declare_train_flags(Flags* flags, TrainOptions* options) {
  const OptionFlags declare(flags);
  for_each_text_option(*options, [&](const TrainOption& option, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, std::int64_t> ||
                  std::is_same_v<Value, std::string>) {
      if (option.field.starts_with("tokenizer.")) declare(option, value);
    }
  });
  flags->real({"--valid-split", "X", "hold out this share of the text at its end, as train does; 0: nothing",
               fmt::format("{}", options->text.valid_split)},
              kShareRange, [options](double share) { options->text.valid_split = share; });
  flags->text({"--state", "POLICY", "that of the run: with reset, no line is cut to hold out the rest", "carry"},
              [options](const std::string& value) { options->text.state = parse_state_policy(value); });
}

void add_cache_flags(Flags& flags, TokenizeIdsCommand& command) {
  flags.heading("Text");
  flags.text({"--to", "FORM", "ids: an id cache (without it: unroll tokenize --help)", ""},
             [](const std::string& value) { static_cast<void>(parse_choice(value, {"ids"})); });
  flags.path({"--tokenizer,--model,-m", "X",
              "a model file or an id cache, whose tokenizer is taken; a SentencePiece model FILE.model; or char, byte, "
              "word, whitespace, whose vocabulary is made as train makes it",
              "char"},
             &command.tokenizer);
  declare_train_flags(&flags, &command.options);
  flags.heading("Run");
  flags.path({"--save", "FILE.ids", "the file to write; required", ""}, &command.save);
  flags.toggle({"--overwrite", "", "replace an existing FILE.ids", ""}, &command.overwrite);
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
}

std::optional<TokenizeIdsCommand> parse_tokenize_ids(const std::vector<std::string>& arguments) {
  TokenizeIdsCommand command;
  Flags flags("unroll tokenize TEXT... --to ids --save FILE.ids [flags]",
              "Writes a text as the ids that a model reads, 2 or 4 bytes each, with its tokenizer: an id cache, which "
              "unroll train and unroll eval read in place of the text. Training maps it, so that the text may be "
              "larger than memory, and makes the same model file as from the text.");
  add_cache_flags(flags, command);
  flags.example("unroll tokenize news.txt --to ids --tokenizer news.model --save news.ids", "Sub-words.");
  flags.example("unroll train news.ids --save news.safetensors", "The same model as from news.txt.");
  flags.example("unroll tokenize more.txt --to ids --tokenizer news.ids --valid-split 0 --save more.ids",
                "Another text with the same vocabulary, for train --valid more.ids.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.options.text.paths = flags.positionals();
  if (command.options.text.paths.empty()) {
    throw Error(ErrorCode::kUsage, "which TEXT? Give the path of a text, or - for standard input; --help explains");
  }
  if (command.save.empty()) throw Error(ErrorCode::kUsage, "where to? Give --save FILE.ids");
  std::vector<std::string> inputs = command.options.text.paths;
  expect_one_standard_input(inputs);
  inputs.insert(inputs.end(), {command.tokenizer, command.options.tokenizer.vocab_file});
  expect_output("--save", command.save, inputs, command.overwrite);
  return command;
}

// A file whose tokenizer is taken has its vocabulary.
Tokenizer made_tokenizer(const TokenizeIdsCommand& command) {
  const TokenizerOptions& asked = command.options.tokenizer;
  const TokenizerOptions fallback;
  if (asked.lowercase || asked.vocab_size != fallback.vocab_size || asked.min_count != fallback.min_count ||
      !asked.vocab_file.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--tokenizer '{}' has a vocabulary: leave --lowercase, --vocab-size, --min-count and "
                            "--vocab out",
                            command.tokenizer));
  }
  return is_id_cache(command.tokenizer) ? read_id_cache(command.tokenizer).tokenizer
                                        : Model::load(command.tokenizer).tokenizer();
}

// Throws Error{kUsage} for what is no kind; that it is no file either was found before.
void set_kind(const std::string& value, TokenizerOptions* options) {
  try {
    set_tokenizer(value, options);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}, or the path of a model file, of an id cache or of a SentencePiece model "
                                          "FILE.model",
                                          error.what()));
  }
}

std::string cache_words(const IdCacheInfo& info) {
  std::string words = fmt::format("{} ids to train on", grouped(info.train.ids));
  if (info.valid.ids > 0) words += fmt::format(" and {} held out", grouped(info.valid.ids));
  words += fmt::format(", {} bytes each, of a vocabulary of {}", info.bytes_per_id, grouped(info.tokenizer.size()));
  const std::int64_t unknown = info.train.unknown + info.valid.unknown;
  return unknown == 0 ? words : words + fmt::format("; {} are unknown to it", grouped(unknown));
}

}  // namespace

bool asks_for_cache(const std::vector<std::string>& arguments) {
  return std::ranges::any_of(arguments,
                             [](std::string_view text) { return text == "--to" || text.starts_with("--to="); });
}

int run_tokenize_ids(const std::vector<std::string>& arguments) {
  std::optional<TokenizeIdsCommand> parsed = parse_tokenize_ids(arguments);
  if (!parsed) return 0;
  TokenizeIdsCommand& command = *parsed;
  IdCacheOptions options{.paths = command.options.text.paths,
                         .tokenizer = command.options.tokenizer,
                         .valid_split = command.options.text.valid_split,
                         .state = command.options.text.state};
  if (is_id_cache(command.tokenizer) || is_model_file(command.tokenizer)) {
    options.made = made_tokenizer(command);
  } else if (!command.tokenizer.empty()) {
    set_kind(command.tokenizer, &options.tokenizer);
  }
  const IdCacheInfo info = write_id_cache(options, command.save);
  Terminal terminal(command.quiet);
  terminal.line(fmt::format("saved {}: {}; {}", command.save, cache_words(info), people_bytes(info.file_bytes)));
  return 0;
}

}  // namespace unroll
