#include "cli/flags/asked_defaults.h"

#include <fmt/core.h>

#include <optional>
#include <utility>
#include <variant>

#include "cli/flags/asked_task.h"
#include "cli/flags/recipe.h"
#include "cli/flags/tokenizer_flag.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Of no recipe, and of one that cannot be read, which is refused as the value of its flag: none.
std::vector<PresetFlag> presets_of(const std::vector<std::string>& arguments) {
  const std::optional<std::string> recipe = asked_value(arguments, "--recipe");
  if (!recipe) return {};
  try {
    return find_recipe(*recipe).flags;
  } catch (const Error&) {
    return {};
  }
}

// The recipe's choice; what cannot be parsed is refused with its place when it is read as a flag.
template <class Parse>
auto preset_choice(const std::vector<PresetFlag>& presets, const std::string& name, const Parse& parse) {
  std::optional<decltype(parse(name))> chosen;
  for (const PresetFlag& preset : presets) {
    const auto* const text = std::get_if<std::string>(&preset.value);
    if (preset.name != name || text == nullptr) continue;
    try {
      chosen = parse(*text);
    } catch (const Error&) {
      continue;
    }
  }
  return chosen;
}

// As the command line says, else the recipe.
template <class Parse>
auto choice(const std::vector<std::string>& arguments, const std::vector<PresetFlag>& presets, const std::string& name,
            const Parse& parse) {
  const std::optional<std::string> asked = asked_value(arguments, "--" + name);
  return asked ? std::optional(parse(*asked)) : preset_choice(presets, name, parse);
}

// Of what is no tokenizer none: it is refused when it is read as a flag.
std::optional<TokenizerKind> kind_of(const std::string& text) {
  try {
    TokenizerOptions options;
    set_tokenizer(text, &options);
    return options.kind;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

TrainOptions asked_defaults(const std::vector<std::string>& arguments) {
  const std::vector<PresetFlag> presets = presets_of(arguments);
  const auto task_of = [](const std::string& text) { return parse_task(text); };
  const TaskKind task = choice(arguments, presets, "task", task_of).value_or(TaskKind::kLanguage);
  const TaskKind recipes_task = preset_choice(presets, "task", task_of).value_or(task);
  if (recipes_task != task) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--task {}: the recipe is for the task {}", task_name(task), task_name(recipes_task)));
  }
  const auto input_of = [](const std::string& text) { return parse_input(text); };
  return default_options(task, choice(arguments, presets, "input", input_of).value_or(InputKind::kText),
                         choice(arguments, presets, "tokenizer", kind_of).value_or(std::nullopt));
}

}  // namespace unroll
