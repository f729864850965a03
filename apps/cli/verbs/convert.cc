#include "unroll/exchange/convert.h"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/convert_ngram.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/model.h"

namespace unroll {
namespace {

struct ConvertCommand {
  std::string model;
  std::optional<Precision> precision;
  std::string save;
  bool overwrite = false;
  bool quiet = false;
};

// "book.safetensors" as "book.int8.safetensors".
std::string default_path(const std::string& model, Precision precision) {
  constexpr std::string_view kEnding = ".safetensors";
  const std::string stem = model.ends_with(kEnding) ? model.substr(0, model.size() - kEnding.size()) : model;
  return fmt::format("{}.{}{}", stem, precision_name(precision), kEnding);
}

std::optional<ConvertCommand> parse_convert(const std::vector<std::string>& arguments) {
  ConvertCommand command;
  Flags flags(
      "unroll convert MODEL (--precision bf16|int8 | --ngram FILE) [flags]",
      "Writes a smaller copy of a model, whose weight matrices are rounded: bf16 keeps 8 significant bits and "
      "takes half of the bytes, int8 keeps whole numbers from -127 to 127 with a scale for each row and takes "
      "a quarter. Every verb reads the copy, and multiplies in its precision, which is faster where the "
      "processor can. Perplexity hardly changes with bf16 and a little with int8: measure it with unroll eval. "
      "Rounding cannot be undone, so keep the model. With --ngram it writes n-grams that imitate the model instead: "
      "unroll convert --ngram FILE --help says more.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--precision", "P", "bf16 or int8; must be given", ""},
             [&command](const std::string& value) { command.precision = parse_precision(value); });
  flags.path({"--save", "FILE", "where the copy goes", "MODEL with the precision in its name"}, &command.save);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.toggle({"--quiet", "", "say nothing but errors", ""}, &command.quiet);
  flags.example("unroll convert book.safetensors --precision int8", "Writes book.int8.safetensors.");
  flags.example("unroll eval book.int8.safetensors held-out.txt",
                "What rounding costs: compare with the perplexity of book.safetensors.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.model = take_only_model("convert", command.model, flags.positionals());
  if (!command.precision)
    throw Error(ErrorCode::kUsage, "to which precision? Give --precision bf16 or --precision int8");
  if (command.save.empty()) command.save = default_path(command.model, *command.precision);
  return command;
}

std::string size_words(const std::string& path) {
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  return unknown ? "unknown size" : people_bytes(static_cast<std::int64_t>(bytes));
}

}  // namespace

int run_convert(const std::vector<std::string>& arguments) {
  if (asks_for_ngram(arguments)) return run_convert_ngram(arguments);
  std::optional<ConvertCommand> parsed = parse_convert(arguments);
  if (!parsed) return 0;
  ConvertCommand& command = *parsed;
  const Model model = Model::load(command.model);
  expect_output("--save", command.save, {}, command.overwrite);
  const std::string size_before = size_words(command.model);
  const Conversion conversion = convert(model, *command.precision, command.save);
  Terminal terminal(command.quiet);
  terminal.line(fmt::format("{} ({}, {}) -> {} ({}, {})", command.model, precision_name(model.precision()), size_before,
                            command.save, precision_name(*command.precision), size_words(command.save)));
  terminal.line(fmt::format("largest rounding error of a matrix: {:.3g}% of its norm ({})",
                            100 * conversion.largest_error, conversion.tensor));
  return 0;
}

}  // namespace unroll
