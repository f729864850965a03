// Recipes: values of train's flags in a TOML file, with what they reproduce and what to expect of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/flags.h"

namespace unroll {

// A recipe. Its keys are flags of train without their dashes; the table [about] is for people.
struct Recipe {
  std::string name;     // what the file is called, without .toml
  std::string text;     // the file as it is
  std::string summary;  // [about]: one sentence
  std::string data;     // the text to train on
  std::string result;   // what to expect
  std::string source;   // whose settings they are
  std::optional<double> minutes;
  std::vector<PresetFlag> flags;  // in the order of the file
};

// Reads the text of a recipe. `place` is what errors call the file. Throws Error{kUsage} with line and column where it
// is not TOML, has a value that is not a text, a number, true or false, or an unknown key in [about]. Flags alone knows
// which flags there are, and their ranges.
[[nodiscard]] Recipe parse_recipe(const std::string& name, const std::string& place, std::string_view text);

// The built-in recipes (recipes/ of the source), by name.
[[nodiscard]] std::vector<Recipe> built_in_recipes();

// Whether `name` is that of a file, and not of a built-in recipe: it ends in .toml.
[[nodiscard]] bool is_recipe_file(const std::string& name);

// The built-in recipe `name`, or the file `name` if it ends in .toml. Throws Error{kUsage} if there is no such recipe,
// Error{kFile} if the file cannot be read, and as parse_recipe().
[[nodiscard]] Recipe find_recipe(const std::string& name);

}  // namespace unroll
