#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/verbs/draw_curves.h"
#include "cli/verbs/verbs.h"
#include "draw/picture.h"
#include "draw/picture_json.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/output_file.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct DrawCommand {
  PictureRequest request{.picture = {}, .models = {}, .standalone = true, .threads = 0};
  std::string model;
  std::vector<std::string> beside;
  std::string text;
  std::string save;
  bool overwrite = false;
  bool json = false;
};

std::string flag_name(std::string_view option) {
  std::string name = "--" + std::string(option);
  std::ranges::replace(name, '_', '-');
  return name;
}

// As picture_kind(); the picture of runs, which have no model, is among those that an error names.
const PictureKind& kind_of(const std::string& name) {
  try {
    return picture_kind(name);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}, curves", error.what()), error.field());
  }
}

// The pictures that heed an option, in words.
std::string pictures_with(std::string_view option) {
  std::string names;
  for (const PictureKind& kind : picture_kinds()) {
    if (std::ranges::find(kind.options, option) == kind.options.end()) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", kind.name);
  }
  return names;
}

void declare(Flags& flags, const PictureOption& option, PictureOptions& options) {
  const FlagHelp help{flag_name(option.name), std::string(option.placeholder),
                      fmt::format("{}: {}", pictures_with(option.name), option.help), std::string(option.fallback)};
  const WholeRange whole{static_cast<std::int64_t>(option.range.least), static_cast<std::int64_t>(option.range.most)};
  if (const auto* const number = std::get_if<std::optional<std::int64_t> PictureOptions::*>(&option.field)) {
    flags.whole(help, whole, [&options, field = *number](std::int64_t n) { options.*field = n; });
  } else if (const auto* const real = std::get_if<double PictureOptions::*>(&option.field)) {
    flags.real(help, option.range, [&options, field = *real](double x) { options.*field = x; });
  } else if (const auto* const text = std::get_if<std::string PictureOptions::*>(&option.field)) {
    flags.text(help, [&options, field = *text](const std::string& words) { options.*field = words; });
  } else if (const auto* const other = std::get_if<std::optional<std::string> PictureOptions::*>(&option.field)) {
    flags.text(help, [&options, field = *other](const std::string& words) { options.*field = words; });
  } else {
    const auto list = std::get<std::vector<std::int64_t> PictureOptions::*>(option.field);
    flags.text(help, [&options, list, range = option.range](const std::string& words) {
      options.*list = parse_wholes(words);
      for (const std::int64_t n : options.*list) static_cast<void>(parse_number(std::to_string(n), range));
    });
  }
}

std::string pictures_help() {
  std::string text;
  for (const PictureKind& kind : picture_kinds()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", kind.name, kind.purpose);
  }
  return text;
}

void check_heeded(const Flags& flags, const PictureKind& kind) {
  for (const PictureOption& option : picture_options()) {
    if (!flags.given(flag_name(option.name)) || std::ranges::find(kind.options, option.name) != kind.options.end()) {
      continue;
    }
    throw Error(ErrorCode::kUsage, fmt::format("{} is an option of {}, not of {}", flag_name(option.name),
                                               pictures_with(option.name), kind.name));
  }
}

std::optional<DrawCommand> parse_draw(const std::vector<std::string>& arguments, DrawCommand command) {
  Flags flags("unroll draw PICTURE MODEL [TEXT|-] --save FILE [flags]",
              "Draws what a model computes over TEXT, as SVG; or writes the numbers that the picture shows, as CSV. "
              "Pictures: " +
                  pictures_help() + ".");
  flags.heading("Flags");
  flags.path({"--save", "FILE", "the picture, where FILE ends in .svg; its numbers, where it ends in .csv", ""},
             &command.save);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.path({"--model,-m", "MODEL", "the model, instead of the second argument", ""}, &command.model);
  flags.texts({"--beside", "MODEL", "another model on the same text; may be given several times", ""},
              [&command](const std::string& path) { command.beside.push_back(path); });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the text is given", ""},
             [&command](const std::string& label) { command.request.label = label; });
  flags.toggle({"--json", "", "print picture and numbers as one JSON object on one line", ""}, &command.json);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.request.threads = static_cast<int>(n); });
  flags.heading("Options of pictures");
  for (const PictureOption& option : picture_options()) declare(flags, option, command.request.options);
  flags.example("unroll draw softmax book.safetensors sentence.txt --save softmax.svg",
                "From logits to the probabilities of what follows the text.");
  flags.example("unroll draw curves book.jsonl --save curves.svg",
                "A training run from its log; unroll draw curves --help has more.");
  flags.example("unroll draw gradient lstm.safetensors test.txt --beside tanh.safetensors --save flow.svg",
                "How far gradients reach in two models.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> rest = flags.positionals();
  if (rest.empty()) throw Error(ErrorCode::kUsage, "draw: PICTURE is missing: " + pictures_help());
  command.request.picture = rest.front();
  rest.erase(rest.begin());
  const PictureKind& kind = kind_of(command.request.picture);
  check_heeded(flags, kind);
  command.model = take_model(command.model, &rest);
  if (kind.reads_text) {
    command.text = take_text("draw", rest);
  } else if (!rest.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("unexpected argument \"{}\": the picture {} is of a --prompt, not of a TEXT", rest.front(),
                            kind.name));
  }
  return command;
}

void check_files(const DrawCommand& command) {
  if (command.save.empty()) {
    if (command.json) return;
    throw Error(ErrorCode::kUsage, "--save is missing: expected a file for the picture, or --json");
  }
  if (!command.save.ends_with(".svg") && !command.save.ends_with(".csv")) {
    throw Error(ErrorCode::kUsage, fmt::format("--save is '{}': expected a name that ends in .svg, for the picture, "
                                               "or in .csv, for its numbers",
                                               command.save));
  }
  std::vector<std::string> inputs = command.beside;
  inputs.push_back(command.model);
  if (!command.text.empty()) inputs.push_back(command.text);
  expect_output("--save", command.save, inputs, command.overwrite);
}

}  // namespace

int run_draw(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "curves")
    return run_draw_curves({arguments.begin() + 1, arguments.end()});
  std::optional<DrawCommand> parsed = parse_draw(arguments, {});
  if (!parsed) return 0;
  DrawCommand& command = *parsed;
  check_files(command);
  PictureRequest& request = command.request;
  std::vector<std::string> paths{command.model};
  paths.insert(paths.end(), command.beside.begin(), command.beside.end());
  for (const std::string& path : paths) request.models.push_back({.name = path, .model = Model::load(path)});
  if (!command.text.empty()) {
    request.text = read_text(command.text, text_coding(request.models.front().model.tokenizer().kind()));
    request.text_name = text_name(command.text);
  }
  const Picture picture = draw(request);
  if (!command.save.empty()) {
    OutputFile file(command.save);
    file.write(command.save.ends_with(".csv") ? picture_csv(picture.table) : picture.svg);
    file.finish();
  }
  Output out;
  nlohmann::ordered_json told{{"picture", request.picture}};
  told.update(picture_json(picture));
  out.write(command.json ? json_line(told) : visible(picture.sentence) + "\n");
  out.flush();
  return 0;
}

}  // namespace unroll
