#include "cli/flags/train_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "cli/flags/asked_defaults.h"
#include "cli/flags/column_flags.h"
#include "cli/flags/data_flags.h"
#include "cli/flags/dense_flags.h"
#include "cli/flags/field_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/option_flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/recipe.h"
#include "cli/flags/regularization_flags.h"
#include "cli/flags/sample_flags.h"
#include "cli/flags/shell_quoted.h"
#include "cli/flags/tokenizer_flag.h"
#include "unroll/error.h"
#include "unroll/id_cache.h"
#include "unroll/paths.h"
#include "unroll/text.h"
#include "unroll/train_options.h"

namespace unroll {
namespace {

// What a recipe cannot say: where this run's files are, and what concerns this run alone.
std::vector<std::string> flags_not_in_recipes() {
  std::vector<std::string> flags{"--log",          "--quiet",     "--sample-every", "--sample-prompt",
                                 "--sample-label", "--dashboard", "--beside"};
  const TrainOptions options;
  for_each_option(options, [&](const TrainOption& option, const auto& value) {
    const bool is_path = std::is_same_v<decltype(value), const std::string&>;
    if (option.field.starts_with("task.")) return;
    if (is_path || option.field.starts_with("files.")) flags.push_back(flag_of(option.field));
  });
  return flags;
}

// A recipe's name, and its path where it is a file.
struct NamedRecipe {
  std::string name;
  std::string path;
};

void add_recipe_flag(Flags* flags, NamedRecipe* named) {
  flags->heading("Recipe");
  flags->presets({"--recipe", "NAME",
                  "take all settings from a recipe (unroll recipes lists them) or from a file FILE.toml; flags on the "
                  "command line "
                  "override it",
                  ""},
                 flags_not_in_recipes(), [named](const std::string& text) {
                   Recipe recipe = find_recipe(text);
                   *named = {.name = recipe.name, .path = is_recipe_file(text) ? text : ""};
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

// Two flags name an average, --optimizer asgd and --average.
void set_average(Average average, std::optional<Average>* given, TrainOptions* options) {
  if (given->value_or(average) != average) {
    throw Error(ErrorCode::kUsage, "--optimizer asgd means --average triggered: leave one of them out");
  }
  *given = average;
  options->run.average = average;
}

// The flags of all options, some of which take more on a command line than in the library.
class TrainFlags : public OptionFlags {
 public:
  TrainFlags(Flags* flags, TrainOptions* options) : OptionFlags(flags), flags_(flags), options_(options) {}

  using OptionFlags::operator();

  void operator()(const TrainOption& option, TokenizerKind& kind) const {
    FlagHelp help = help_of(option, "KIND", std::string(tokenizer_kind_name(kind)));
    help.help += "; FILE.model: sub-words of a SentencePiece model (unroll tokenize train makes one)";
    flags_->text(help, [options = options_](const std::string& text) { set_tokenizer(text, &options->tokenizer); });
  }

  void operator()(const TrainOption& option, Optimizer& optimizer) const {
    FlagHelp help = help_of(option, "NAME", std::string(optimizer_name(optimizer)));
    help.help = "sgd, adam, or asgd (sgd with --average triggered)";
    flags_->text(help, [&optimizer, given = average_given_, options = options_](const std::string& text) {
      constexpr std::array kOptimizers{Optimizer::kSgd, Optimizer::kAdam, Optimizer::kSgd};
      optimizer = kOptimizers.at(parse_choice(text, {"sgd", "adam", "asgd"}));
      if (text == "asgd") set_average(Average::kTriggered, given.get(), options);
    });
  }

  void operator()(const TrainOption& option, Average& average) const {
    flags_->text(help_of(option, "HOW", std::string(average_name(average))),
                 [given = average_given_, options = options_](const std::string& text) {
                   set_average(parse_average(text), given.get(), options);
                 });
  }

  void operator()(const TrainOption& option, std::optional<BeginPolicy>& begin) const {
    flags_->text(help_of(option, "HOW", ""), [&begin](const std::string& text) { begin = parse_begin_policy(text); });
  }

  void operator()(const TrainOption& option, std::optional<DenseScale>& scale) const {
    flags_->text(help_of(option, "HOW", ""), [&scale](const std::string& text) { scale = parse_dense_scale(text); });
  }

  void operator()(const TrainOption& option, std::optional<Precision>& precision) const {
    flags_->text(help_of(option, "P", ""), [&precision](const std::string& text) {
      constexpr std::array<std::optional<Precision>, 3> kChoices{std::nullopt, Precision::kF32, Precision::kBf16};
      precision = kChoices.at(parse_choice(text, {"auto", "f32", "bf16"}));
    });
  }

 private:
  Flags* flags_;
  TrainOptions* options_;
  std::shared_ptr<std::optional<Average>> average_given_ = std::make_shared<std::optional<Average>>();
};

// Whether an option is about symbols, which numbers are not.
bool is_of_symbols(const TrainOption& option) {
  constexpr std::array<std::string_view, 13> kFields{
      "transfer.vectors", "text.state",      "text.begin",        "text.valid_tokens", "network.embed",
      "network.tied",     "network.softmax", "network.samples",   "network.cutoffs",   "run.bptt",
      "task.characters",  "run.bptt_jitter", "task.class_weights"};
  return option.field.starts_with("tokenizer.") || std::ranges::find(kFields, option.field) != kFields.end();
}

// Whether a command line for this task has the flag of an option.
bool has_flag(const TaskOptions& asked, const TrainOption& option) {
  const TaskKind task = asked.kind;
  const auto is_for = [&](std::initializer_list<TaskKind> tasks) {
    return std::ranges::find(tasks, task) != tasks.end();
  };
  const bool dense = asked.input == InputKind::kDense;
  if (dense && is_of_symbols(option)) return false;
  const bool transfers = option.field.starts_with("transfer.") || option.field == "regularization.language";
  if (transfers && option.field != "transfer.vectors") return !dense && is_for({TaskKind::kClassify, TaskKind::kTag});
  const auto is_one_of = [&](std::initializer_list<std::string_view> fields) {
    return std::ranges::find(fields, option.field) != fields.end();
  };
  using enum TaskKind;
  if (!option.field.starts_with("task.") || option.field == "task.kind") return true;
  if (is_one_of({"task.scale"})) return dense;
  if (is_one_of({"task.input"})) return is_for({kClassify, kTag, kRegress});
  if (is_one_of({"task.bidirectional"})) return is_for({kClassify, kTag, kRegress});
  if (is_one_of({"task.transitions"})) return is_for({kTag});
  if (is_one_of({"task.characters"})) return is_for({kClassify, kTag});
  if (is_one_of({"task.readout"})) return is_for({kClassify, kRegress});
  return is_for({kClassify});
}

void add_dense_flags(Flags* flags, TaskOptions* task) {
  declare_dense_flags(flags, &task->dense);
  if (task->kind == TaskKind::kRegress) {
    flags->toggle({"--per-step", "", "learn numbers of each step; else of each sequence", ""},
                  &task->dense.target_per_step);
  }
  flags->text({"--valid-targets", "FILE", "the targets of --valid, where that is an array", ""},
              [task](const std::string& path) { task->valid_targets = {path}; });
}

// Those of the task that was asked for.
template <class Declare>
void add_task_flags(Flags* flags, TrainOptions* options, const Declare& declare) {
  TaskOptions& task = options->task;
  flags->heading("Task");
  for_each_task_option(*options, declare);
  if (task.input == InputKind::kDense) return add_dense_flags(flags, &task);
  if (task.kind == TaskKind::kClassify || task.kind == TaskKind::kConditional) declare_data_flags(flags, &task.texts);
  if (task.kind == TaskKind::kTag) declare_column_flags(flags, &task.columns);
  flags->heading("Start");
  for_each_transfer_option(*options, declare);
}

void add_option_flags(Flags* flags, TrainOptions* options) {
  const TrainFlags declare_any(flags, options);
  const auto declare = [&](const TrainOption& option, auto& value) {
    if (has_flag(options->task, option)) declare_any(option, value);
  };
  add_task_flags(flags, options, declare);
  flags->heading("Text");
  for_each_text_option(*options, declare);
  flags->heading("Network");
  for_each_network_option(*options, declare);
  add_regularization_flags(flags, options);
  flags->heading("Run");
  for_each_update_option(*options, declare);
  for_each_schedule_option(*options, declare);
  flags->heading("Files");
  for_each_file_option(*options, declare);
  flags->exclusive({"--epochs", "--steps", "--minutes"});
  flags->exclusive({"--resume", "--overwrite"});
  for_each_option(*options, [&](const TrainOption& option, const auto&) {
    if (option.only_with.first.empty() || !has_flag(options->task, option)) return;
    flags->belongs_to(flag_of(option.only_with.first), {flag_of(option.field)});
  });
}

void add_output_flags(Flags* flags, TrainCommand* command) {
  flags->path({"--log", "FILE",
               "write one JSON object per step: step, tokens, nats_per_token, lr, grad_norm, tokens_per_s, and "
               "valid_nats_per_token where measured; - is standard output",
               ""},
              &command->log);
  flags->whole(
      {"--dashboard", "[=PORT]",
       "show the run in a browser, at the link that is printed: curves, samples, time left; stop and continue it",
       "any free port"},
      {0, 65535}, [command](std::int64_t port) { command->dashboard_port = port; });
  flags->texts({"--beside", "LOG", "show the run of this log there too; may be given several times", ""},
               [command](const std::string& log) { command->beside.push_back(log); });
  declare_sample_flags(flags, command->options.task.kind, &command->samples);
  flags->toggle(
      {"--dry-run", "", "print the plan, with what a step takes, and stop: nothing is trained or written", ""},
      &command->options.run.plan_only);
  flags->toggle({"--quiet", "", "say nothing but errors", ""}, &command->quiet);
}

// Writing MODEL or the log must not destroy what the run reads. What MODEL and texts have in common, train() finds.
void check_paths(const TrainCommand& command, const std::string& recipe) {
  const TrainOptions& options = command.options;
  std::vector<std::string> inputs = options.text.paths;
  inputs.insert(inputs.end(), {options.text.valid, options.tokenizer.vocab_file});
  expect_one_standard_input(inputs);
  inputs.insert(inputs.end(), {options.files.from, options.transfer.init, options.transfer.unlabelled,
                               options.transfer.vectors, recipe});
  inputs.insert(inputs.end(), options.task.dense.target_paths.begin(), options.task.dense.target_paths.end());
  inputs.insert(inputs.end(), options.task.valid_targets.begin(), options.task.valid_targets.end());
  if (options.files.save == "-") throw Error(ErrorCode::kUsage, "--save takes the path of a file, not standard output");
  for (const std::string& written : written_files(options)) {
    expect_no_input("--save", written, {recipe});
    if (command.log.empty() || command.log == "-" || !same_file(command.log, written)) continue;
    throw Error(ErrorCode::kUsage, fmt::format("--log {} is where {} is saved", command.log, written));
  }
  if (!command.log.empty() && command.log != "-") expect_no_input("--log", command.log, inputs);
}

// With --from, network and tokenizer are those of that model.
void check_from(const Flags& flags) {
  if (!flags.given("--from")) return;
  const TrainOptions options;
  for_each_option(options, [&](const TrainOption& option, const auto&) {
    const std::string flag = flag_of(option.field);
    if (!option.from_model || !flags.given(flag)) return;
    throw Error(ErrorCode::kUsage, fmt::format("{} is fixed by the model of --from: leave it out", flag));
  });
}

// An id cache has its tokenizer and its split. A default that is given is as good as another value.
void check_id_cache(const TrainOptions& options, const Flags& flags) {
  if (options.text.paths.size() != 1 || !is_id_cache(options.text.paths.front())) return;
  const IdCacheInfo info = read_id_cache(options.text.paths.front());
  const auto expect = [&](const std::string& flag, bool same) {
    if (!flags.given(flag) || same) return;
    throw Error(ErrorCode::kUsage, fmt::format("{} is an id cache that was made with another {}: leave it out, or make "
                                               "the cache with it",
                                               text_name(options.text.paths.front()), flag));
  };
  expect("--tokenizer", options.tokenizer.kind == info.tokenizer.kind());
  expect("--min-count", options.tokenizer.min_count == info.min_count);
  expect("--valid-split", !options.text.valid.empty() || options.text.valid_split == info.valid_split);
}

// Whether a run of minutes may choose network, regularisation and updates: nobody said a word about them.
bool may_fit_to_minutes(const TrainCommand& command, const Flags& flags) {
  bool may = command.options.task.kind == TaskKind::kLanguage && command.options.run.minutes &&
             command.recipe.empty() && !flags.given("--from") && !flags.given("--dropout") && !flags.given("--vectors");
  for_each_fitted_option(command.options,
                         [&](const TrainOption& option, const auto&) { may &= !flags.given(flag_of(option.field)); });
  return may;
}

// The fields that the command line or the recipe gives.
std::vector<std::string> given_fields(const TrainCommand& command, const Flags& flags) {
  std::vector<std::string> fields;
  for_each_option(command.options, [&](const TrainOption& option, const auto&) {
    if (option.field.starts_with("files.")) return;  // where results go is no setting
    const auto is_preset = [&](const PresetFlag& preset) { return preset.name == option.name; };
    if (flags.given(flag_of(option.field)) || std::ranges::any_of(flags.held_presets(), is_preset)) {
      fields.emplace_back(option.field);
    }
  });
  const auto is_dropout = [](const PresetFlag& preset) { return preset.name == "dropout"; };
  if (flags.given("--dropout") || std::ranges::any_of(flags.held_presets(), is_dropout)) {
    fields.insert(fields.end(), {"regularization.input", "regularization.between", "regularization.output"});
  }
  return fields;
}

// Declares --auto, which searches for what flags do not say.
void add_search_flags(Flags* flags, TrainCommand* command) {
  flags->heading("Search");
  flags->real({"--auto", "MINUTES",
               "try settings that no flag gives for so many minutes, go on with the better ones, and keep the best "
               "model: successive halving",
               ""},
              {.least = 0, .most = 1e6, .with_least = false},
              [command](double minutes) { command->auto_minutes = minutes; });
  flags->exclusive({"--auto", "--minutes"});
  flags->exclusive({"--auto", "--log"});
  flags->exclusive({"--auto", "--dashboard"});
  flags->exclusive({"--auto", "--dry-run"});
  if (command->options.task.kind == TaskKind::kLanguage) flags->exclusive({"--auto", "--sample-every"});
}

// The command line without what concerns one run alone.
std::vector<std::string> repeatable(const std::vector<std::string>& arguments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--resume" || argument == "--overwrite" || argument == "--quiet") continue;
    if (argument == "--dry-run") continue;
    if (argument.starts_with("--dashboard=")) continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (name != "--minutes" && name != "--auto" && name != "--log" && name != "--beside") {
      kept.push_back(argument);
    } else if (name == argument) {
      ++i;  // its value
    }
  }
  return kept;
}

}  // namespace

std::string as_flags(const std::vector<std::pair<std::string, std::string>>& options) {
  std::string flags;
  for (const auto& [name, value] : options) {
    flags += (flags.empty() ? "--" : " --") + name;
    if (value == "false") flags += "=false";
    if (value != "true" && value != "false") flags += ' ' + shell_quoted(value);
  }
  return flags;
}

std::string repeating_command(const TrainCommand& command,
                              const std::vector<std::pair<std::string, std::string>>& decided) {
  std::string line = "unroll train";
  for (const std::string& argument : command.repeatable) line += ' ' + shell_quoted(argument);
  return line + (decided.empty() ? "" : " ") + as_flags(decided);
}

std::string repeating_command(const TrainCommand& command, const TrainPlan& plan) {
  return repeating_command(command, plan.decided);
}

// --init takes the path of a language model too: no way to draw weights has a name with a dot or a slash.
std::vector<std::string> with_init_model(std::vector<std::string> arguments) {
  constexpr std::string_view kFlag = "--init";
  const auto is_path = [](std::string_view value) { return value.find_first_of("./") != std::string_view::npos; };
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string& argument = arguments[i];
    if (argument == kFlag && i + 1 < arguments.size() && is_path(arguments[i + 1])) {
      argument = "--init-from";
    } else if (argument.starts_with("--init=") && is_path(std::string_view(argument).substr(kFlag.size() + 1))) {
      argument.replace(0, kFlag.size(), "--init-from");
    }
  }
  return arguments;
}

// Its value stands behind a = or is missing, because the next argument is a text.
std::vector<std::string> with_dashboard_port(std::vector<std::string> arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (arguments[i] == "--dashboard") arguments[i] += "=0";
  }
  return arguments;
}

std::optional<TrainCommand> parse_train_command(const std::vector<std::string>& given) {
  const std::vector<std::string> arguments = with_dashboard_port(with_init_model(given));
  TrainCommand command;
  command.options = asked_defaults(arguments);
  Flags flags(
      "unroll train TEXT... --save MODEL.safetensors [flags]",
      "Learns a language model from text files (several are read as one; .gz is unpacked; - is standard input) and "
      "keeps the weights that predict the held-out text best. The same text, flags and seed give the same file, "
      "bit for bit. Ctrl-C saves and stops; --resume continues as if nothing had happened.");
  NamedRecipe recipe;
  add_recipe_flag(&flags, &recipe);
  add_option_flags(&flags, &command.options);
  add_output_flags(&flags, &command);
  add_search_flags(&flags, &command);
  flags.example("unroll train book.txt --save book.safetensors --minutes 2",
                "A character model in two minutes; nothing else needs to be said.");
  flags.example(
      "unroll train train.txt --valid valid.txt --tokenizer whitespace \\\n"
      "      --layers 2 --dropout 0.5 --save words.safetensors --log words.jsonl",
      "A word model of text that is tokenised already, with a log to plot.");
  flags.example("unroll train --task classify reviews.csv --save reviews.safetensors",
                "A classifier of texts; unroll train --task classify --help shows the defaults of that task.");
  flags.example(
      "unroll train --task regress sales.csv --sequence-column shop \\\n"
      "      --target-column next_week --save sales.safetensors",
      "Numbers from sequences of numbers; --task classify --input dense learns labels of them.");
  flags.example("unroll train book.txt --recipe shakespeare --save book.safetensors",
                "Settings by name; unroll recipes lists the names.");
  flags.example("unroll train --task classify reviews.csv --auto 10 --save reviews.safetensors",
                "The best classifier that ten minutes of trying settings find.");
  flags.example("unroll train letters.txt --from book.safetensors --save letters.safetensors",
                "Adapts a model to another text.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (flags.given("--valid") && flags.given("--valid-split")) {
    throw Error(ErrorCode::kUsage, "--valid and --valid-split exclude each other: give one of them");
  }
  check_from(flags);
  check_sample_flags(flags);
  if (!command.beside.empty() && !command.dashboard_port) {
    throw Error(ErrorCode::kUsage, "--beside is shown by --dashboard: give that too");
  }
  if (flags.given("--vocab") && command.options.tokenizer.kind == TokenizerKind::kSentencePiece) {
    throw Error(ErrorCode::kUsage, "a SentencePiece model is its own vocabulary: leave out --vocab");
  }
  if (!recipe.name.empty()) command.recipe = recipe_words(recipe.name, flags);
  command.options.text.paths = flags.positionals();
  if (command.options.text.paths.empty()) {
    throw Error(ErrorCode::kUsage, "which TEXT? Give the path of a text to learn from; unroll train --help explains");
  }
  if (command.options.files.save.empty()) throw Error(ErrorCode::kUsage, "where to? Give --save MODEL.safetensors");
  check_id_cache(command.options, flags);
  check_paths(command, recipe.path);
  command.options.run.fit_to_minutes = may_fit_to_minutes(command, flags);
  command.repeatable = repeatable(arguments);
  command.fixed = given_fields(command, flags);
  return command;
}

}  // namespace unroll
