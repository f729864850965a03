#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/tokenizer_flag.h"
#include "cli/streams/escaped.h"
#include "cli/streams/line_batches.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/shown_token.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/tokenize_ids.h"
#include "cli/verbs/tokenize_train.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/text.h"

namespace unroll {
namespace {

enum class Shown { kPieces, kIds, kJson };

struct TokenizeCommand {
  std::string text;
  std::string tokenizer;
  bool ids = false;
  bool json = false;
  bool quiet = false;
};

bool gives(const std::vector<std::string>& arguments, const std::string& flag) {
  const auto flags_end = std::ranges::find(arguments, "--");
  return std::any_of(arguments.begin(), flags_end,
                     [&](const std::string& argument) { return argument == flag || argument.starts_with(flag + "="); });
}

std::optional<TokenizeCommand> parse_tokenize(const std::vector<std::string>& arguments) {
  TokenizeCommand command;
  Flags flags(
      "unroll tokenize [TEXT|-] --tokenizer X [flags]",
      "Cuts each line of a text into the tokens that a model reads: one line of tokens for each line of text, "
      "with a space between them; a space within a token is shown as U+2581. The boundary that ends each line "
      "is not shown. `unroll tokenize train` learns a SentencePiece model: see unroll tokenize train --help. With --to "
      "ids, which has a help of its own: a text as a file of ids, for training.");
  flags.heading("Text");
  flags.path({"--tokenizer,--model,-m", "X",
              "the tokenizer: a model file, a SentencePiece model FILE.model, or char, byte, word, whitespace, whose "
              "vocabulary is then made from TEXT itself",
              ""},
             &command.tokenizer);
  flags.heading("Output");
  flags.toggle({"--ids", "", "print ids instead of tokens", ""}, &command.ids);
  flags.toggle({"--json", "", "one JSON object per line of text: each token with its id and its bytes in the line", ""},
               &command.json);
  flags.exclusive({"--ids", "--json"});
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  flags.example("unroll tokenize train book.txt --vocab-size 4000 --save book.model", "Learn 4,000 sub-words.");
  flags.example("unroll tokenize book.txt --tokenizer book.model | head", "Look at them.");
  flags.example("echo 'To be' | unroll tokenize --tokenizer book.safetensors --ids", "What a trained model reads.");
  if (gives(arguments, "--save") && !gives(arguments, "--help")) {
    throw Error(ErrorCode::kUsage,
                "--save is for an id cache: give --to ids as well; tokens are printed on standard output");
  }
  if (!flags.parse(arguments)) return std::nullopt;
  command.text = take_text("tokenize", flags.positionals());
  if (command.tokenizer.empty()) {
    throw Error(ErrorCode::kUsage,
                "which tokenizer? Give --tokenizer MODEL, FILE.model, char, byte, word or whitespace");
  }
  return command;
}

// The tokenizer of a file; empty if the vocabulary is made from the text.
std::optional<Tokenizer> stored_tokenizer(const std::string& value, TokenizerOptions* options) {
  std::error_code unknown;
  if (is_model_file(value) || std::filesystem::is_fifo(value, unknown)) return Model::load(value).tokenizer();
  set_tokenizer(value, options);
  if (options->kind != TokenizerKind::kSentencePiece) return std::nullopt;
  return Tokenizer::from_sentencepiece_file(options->vocab_file);
}

std::string header(const Tokenizer& tokenizer, Shown shown) {
  if (shown == Shown::kJson) return "";
  const std::int32_t boundary = tokenizer.boundary();
  const std::string ends = boundary < 0 ? "no boundary"
                                        : fmt::format("boundary {} (id {}) ends each line and is not shown",
                                                      escaped(tokenizer.symbol(boundary)), boundary);
  return fmt::format("# {} of tokenizer {}, {} symbols; {}{}\n", shown == Shown::kIds ? "ids" : "tokens",
                     tokenizer_kind_name(tokenizer.kind()), tokenizer.size(), ends,
                     shown == Shown::kIds ? "" : "; \xE2\x96\x81 is a space within a token");
}

std::string as_json(const Tokenizer& tokenizer, const std::string& line, const std::vector<Token>& tokens) {
  nlohmann::ordered_json object;
  put_text(&object, line);
  nlohmann::ordered_json& array = object["tokens"] = nlohmann::ordered_json::array();
  for (const Token& token : tokens) {
    nlohmann::ordered_json entry;
    put_text(&entry, tokenizer.symbol(token.id));
    entry["id"] = token.id;
    entry["offset"] = token.offset;
    entry["length"] = token.length;
    array.push_back(std::move(entry));
  }
  return json_line(object);
}

std::string as_row(const Tokenizer& tokenizer, const std::vector<Token>& tokens, Shown shown) {
  std::string row;
  for (const Token& token : tokens) {
    if (!row.empty()) row += ' ';
    row += shown == Shown::kIds ? fmt::format("{}", token.id) : shown_token(tokenizer, token.id);
  }
  return row + '\n';
}

// Prints lines, and counts unknown tokens.
class Printing {
 public:
  // `name` is how messages call the text.
  Printing(const Tokenizer& tokenizer, Shown shown, std::string name, Terminal& terminal)
      : tokenizer_(tokenizer), shown_(shown), name_(std::move(name)), terminal_(terminal) {
    out_.write(header(tokenizer, shown));
  }

  void line(const std::string& line) {
    const std::vector<Token> tokens = tokenizer_.encode_line({line, fmt::format("{}, line {}", name_, ++lines_)});
    for (const Token& token : tokens) unknown_ += token.id == tokenizer_.unknown() ? 1 : 0;
    count_ += std::ssize(tokens);
    out_.write(shown_ == Shown::kJson ? as_json(tokenizer_, line, tokens) : as_row(tokenizer_, tokens, shown_));
  }

  void flush() { out_.flush(); }

  void finish() {
    out_.flush();
    if (unknown_ > 0) terminal_.line(fmt::format("{} of {} tokens are unknown", grouped(unknown_), grouped(count_)));
  }

 private:
  const Tokenizer& tokenizer_;
  Shown shown_;
  std::string name_;
  Terminal& terminal_;
  Output out_;
  std::int64_t lines_ = 0;
  std::int64_t count_ = 0;
  std::int64_t unknown_ = 0;
};

void print_stream(const Tokenizer& tokenizer, const std::string& path, Shown shown, Terminal& terminal) {
  LineBatches batches(path, LineIds::kNumber, text_coding(tokenizer.kind()));
  Printing printing(tokenizer, shown, batches.name(), terminal);
  for (LineBatch batch; batches.next(batch);) {
    for (const std::string& line : batch.lines) printing.line(line);
    printing.flush();
  }
  printing.finish();
}

void print_whole(const TokenizerOptions& options, const std::string& path, Shown shown, Terminal& terminal) {
  const std::string text = read_text(path, text_coding(options.kind));
  const std::string name = text_name(path);
  const Tokenizer tokenizer = Tokenizer::train(options, {text, name});
  Printing printing(tokenizer, shown, name, terminal);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    printing.line(text.substr(at, end - at));
    at = end + 1;
  }
  printing.finish();
}

}  // namespace

int run_tokenize(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "train") {
    return run_tokenize_train({arguments.begin() + 1, arguments.end()});
  }
  if (asks_for_cache(arguments)) return run_tokenize_ids(arguments);
  std::optional<TokenizeCommand> parsed = parse_tokenize(arguments);
  if (!parsed) return 0;
  TokenizeCommand& command = *parsed;
  const Shown shown = command.ids ? Shown::kIds : command.json ? Shown::kJson : Shown::kPieces;
  Terminal terminal(command.quiet);
  TokenizerOptions options;
  if (const std::optional<Tokenizer> tokenizer = stored_tokenizer(command.tokenizer, &options)) {
    print_stream(*tokenizer, command.text, shown, terminal);
  } else {
    print_whole(options, command.text, shown, terminal);
  }
  return 0;
}

}  // namespace unroll
