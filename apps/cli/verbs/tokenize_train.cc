#include "cli/verbs/tokenize_train.h"

#include <fmt/core.h>

#include <array>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "unroll/error.h"
#include "unroll/sentencepiece.h"
#include "unroll/text.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

struct TokenizeTrainCommand {
  std::vector<std::string> texts;
  SentencePieceOptions options;
  std::string save;
  bool overwrite = false;
  bool quiet = false;
};

std::optional<TokenizeTrainCommand> parse_tokenize_train(const std::vector<std::string>& arguments) {
  TokenizeTrainCommand command;
  Flags flags(
      "unroll tokenize train TEXT... --save FILE.model [flags]",
      "Learns sub-words from a text with the SentencePiece library and writes them as a .model file, which "
      "unroll train --tokenizer FILE.model and other programs read. The same text and flags give the same file.");
  flags.heading("Model");
  flags.whole({"--vocab-size", "N", "pieces in all, special ones included", "8000"}, {2, kLargestSize},
              [&command](std::int64_t n) { command.options.vocab_size = n; });
  flags.text(
      {"--model-type", "TYPE",
       "unigram: pieces that make the text most probable; bpe: the most frequent pairs, merged one by one", "unigram"},
      [&command](const std::string& value) {
        constexpr std::array kKinds{SentencePieceKind::kUnigram, SentencePieceKind::kBpe};
        command.options.kind = kKinds.at(parse_choice(value, {"unigram", "bpe"}));
      });
  flags.toggle({"--lossless", "",
                "keep every byte: no normalisation, all spaces, rare characters as bytes (256 pieces more). Without it "
                "the text is normalised (NFKC, single spaces), so that bits per byte are only comparable where that "
                "changes nothing",
                ""},
               &command.options.lossless);
  flags.heading("Run");
  flags.path({"--save", "FILE.model", "the file to write; required", ""}, &command.save);
  flags.toggle({"--overwrite", "", "replace an existing FILE.model", ""}, &command.overwrite);
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  flags.example("unroll tokenize train book.txt --vocab-size 4000 --save book.model", "4,000 sub-words.");
  flags.example("unroll train book.txt --tokenizer book.model --save book.safetensors",
                "A model that reads them; its file holds book.model too.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.texts = flags.positionals();
  if (command.texts.empty()) {
    throw Error(ErrorCode::kUsage, "which TEXT? Give the path of a text to learn from; --help explains");
  }
  expect_one_standard_input(command.texts);
  if (!command.save.ends_with(".model")) {
    throw Error(ErrorCode::kUsage, fmt::format("--save \"{}\": expected a path that ends in .model", command.save));
  }
  expect_output("--save", command.save, command.texts, command.overwrite);
  return command;
}

}  // namespace

int run_tokenize_train(const std::vector<std::string>& arguments) {
  std::optional<TokenizeTrainCommand> parsed = parse_tokenize_train(arguments);
  if (!parsed) return 0;
  TokenizeTrainCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const std::string text = read_texts(command.texts);
  terminal.line(
      fmt::format("learning {} pieces from {} bytes", grouped(command.options.vocab_size), grouped(std::ssize(text))));
  const std::string name = text_name(command.texts);
  const std::string model = train_sentencepiece({text, name}, command.options);
  const Tokenizer tokenizer = Tokenizer::from_sentencepiece(model, fmt::format("'{}'", command.save));
  save_sentencepiece(command.save, model);
  const EncodedText encoded = tokenizer.encode({text, name});
  terminal.line(fmt::format("saved {}: {} symbols; the text is {} tokens, {:.2f} bytes each{}", command.save,
                            grouped(tokenizer.size()), grouped(std::ssize(encoded.ids)),
                            static_cast<double>(encoded.bytes) / static_cast<double>(std::ssize(encoded.ids)),
                            encoded.lossless ? "; lossless" : "; normalised: not every byte can be recovered"));
  return 0;
}

}  // namespace unroll
