#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/recipe.h"
#include "cli/streams/output.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct RecipesCommand {
  std::string name;  // empty: all
  bool json = false;
};

std::optional<RecipesCommand> parse_recipes(const std::vector<std::string>& arguments) {
  RecipesCommand command;
  Flags flags(
      "unroll recipes [NAME] [flags]",
      "Lists the recipes for train --recipe: what each is for, the text that it learns from, the result and the "
      "time that it takes. With NAME, prints that recipe; save it, change it, and give the file to train "
      "--recipe.");
  flags.heading("Flags");
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  bool quiet = false;
  flags.toggle({"--quiet", "", "accepted as by the other verbs; nothing to silence", ""}, &quiet);
  flags.example("unroll recipes", "All recipes.");
  flags.example("unroll recipes shakespeare > mine.toml", "A recipe to change: unroll train TEXT --recipe mine.toml.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (flags.positionals().size() > 1) {
    throw Error(ErrorCode::kUsage,
                fmt::format("unexpected argument \"{}\": recipes takes one NAME", flags.positionals()[1]));
  }
  if (!flags.positionals().empty()) command.name = flags.positionals().front();
  return command;
}

std::string time_words(const Recipe& recipe) {
  return recipe.minutes ? fmt::format("{} minutes", *recipe.minutes) : "not measured";
}

std::string list_text(const std::vector<Recipe>& recipes) {
  std::string text;
  for (const Recipe& recipe : recipes) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", recipe.name);
    for (const auto& [title, words] : {std::pair<std::string_view, std::string>{"what", recipe.summary},
                                       {"data", recipe.data},
                                       {"result", recipe.result},
                                       {"time", time_words(recipe)},
                                       {"source", recipe.source}}) {
      text += fmt::format("  {:<7} {}\n", title, words);
    }
  }
  return text;
}

nlohmann::ordered_json as_json(const Recipe& recipe) {
  nlohmann::ordered_json object{{"name", recipe.name},     {"summary", recipe.summary}, {"data", recipe.data},
                                {"result", recipe.result}, {"minutes", nullptr},        {"source", recipe.source}};
  if (recipe.minutes) object["minutes"] = *recipe.minutes;
  nlohmann::ordered_json flags = nlohmann::ordered_json::object();
  for (const PresetFlag& flag : recipe.flags) {
    std::visit([&](const auto& value) { flags[flag.name] = value; }, flag.value);
  }
  object["flags"] = std::move(flags);
  return object;
}

std::string all_recipes(bool json) {
  const std::vector<Recipe> recipes = built_in_recipes();
  if (!json) return list_text(recipes);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Recipe& recipe : recipes) list.push_back(as_json(recipe));
  return json_line({{"recipes", std::move(list)}});
}

std::string one_recipe(const std::string& name, bool json) {
  const Recipe recipe = find_recipe(name);
  if (!json) return recipe.text;
  nlohmann::ordered_json object = as_json(recipe);
  put_text(&object, recipe.text);
  return json_line(object);
}

}  // namespace

int run_recipes(const std::vector<std::string>& arguments) {
  std::optional<RecipesCommand> parsed = parse_recipes(arguments);
  if (!parsed) return 0;
  RecipesCommand& command = *parsed;
  Output out;
  out.write(command.name.empty() ? all_recipes(command.json) : one_recipe(command.name, command.json));
  out.flush();
  return 0;
}

}  // namespace unroll
